package duckdb

/*
#cgo CFLAGS: -O3

#include <stdlib.h>

#include "scalar.h"

extern void fieldgateScalar(void *info, void *input, void *output);
extern void fieldgateBind(void *info);
extern void fieldgateInit(void *info);
extern void fieldgateRows(void *info, void *output);
extern void fieldgateDelete(void *handle);
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// DuckDB calls the exported functions from its own threads. Where it keeps a
// pointer for us, that is C memory with a cgo.Handle in it.

func scalarCallback() unsafe.Pointer { return C.fieldgateScalar }
func bindCallback() unsafe.Pointer   { return C.fieldgateBind }
func initCallback() unsafe.Pointer   { return C.fieldgateInit }
func rowsCallback() unsafe.Pointer   { return C.fieldgateRows }
func deleteCallback() unsafe.Pointer { return C.fieldgateDelete }

// keep makes a pointer that DuckDB can hold; it is given back by deleteCallback.
func keep(v any) unsafe.Pointer {
	p := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(p) = cgo.NewHandle(v)
	return p
}

func kept[T any](p unsafe.Pointer) T { return (*cgo.Handle)(p).Value().(T) }

//export fieldgateDelete
func fieldgateDelete(p unsafe.Pointer) {
	(*cgo.Handle)(p).Delete()
	C.free(p)
}

//export fieldgateScalar
func fieldgateScalar(info, input, output unsafe.Pointer) {
	i := bindings.FunctionInfo{Ptr: info}
	f := kept[*instanceFunction](bindings.ScalarFunctionGetExtraInfo(i))
	stopped := f.connections.stopped(uint64(C.fieldgate_connection(info)))
	f.call(i, stopped, bindings.DataChunk{Ptr: input}, bindings.Vector{Ptr: output})
}

//export fieldgateBind
func fieldgateBind(info unsafe.Pointer) { bindRows(bindings.BindInfo{Ptr: info}) }

//export fieldgateInit
func fieldgateInit(info unsafe.Pointer) { initRows(bindings.InitInfo{Ptr: info}) }

//export fieldgateRows
func fieldgateRows(info, output unsafe.Pointer) {
	nextRows(bindings.FunctionInfo{Ptr: info}, bindings.DataChunk{Ptr: output})
}

// noteConnections has the calls of f know the connection of their statement.
func noteConnections(f bindings.ScalarFunction) { C.fieldgate_note_connections(f.Ptr) }

// arithmetic finds a function of scalar.c; nil: there is none of the name.
func arithmetic(name string) unsafe.Pointer {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return unsafe.Pointer(C.fieldgate_arithmetic(c))
}

// lineSteps are the steps of a linear conversion, 0 after the last.
type lineSteps struct {
	ops       [C.FIELDGATE_STEPS]int32
	constants [C.FIELDGATE_STEPS]float64
}

// number is that by which fg_line knows the conversion; false: it knows too many.
func (l *lineSteps) number() (int, bool) {
	n := int(C.fieldgate_line((*C.int32_t)(&l.ops[0]), (*C.double)(&l.constants[0])))
	return n, n >= 0
}

// assignStrings sets count strings of a vector from row from on: string i is
// text[offsets[i]:offsets[i+1]]. Those whose bit in valid is not set are left
// out; a nil valid sets all.
func assignStrings(vector bindings.Vector, from, count int, offsets []uint32, text []byte, valid []uint64) {
	if count == 0 {
		return
	}
	C.fieldgate_assign_strings(vector.Ptr, C.uint64_t(from), C.uint64_t(count),
		(*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(offsets))),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(text))),
		(*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(valid))))
}

// assignChosen does so with some strings of offsets and text.
func assignChosen(vector bindings.Vector, from int, rows, offsets []uint32, text []byte) {
	C.fieldgate_assign_chosen(vector.Ptr, C.uint64_t(from), C.uint64_t(len(rows)),
		(*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(rows))),
		(*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(offsets))),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(text))))
}

// repeatString sets count strings of a vector, one at least, to one text.
func repeatString(vector bindings.Vector, from, count int, text []byte) {
	C.fieldgate_repeat_string(vector.Ptr, C.uint64_t(from), C.uint64_t(count),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(text))), C.uint64_t(len(text)))
}
