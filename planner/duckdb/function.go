package duckdb

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// function is a scalar function of ours in DuckDB. It is strict: a NULL argument
// gives NULL without a call, unless nulls is set.
type function struct {
	name    string
	args    []string // DuckDB's names of the types
	returns string
	nulls   bool
	// volatile: no two calls are taken for one, nor a call for a constant.
	volatile bool
	// repeats: rows next to each other often have the same arguments, and computing
	// the result costs more than comparing them.
	repeats bool
	// eval computes one row: it reads arguments from c and sets the result with
	// one of c's set methods, or leaves it NULL. Nil for a function of scalar.c.
	eval func(c *call) error
	// spare has *result, whose memory the next calls use.
	spare sync.Pool
}

// instanceFunction is a function as an instance knows it.
type instanceFunction struct {
	*function
	connections *connections
}

// call is one vector of calls of a function, and the row at which eval stands.
type call struct {
	row int
	// stopped is set when nobody waits for the statement any more.
	stopped *atomic.Bool
	args    int // how many there are
	data    [maxArgs]unsafe.Pointer
	valid   [maxArgs][]uint64
	// elems and elemValid are those of the elements of list arguments.
	elems     [maxArgs]unsafe.Pointer
	elemValid [maxArgs][]uint64
	// lists is memory for what list returns.
	lists  [maxArgs][][]byte
	out    unsafe.Pointer
	isSet  bool
	result result
	memo   memo
}

// memo keeps what an argument that is the same in most rows was turned into: a
// pattern compiled, a zone found.
type memo struct {
	key   string
	value any
}

// memoized is build(key), built once while key stays the same.
func memoized[T any](c *call, key string, build func(string) (T, error)) (T, error) {
	if v, ok := c.memo.value.(T); ok && c.memo.key == key {
		return v, nil
	}
	v, err := build(key)
	if err == nil {
		c.memo = memo{strings.Clone(key), v}
	}
	return v, err
}

const maxArgs = 8

// maxResult bounds the texts that one vector of calls may return.
const maxResult = 1 << 30

// maxSpare bounds the texts whose memory is kept for the next calls.
const maxSpare = 1 << 20

// result gathers texts, which go into the vector at the end, in one call of C.
type result struct {
	text    []byte
	offsets []uint32
	// nulls are the elements of lists that are NULL; lists ends each row's list.
	nulls []bool
	lists []listEntry
	// micros are the elements of lists of timestamps.
	micros []int64
}

// listEntry is DuckDB's duckdb_list_entry.
type listEntry struct {
	offset, length uint64
}

func (c *call) isNull(i int) bool    { return !isValid(c.valid[i], c.row) }
func (c *call) int4(i int) int32     { return arg[int32](c, i) }
func (c *call) int8(i int) int64     { return arg[int64](c, i) }
func (c *call) float8(i int) float64 { return arg[float64](c, i) }
func (c *call) boolean(i int) bool   { return arg[bool](c, i) }
func (c *call) interval(i int) span  { return arg[span](c, i) }
func (c *call) setBool(v bool)       { set(c, v) }
func (c *call) setInt2(v int16)      { set(c, v) }
func (c *call) setInt4(v int32)      { set(c, v) }
func (c *call) setInt8(v int64)      { set(c, v) }
func (c *call) setFloat4(v float32)  { set(c, v) }
func (c *call) setFloat8(v float64)  { set(c, v) }
func (c *call) setInterval(v span)   { set(c, v) }
func (c *call) setUUID(v [16]byte)   { set(c, hugeintOfUUID(v)) }
func (c *call) text(i int) string    { b := c.bytes(i); return unsafe.String(unsafe.SliceData(b), len(b)) }
func (c *call) setText(v string)     { c.isSet, c.result.text = true, append(c.result.text, v...) }
func (c *call) setBytes(v []byte)    { c.isSet, c.result.text = true, append(c.result.text, v...) }

// span is DuckDB's interval, laid out as planner.Interval.
type span struct {
	months, days int32
	micros       int64
}

