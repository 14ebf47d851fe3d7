package duckdb

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/sources"
)

// rowsFunction is the table function that reads rows out of Go memory: its
// argument is the number under which the statement has put a rowSource.
const rowsFunction = "fg_rows"

// rowSource is rows in Go memory as a table of DuckDB. It is read by several
// threads at once.
type rowSource interface {
	columns() []sourceColumn
	// rows counts all rows, pieces the runs of at most vectorSize rows in which
	// they are read.
	rows() int
	pieces() int
	// threads is how many may read at once.
	threads() int
	// fill puts one column of a piece into a vector and returns the piece's rows.
	// Column -1 only counts them.
	fill(piece, column int, into bindings.Vector) int
}

// sourceColumn is a column of a rowSource; kind is DuckDB's name of the type.
type sourceColumn struct {
	name, kind string
}

// registry has by number what running statements read in Go: rows, and functions
// that look into the catalog. The numbers are their connections'.
type registry struct {
	mu      sync.Mutex
	sources map[int64]rowSource
	lookup  map[int64]sources.CatalogFunction
}

func newRegistry() *registry {
	return &registry{sources: map[int64]rowSource{}, lookup: map[int64]sources.CatalogFunction{}}
}

func (r *registry) add(n int64, s rowSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources[n] = s
}

func (r *registry) addLookup(n int64, f sources.CatalogFunction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookup[n] = f
}

func (r *registry) findLookup(n int64) sources.CatalogFunction {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lookup[n]
}

func (r *registry) remove(numbers []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range numbers {
		delete(r.sources, n)
		delete(r.lookup, n)
	}
}

func (r *registry) find(n int64) rowSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sources[n]
}

// binding is a row source as a statement was prepared over it. When the statement
// runs again, another source of the same columns may have its number.
type binding struct {
	registry *registry
	number   int64
	columns  []sourceColumn
}

// reading is one scan of a rowSource, shared by the threads that scan it.
type reading struct {
	source rowSource
	// wanted are the columns of the source by the columns of the output.
	wanted []int
	next   atomic.Int64
}

// register makes the table function known to the instance behind conn.
func (r *registry) register(conn bindings.Connection) error {
	f := bindings.CreateTableFunction()
	defer bindings.DestroyTableFunction(&f)
	bindings.TableFunctionSetName(f, rowsFunction)
	t := bindings.CreateLogicalType(bindings.TypeBigInt)
	bindings.TableFunctionAddParameter(f, t)
	bindings.DestroyLogicalType(&t)
	bindings.TableFunctionSetExtraInfo(f, keep(r), deleteCallback())
	bindings.TableFunctionSetBind(f, bindCallback())
	bindings.TableFunctionSetInit(f, initCallback())
	bindings.TableFunctionSetFunction(f, rowsCallback())
	bindings.TableFunctionSupportsProjectionPushdown(f, true)
	if bindings.RegisterTableFunction(conn, f) == bindings.StateError {
		return fmt.Errorf("register table function %s", rowsFunction)
	}
	return nil
}

func bindRows(info bindings.BindInfo) {
	r := kept[*registry](bindings.BindGetExtraInfo(info))
	v := bindings.BindGetParameter(info, 0)
	n := bindings.GetInt64(v)
	bindings.DestroyValue(&v)
	s := r.find(n)
	if s == nil {
		bindings.BindSetError(info, fmt.Sprintf("no row source %d", n))
		return
	}
	for _, c := range s.columns() {
		t := logicalType(c.kind)
		bindings.BindAddResultColumn(info, c.name, t)
		bindings.DestroyLogicalType(&t)
	}
	// It is no bound: prepared again, the statement may read more rows.
	bindings.BindSetCardinality(info, bindings.IdxT(s.rows()), false)
	bindings.BindSetBindData(info, keep(&binding{r, n, s.columns()}), deleteCallback())
}

func initRows(info bindings.InitInfo) {
	b := kept[*binding](bindings.InitGetBindData(info))
	s := b.registry.find(b.number)
	if s == nil || !slices.Equal(s.columns(), b.columns) {
		bindings.InitSetError(info, fmt.Sprintf("row source %d is another one", b.number))
		return
	}
	scan := &reading{source: s}
	for i := range bindings.InitGetColumnCount(info) {
		column := int(bindings.InitGetColumnIndex(info, i))
		if column >= len(s.columns()) {
			column = -1 // the row id, which a bare count(*) asks for
		}
		scan.wanted = append(scan.wanted, column)
	}
	bindings.InitSetMaxThreads(info, bindings.IdxT(s.threads()))
	bindings.InitSetInitData(info, keep(scan), deleteCallback())
}

func nextRows(info bindings.FunctionInfo, output bindings.DataChunk) {
	defer func() {
		if r := recover(); r != nil {
			bindings.FunctionSetError(info, raised(fmt.Errorf("row source: panic: %v", r)))
		}
	}()
	scan := kept[*reading](bindings.FunctionGetInitData(info))
	piece := int(scan.next.Add(1)) - 1
	if piece >= scan.source.pieces() {
		bindings.DataChunkSetSize(output, 0)
		return
	}
	n := scan.source.fill(piece, -1, bindings.Vector{})
	for i, column := range scan.wanted {
		if column >= 0 {
			scan.source.fill(piece, column, bindings.DataChunkGetVector(output, bindings.IdxT(i)))
		}
	}
	bindings.DataChunkSetSize(output, bindings.IdxT(n))
}
