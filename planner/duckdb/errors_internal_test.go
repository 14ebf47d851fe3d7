package duckdb

import (
	"errors"
	"testing"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/fieldgate/fieldgate/planner"
)

// Messages are as DuckDB words them.
func TestStatusOfFileErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		class         bindings.ErrorType
		message       string
		code, answers string
	}{
		{
			bindings.ErrorTypeErrorIO, `IO Error: Could not write file "/data/temp/demo/duckdb_temp_storage_DEFAULT-0.tmp": No space left on device`,
			"53100", "could not write a temporary file: no space left on device",
		},
		{
			bindings.ErrorTypeErrorIO, `IO Error: No files found that match the pattern "/data/objects/lake/demo/-/t/0/data-2GZ.parquet"` + "\n\nLINE 1: …",
			"58P01", `could not open file "data-2GZ.parquet": it is missing`,
		},
		{
			bindings.ErrorTypeErrorIO, `IO Error: Cannot open file "/data/objects/lake/demo/-/t/0/data-2GZ.parquet": Permission denied`,
			"58030", `could not read file "data-2GZ.parquet"`,
		},
		{
			bindings.ErrorTypeInvalidInput, `Invalid Input Error: No magic bytes found at end of file '/data/objects/lake/demo/-/t/0/data-2GZ.parquet'`,
			"XX001", `file "data-2GZ.parquet" is damaged`,
		},
		{bindings.ErrorTypeErrorIO, "IO Error: something else", "58030", "could not read or write a file"},
		{bindings.ErrorTypeInvalidInput, "Invalid Input Error: something else", "XX000", internalMessage},
	} {
		cause := &engineError{class: test.class, message: test.message}
		var got *planner.Error
		if err := statusOf(t.Context(), cause); !errors.As(err, &got) || got.Code != test.code || got.Message != test.answers || !errors.Is(err, cause) {
			t.Errorf("%s: %#v", test.message, got)
		}
	}
}