func arg[T any](c *call, i int) T {
	return *(*T)(unsafe.Add(c.data[i], uintptr(c.row)*unsafe.Sizeof(*new(T))))
}

func set[T any](c *call, v T) {
	c.isSet = true
	*(*T)(unsafe.Add(c.out, uintptr(c.row)*unsafe.Sizeof(v))) = v
}

// bytes is the text or blob argument i; it is valid during eval.
func (c *call) bytes(i int) []byte {
	return (*text)(unsafe.Add(c.data[i], uintptr(c.row)*unsafe.Sizeof(text{}))).bytes()
}

// listOf reads the list of texts that is argument i, without its NULLs.
func listOf[T any](c *call, i int, read func(string) T) []T {
	entry := arg[listEntry](c, i)
	out := make([]T, 0, entry.length)
	for j := entry.offset; j < entry.offset+entry.length; j++ {
		if isValid(c.elemValid[i], int(j)) {
			b := (*text)(unsafe.Add(c.elems[i], uintptr(j)*unsafe.Sizeof(text{}))).bytes()
			out = append(out, read(unsafe.String(unsafe.SliceData(b), len(b))))
		}
	}
	return out
}

// list is the list of texts that is argument i; a NULL is nil. It is valid during eval.
func (c *call) list(i int) [][]byte {
	entry := arg[listEntry](c, i)
	out := resized(c.lists[i], int(entry.length))
	c.lists[i] = out
	for j := range out {
		out[j] = nil
		at := int(entry.offset) + j
		if isValid(c.elemValid[i], at) {
			out[j] = (*text)(unsafe.Add(c.elems[i], uintptr(at)*unsafe.Sizeof(text{}))).bytes()
		}
	}
	return out
}

// setList sets the row to a list of texts; a nil element is NULL, an empty one is not.
func (c *call) setList(elems [][]byte) {
	c.isSet = true
	from := len(c.result.nulls)
	for _, e := range elems {
		c.result.text = append(c.result.text, e...)
		c.result.offsets = append(c.result.offsets, uint32(len(c.result.text)))
		c.result.nulls = append(c.result.nulls, e == nil)
	}
	c.result.lists = append(c.result.lists, listEntry{uint64(from), uint64(len(elems))})
}

// setTimestamps sets the row to a list of timestamps.
func (c *call) setTimestamps(elems []int64) {
	c.isSet = true
	c.result.lists = append(c.result.lists, listEntry{uint64(len(c.result.micros)), uint64(len(elems))})
	c.result.micros = append(c.result.micros, elems...)
}

// call runs f over one chunk.
func (f *function) call(info bindings.FunctionInfo, stopped *atomic.Bool, input bindings.DataChunk, output bindings.Vector) {
	// A panic cannot pass through DuckDB's frames; it must not end the process.
	defer func() {
		if r := recover(); r != nil {
			bindings.ScalarFunctionSetError(info, raised(fmt.Errorf("function %s: panic: %v", f.name, r)))
		}
	}()
	rows := int(bindings.DataChunkGetSize(input))
	c := &call{stopped: stopped, args: len(f.args), out: bindings.VectorGetData(output)}
	if spare, ok := f.spare.Get().(*result); ok {
		c.result = *spare
	}
	for i := range f.args {
		v := bindings.DataChunkGetVector(input, bindings.IdxT(i))
		c.data[i] = bindings.VectorGetData(v)
		c.valid[i] = validity(v, rows)
		if f.args[i] == "VARCHAR[]" {
			child := bindings.ListVectorGetChild(v)
			c.elems[i] = bindings.VectorGetData(child)
			c.elemValid[i] = validity(child, int(bindings.ListVectorGetSize(v)))
		}
	}
	nulls := make([]uint64, (rows+63)/64)
	anyNull, err := f.rows(c, rows, nulls)
	if errors.Is(err, errStopped) {
		bindings.ScalarFunctionSetError(info, err.Error())
		return
	}
	if err != nil {
		bindings.ScalarFunctionSetError(info, raised(err))
		return
	}
	if anyNull {
		valid := writableValidity(output, rows)
		for i, word := range nulls {
			valid[i] &^= word
		}
	}
	switch f.returns {
	case "VARCHAR", "BLOB":
		assignStrings(output, 0, rows, c.result.offsets, c.result.text, validity(output, rows))
	case "VARCHAR[]":
		c.result.assignLists(output, rows)
	case "TIMESTAMP[]":
		size := bindings.IdxT(len(c.result.micros))
		// Both only fail for a vector that is no list.
		_ = bindings.ListVectorReserve(output, size)
		_ = bindings.ListVectorSetSize(output, size)
		copy(values[listEntry](output, rows), c.result.lists)
		copy(values[int64](bindings.ListVectorGetChild(output), len(c.result.micros)), c.result.micros)
	}
	if r := c.result; cap(r.text) <= maxSpare {
		r.clear()
		f.spare.Put(&r)
	}
}

