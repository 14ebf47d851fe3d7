package duckdb

import (
	"fmt"

	"github.com/fieldgate/fieldgate/planner"
)

// addBits: bit strings.
func (t *tables) addBits() {
	t.operatorTexts("~(bit)", "fg_bit_not($1)", "<<(bit, int4)", "fg_bit_shift($1, $2)", ">>(bit, int4)", "fg_bit_shift($1, -CAST($2 AS BIGINT))",
		"||(varbit, varbit)", "($1 || $2)", "&(bit, bit)", "fg_bit_and($1, $2)", "|(bit, bit)", "fg_bit_or($1, $2)", "#(bit, bit)", "fg_bit_xor($1, $2)")
	t.functionTexts(
		"length(bit)", "CAST(strlen($1) AS INTEGER)", "bit_length(bit)", "CAST(strlen($1) AS INTEGER)", "octet_length(bit)", "CAST((strlen($1) + 7) // 8 AS INTEGER)",
		"bit_count(bit)", "fg_bit_count($1)", "get_bit(bit, int4)", "fg_bit_get($1, $2)", "set_bit(bit, int4, int4)", "fg_bit_set($1, $2, $3)",
		"substring(bit, int4)", "fg_bit_substring($1, $2)", "substring(bit, int4, int4)", "fg_bit_substring($1, $2, $3)",
		"overlay(bit, bit, int4)", "fg_bit_overlay($1, $2, $3, strlen($2))", "overlay(bit, bit, int4, int4)", "fg_bit_overlay($1, $2, $3, $4)",
		"position(bit, bit)", "fg_bit_position($1, $2)",
	)
	each("and or xor", func(f string) {
		t.function(sig("bit_"+f, "bit"), func(s *site) printed { return printed{sql: "fg_bit_" + f + "_list(" + s.texts() + ")"} })
	})
	t.castTexts("bit->int4", "fg_bit_int4($1) | TRY(fg_bit_int4($1))", "bit->int8", "fg_bit_int8($1) | TRY(fg_bit_int8($1))")
}

// bitsOfIntSQL prints an integer as bit(n); without n one bit.
func bitsOfIntSQL(arg printed, to planner.Type) printed {
	return printed{sql: fmt.Sprintf("fg_bit_of_int(%s, %d)", arg.sql, max(to.Typmod, 1))}
}
