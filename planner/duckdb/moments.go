package duckdb

// #include "moments.h"
import "C"

import (
	"fmt"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// registerMoments makes the aggregates of moments.c known to the instance behind
// conn.
func registerMoments(conn bindings.Connection) error {
	number, single := logicalType("DOUBLE"), logicalType("FLOAT")
	defer bindings.DestroyLogicalType(&number)
	defer bindings.DestroyLogicalType(&single)
	if refused := C.fieldgate_register_moments(conn.Ptr, number.Ptr, single.Ptr); refused != nil {
		return fmt.Errorf("register aggregate %s", C.GoString(refused))
	}
	return nil
}