// clear empties the result and keeps its memory.
func (r *result) clear() {
	*r = result{r.text[:0], r.offsets[:0], r.nulls[:0], r.lists[:0], r.micros[:0]}
}

// errStopped ends the work for a statement that was stopped; what stopped it has the
// error for the client.
var errStopped = errors.New("stopped")

// rows evaluates every row and notes in nulls which gave none.
func (f *function) rows(c *call, rows int, nulls []uint64) (anyNull bool, err error) {
	texts := f.returns == "VARCHAR" || f.returns == "BLOB"
	c.result.offsets = append(slices.Grow(c.result.offsets, rows+1), 0)
	called := false
	for c.row = range rows {
		wasSet, wasCalled := c.isSet, called
		c.isSet = false
		switch called = f.nulls || !c.hasNull(len(f.args)); {
		case !called:
		case f.repeats && wasCalled && f.sameArgs(c):
			if wasSet {
				f.setAgain(c)
			}
		case c.stopped.Load():
			return false, errStopped
		default:
			if err := f.eval(c); err != nil {
				return false, err
			}
		}
		if !c.isSet {
			anyNull = true
			nulls[c.row>>6] |= 1 << (c.row & 63)
			if strings.HasSuffix(f.returns, "[]") {
				c.result.lists = append(c.result.lists, listEntry{})
			}
		}
		if len(c.result.text) > maxResult {
			return false, tooLarge()
		}
		if texts {
			c.result.offsets = append(c.result.offsets, uint32(len(c.result.text)))
		}
	}
	return anyNull, nil
}

// sameArgs says that the row before has the same arguments.
func (f *function) sameArgs(c *call) bool {
	for i, t := range f.args {
		same := false
		switch t {
		case "BIGINT":
			same = c.int8(i) == argBefore[int64](c, i)
		case "VARCHAR":
			before := argBefore[text](c, i)
			same = bytes.Equal(c.bytes(i), before.bytes())
		case "VARCHAR[]":
			same = c.sameLists(i)
		}
		if !same {
			return false
		}
	}
	return true
}

// argBefore is argument i of the row before.
func argBefore[T any](c *call, i int) T {
	return *(*T)(unsafe.Add(c.data[i], uintptr(c.row-1)*unsafe.Sizeof(*new(T))))
}

// sameLists says that argument i is the list of the row before, without a NULL.
func (c *call) sameLists(i int) bool {
	list, before := arg[listEntry](c, i), argBefore[listEntry](c, i)
	if list.length != before.length {
		return false
	}
	elems := unsafe.Slice((*text)(c.elems[i]), max(list.offset, before.offset)+list.length)
	for j := range list.length {
		at, beforeAt := int(list.offset+j), int(before.offset+j)
		if !isValid(c.elemValid[i], at) || !isValid(c.elemValid[i], beforeAt) || !bytes.Equal(elems[at].bytes(), elems[beforeAt].bytes()) {
			return false
		}
	}
	return true
}

