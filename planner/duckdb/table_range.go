package duckdb

import (
	"fmt"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// typed is argument i, a set, behind its type.
func (s *site) typed(i int) string { return fmt.Sprintf("%d, %s", s.types[i].OID, s.args[i].sql) }

// kept is argument i as it prints when nothing is set.
func (s *site) kept(i int) string {
	return s.p.standard(func() string { return s.output(i) })
}

// rangeCall prints a function of all arguments, each behind its type, in an order.
func rangeCall(function string, order ...int) entry {
	return func(s *site) printed {
		text := ""
		for n, i := range order {
			if n > 0 {
				text += ", "
			}
			text += s.typed(i)
		}
		return printed{sql: function + "(" + text + ")"}
	}
}

// addRanges: ranges and multiranges.
func (t *tables) addRanges() {
	sets := []string{"anyrange", "anymultirange"}
	for _, a := range sets {
		for _, b := range sets {
			for operator, e := range map[string]entry{
				"@>": rangeCall("fg_range_contains", 0, 1), "<@": rangeCall("fg_range_contains", 1, 0), "&&": rangeCall("fg_range_overlaps", 0, 1),
				"<<": rangeCall("fg_range_before", 0, 1), ">>": rangeCall("fg_range_before", 1, 0), "-|-": rangeCall("fg_range_adjacent", 0, 1),
				"&<": rangeCall("fg_range_ends_by", 0, 1), "&>": rangeCall("fg_range_begins_from", 0, 1),
			} {
				t.operator(sig(operator, a, b), e)
			}
		}
		has := func(set, value int) entry {
			return func(s *site) printed {
				return printed{sql: "fg_range_has(" + s.typed(set) + ", " + s.kept(value) + ")"}
			}
		}
		t.operator(sig("@>", a, "anyelement"), has(0, 1))
		t.operator(sig("<@", "anyelement", a), has(1, 0))
		t.operator(sig("+", a, a), rangeCall("fg_range_union", 0, 1))
		t.operator(sig("-", a, a), rangeCall("fg_range_minus", 0, 1))
		t.operator(sig("*", a, a), rangeCall("fg_range_intersect", 0, 1))
		for function, ours := range map[string]string{
			"isempty": "is_empty", "lower_inc": "lower_inc", "upper_inc": "upper_inc", "lower_inf": "lower_inf", "upper_inf": "upper_inf",
		} {
			t.function(sig(function, a), rangeCall("fg_range_"+ours, 0))
		}
		each("lower upper", func(f string) {
			t.function(sig(f, a), func(s *site) printed { return s.p.keptValue(s.ret, "fg_range_"+f+"("+s.typed(0)+")") })
		})
		t.function(sig("range_agg", a), func(s *site) printed {
			return printed{sql: fmt.Sprintf("fg_range_list(%d, %s, %d)", s.ret.OID, s.texts(), s.types[0].OID)}
		})
		t.function(sig("range_intersect_agg", a), func(s *site) printed {
			return printed{sql: fmt.Sprintf("fg_range_intersect_list(%d, %s)", s.ret.OID, s.texts())}
		})
	}
	t.function("range_cmp(anyrange, anyrange)", rangeCall("fg_range_compare", 0, 1))
	t.function("multirange_cmp(anymultirange, anymultirange)", rangeCall("fg_range_compare", 0, 1))
	as := func(s *site) printed { return printed{sql: fmt.Sprintf("fg_range_as(%s, %d)", s.typed(0), s.ret.OID)} }
	t.function("range_merge(anyrange, anyrange)", rangeCall("fg_range_merge", 0, 1))
	t.function("range_merge(anymultirange)", as)
	t.function("multirange(anyrange)", as)
	t.function("unnest(anymultirange)", func(s *site) printed {
		return printed{sql: fmt.Sprintf("fg_range_each(%s, %d)", s.typed(0), s.ret.OID)}
	})
	for _, r := range postgres.Ranges() {
		t.addRange(r)
	}
}

// addRange: what each range type and its multirange type have of their own.
func (t *tables) addRange(r postgres.Range) {
	name := func(oid postgres.OID) string {
		typ, _ := postgres.TypeByOID(oid) // the catalog's own
		return typ.Name
	}
	single, multi, value := name(r.Type), name(r.Multirange), name(r.Subtype)
	made := func(s *site) printed {
		flags := "'[)'"
		if len(s.args) > 2 {
			flags = s.args[2].sql
		}
		return printed{sql: fmt.Sprintf("fg_range_make(%d, %s, %s, %s)", r.Type, s.kept(0), s.kept(1), flags)}
	}
	t.function(sig(single, value, value), made)
	t.function(sig(single, value, value, "text"), made)
	t.function(multi+"()", func(*site) printed { return printed{sql: "'{}'"} })
	as := func(s *site) printed {
		return printed{sql: fmt.Sprintf("fg_range_as(%s, %d)", s.typed(0), r.Multirange)}
	}
	t.function(sig(multi, single), as)
	t.function(sig(multi, single+"[]"), func(s *site) printed {
		list := "[" + join(s.args) + "]"
		if s.variadic || len(s.types) == 1 && s.types[0].OID == postgres.ArrayOf(r.Type) {
			list = s.args[0].sql
		}
		return printed{sql: fmt.Sprintf("fg_range_list(%d, %s, %d)", r.Multirange, list, r.Type)}
	})
	t.cast(single+"->"+multi, as)
	for oid, typ := range map[postgres.OID]string{r.Type: single, r.Multirange: multi} {
		each("text varchar bpchar", func(str string) {
			t.cast(typ+"->"+str, func(s *site) printed {
				return printed{sql: fmt.Sprintf("fg_range_out(%d, %s, %s, %s)", oid, s.args[0].sql, quoteString(s.p.zone), quoteString(s.p.styleText()))}
			})
			t.cast(str+"->"+typ, func(s *site) printed {
				read := fmt.Sprintf("fg_range_in(%d, %s, %s, %s)", oid, s.args[0].sql, quoteString(s.p.zone), quoteString(s.p.styleText()))
				if s.try {
					read = "TRY(" + read + ")"
				}
				return printed{sql: read}
			})
		})
	}
}

// styleText is the style, the default one written out too.
func (p *printer) styleText() string {
	if p.style == "" {
		return defaultStyle
	}
	return p.style
}
