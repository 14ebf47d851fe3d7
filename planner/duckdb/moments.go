package duckdb

// #include "moments.h"
import "C"

import (
	"fmt"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// registerAggregates makes the aggregates of moments.c and percentile.c known to the
// instance behind conn.
func registerAggregates(conn bindings.Connection) error {
	number, single := logicalType("DOUBLE"), logicalType("FLOAT")
	defer bindings.DestroyLogicalType(&number)
	defer bindings.DestroyLogicalType(&single)
	refused := C.fieldgate_register_moments(conn.Ptr, number.Ptr, single.Ptr)
	if refused == nil {
		refused = C.fieldgate_register_percentiles(conn.Ptr, number.Ptr)
	}
	if refused != nil {
		return fmt.Errorf("register aggregate %s", C.GoString(refused))
	}
	return nil
}