// setAgain sets the row to what the row before was set to.
func (f *function) setAgain(c *call) {
	switch f.returns {
	case "BIGINT":
		set(c, *(*int64)(unsafe.Add(c.out, uintptr(c.row-1)*unsafe.Sizeof(int64(0)))))
	case "VARCHAR":
		o := c.result.offsets
		c.setBytes(c.result.text[o[len(o)-2]:o[len(o)-1]])
	}
}

func (c *call) hasNull(args int) bool {
	for i := range args {
		if c.isNull(i) {
			return true
		}
	}
	return false
}

// assignLists moves the gathered lists into a list vector.
func (r *result) assignLists(output bindings.Vector, rows int) {
	total := bindings.IdxT(len(r.nulls))
	// Both only fail for a vector that is no list.
	_ = bindings.ListVectorReserve(output, total)
	_ = bindings.ListVectorSetSize(output, total)
	copy(values[listEntry](output, rows), r.lists)
	child := bindings.ListVectorGetChild(output)
	var valid []uint64
	for i, null := range r.nulls {
		if !null {
			continue
		}
		if valid == nil {
			valid = writableValidity(child, len(r.nulls))
		}
		valid[i>>6] &^= 1 << (i & 63)
	}
	assignStrings(child, 0, len(r.nulls), r.offsets, r.text, valid)
}

// definitions are functions by their signatures.
type definitions map[string]func(c *call) error

// register makes f known to the instance behind conn, whose connections are those given.
func (f *function) register(conn bindings.Connection, all *connections) error {
	s := bindings.CreateScalarFunction()
	defer bindings.DestroyScalarFunction(&s)
	bindings.ScalarFunctionSetName(s, f.name)
	for _, a := range f.args {
		t := logicalType(a)
		bindings.ScalarFunctionAddParameter(s, t)
		bindings.DestroyLogicalType(&t)
	}
	t := logicalType(f.returns)
	bindings.ScalarFunctionSetReturnType(s, t)
	bindings.DestroyLogicalType(&t)
	bindings.ScalarFunctionSetSpecialHandling(s)
	if f.volatile {
		bindings.ScalarFunctionSetVolatile(s)
	}
	if mayFail(f.name) {
		if err := setFallible(s); err != nil {
			return fmt.Errorf("register function %s: %w", f.name, err)
		}
	}
	if f.eval == nil {
		p := arithmetic(f.name)
		if p == nil {
			return fmt.Errorf("register function %s: not in scalar.c", f.name)
		}
		bindings.ScalarFunctionSetFunction(s, p)
	} else {
		bindings.ScalarFunctionSetExtraInfo(s, keep(&instanceFunction{f, all}), deleteCallback())
		noteConnections(s)
		bindings.ScalarFunctionSetFunction(s, scalarCallback())
	}
	if bindings.RegisterScalarFunction(conn, s) == bindings.StateError {
		return fmt.Errorf("register function %s", f.name)
	}
	return nil
}

// parseFunction reads "name(TYPE, TYPE) TYPE"; a star in front says that the
// function is called with NULLs too, an exclamation mark that it is volatile, an
// equals sign that it repeats.
func parseFunction(signature string, eval func(c *call) error) (*function, error) {
	name, rest, ok := strings.Cut(signature, "(")
	args, returns, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return nil, errors.New("function signature " + signature)
	}
	plain, nulls := strings.CutPrefix(name, "*")
	plain, volatile := strings.CutPrefix(plain, "!")
	plain, repeats := strings.CutPrefix(plain, "=")
	f := &function{name: plain, returns: strings.TrimSpace(returns), nulls: nulls, volatile: volatile, repeats: repeats, eval: eval}
	for a := range strings.SplitSeq(args, ",") {
		if a = strings.TrimSpace(a); a != "" {
			f.args = append(f.args, a)
		}
	}
	for _, t := range append([]string{f.returns}, f.args...) {
		if typeNumber(strings.TrimSuffix(t, "[]")) == bindings.TypeInvalid {
			return nil, fmt.Errorf("function signature %s: type %q", signature, t)
		}
	}
	if len(f.args) > maxArgs {
		return nil, fmt.Errorf("function signature %s: too many arguments", signature)
	}
	return f, nil
}
