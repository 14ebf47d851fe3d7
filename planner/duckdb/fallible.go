package duckdb

import (
	"errors"
	"strings"
	"sync"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// infallible are the functions of ours that fail for no value of a row, or only for
// what a statement gives as a constant, such as a pattern. The families of names are
// fg_try_, and those that end in _out.
var infallible = func() map[string]bool { //nolint:gochecknoglobals // a lookup table
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`fg_first fg_line fg_certain fg_moderate fg_round_even
		fg_lower fg_upper fg_initcap fg_left fg_right fg_ltrim fg_rtrim fg_btrim fg_reverse fg_ascii fg_strpos fg_text_length
		fg_strcmp fg_memcmp fg_md5 fg_quote_ident fg_quote_literal fg_replace
		fg_like fg_matches fg_similar fg_regexp_match fg_regexp_matches fg_regexp_replace fg_regexp_substring
		fg_json_typeof fg_json_get fg_json_get_text fg_jsonb_get fg_jsonb_get_text fg_json_path fg_json_path_text fg_json_quote
		fg_jsonb_contains fg_jsonb_has fg_jsonb_has_any fg_jsonb_has_all`) {
		names[name] = true
	}
	return names
}()

func mayFail(name string) bool {
	return !infallible[name] && !strings.HasPrefix(name, "fg_try_") && !strings.HasSuffix(name, "_out")
}

// describedBytes is how much of a function's description setFallible looks at; it is
// longer than that.
const describedBytes = 256

// setFallible tells DuckDB that a function can fail, so that it is called for the rows
// that a statement asks for and no others. What is not known to fail DuckDB calls once
// for each value of a column's dictionary in a file, also for those of rows that WHERE
// or CASE keeps away, and operands of AND are put in another order.
//
// DuckDB's own functions say so, but its C interface has no call for it. In the
// description of a function three bytes follow each other: how stable it is, what it
// does with NULL, and whether it fails. The first two can be set, which tells where the
// third lies; where they are not as expected, as after a change of DuckDB, this fails,
// and TestFailuresOfOtherRows if what the byte means has changed.
func setFallible(s bindings.ScalarFunction) error {
	at, err := fallibleByte()
	if err != nil {
		return err
	}
	described := unsafe.Slice((*byte)(s.Ptr), describedBytes)
	if described[at] > 1 {
		return errLayout
	}
	described[at] = 1
	return nil
}

var errLayout = errors.New("this version of DuckDB describes functions in another way than expected")

// fallibleByte finds the place of that byte, which all functions have in common.
var fallibleByte = sync.OnceValues(func() (int, error) { //nolint:gochecknoglobals // computed once
	s := bindings.CreateScalarFunction()
	defer bindings.DestroyScalarFunction(&s)
	described := unsafe.Slice((*byte)(s.Ptr), describedBytes)
	changed := func(set func(bindings.ScalarFunction)) (at int) {
		before := [describedBytes]byte(described)
		set(s)
		at = -1
		for i, b := range before {
			switch {
			case described[i] == b:
			case at < 0 && b == 0 && described[i] == 1:
				at = i
			default:
				return -1
			}
		}
		return at
	}
	stability, nulls := changed(bindings.ScalarFunctionSetVolatile), changed(bindings.ScalarFunctionSetSpecialHandling)
	if stability < 0 || nulls != stability+1 || nulls+1 >= describedBytes || described[nulls+1] != 0 {
		return 0, errLayout
	}
	return nulls + 1, nil
})
