package duckdb

import (
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

const comparisons = "= <> < <= > >="

// addComparisons: values compare in DuckDB as in PostgreSQL, but for those that
// have a key. NaN equals itself and is the greatest float in both.
func (t *tables) addComparisons() {
	compare := func(s *site) printed {
		l, r := s.p.sides(s.types[0], s.moment(0), s.types[1], s.moment(1))
		return printed{sql: "(" + l + " " + s.name + " " + r + ")"}
	}
	each(comparisons, func(o string) {
		each("bool char int2 int4 int8 float4 float8 numeric text name bpchar bytea date time timetz timestamp timestamptz interval uuid oid inet macaddr macaddr8 bit varbit jsonb anyrange anymultirange",
			func(typ string) { t.operator(sig(o, typ, typ), compare) })
		t.arrayOperator(sig(o, "anyarray", "anyarray"), compare)
		eachPair("int2 int4 int8", func(a, b string) {
			if a != b {
				t.operator(sig(o, a, b), compare)
			}
		})
		for _, pair := range [][2]string{{"float4", "float8"}, {"date", "timestamp"}, {"date", "timestamptz"}, {"timestamp", "timestamptz"}, {"name", "text"}} {
			t.operator(sig(o, pair[0], pair[1]), compare)
			t.operator(sig(o, pair[1], pair[0]), compare)
		}
	})
	// Without a collation text compares by its bytes anyway.
	for pattern, plain := range map[string]string{"~<~": "<", "~<=~": "<=", "~>~": ">", "~>=~": ">="} {
		each("text bpchar", func(typ string) {
			t.operator(sig(pattern, typ, typ), func(s *site) printed {
				l, r := s.p.sides(s.types[0], s.args[0], s.types[1], s.args[1])
				return printed{sql: "(" + l + " " + plain + " " + r + ")"}
			})
		})
	}
	for suffix, than := range map[string]string{"larger": ">", "smaller": "<"} {
		for prefix, typ := range map[string]string{
			"int2": "int2", "int4": "int4", "int8": "int8", "float4": "float4", "float8": "float8", "oid": "oid", "text_": "text", "bpchar_": "bpchar",
			"date_": "date", "time_": "time", "timetz_": "timetz", "timestamp_": "timestamp", "timestamptz_": "timestamptz", "interval_": "interval",
			"network_": "inet",
		} {
			than := than
			if typ == "bpchar" {
				than += "=" // of equal ones the first
			}
			t.function(sig(prefix+suffix, typ, typ), func(s *site) printed {
				l, r := s.p.sides(s.types[0], s.args[0], s.types[1], s.args[1])
				return printed{sql: "(CASE WHEN " + l + " " + than + " " + r + " THEN " + s.args[0].sql + " WHEN NOT (" + l + " " + than + " " + r + ") THEN " + s.args[1].sql + " END)"}
			})
		}
	}
	each("= <>", func(o string) {
		t.operator(sig(o, "xid", "int4"), compare)
		each("xid tsvector tsquery", func(typ string) { t.operator(sig(o, typ, typ), compare) })
	})
}

// moment is argument i; a date that is compared with a timestamp may be later than
// all of those.
func (s *site) moment(i int) printed {
	if s.types[i].OID != postgres.DateOID || s.types[1-i].OID == postgres.DateOID {
		return s.args[i]
	}
	d := s.args[i].sql
	return printed{sql: "coalesce(TRY_CAST(" + d + " AS TIMESTAMP), CASE WHEN " + d + " IS NOT NULL THEN CAST('infinity' AS TIMESTAMP) END)"}
}

// sameZone brings a timestamp with zone and one without to instants.
func (p *printer) sameZone(l, r printed, lt, rt planner.Type) (left, right printed) {
	instant := func(t planner.Type) bool { return t.OID == postgres.TimestampTZOID }
	switch {
	case instant(lt) && !instant(rt) && isLocalTime(rt):
		r = p.instant(r, rt)
	case instant(rt) && !instant(lt) && isLocalTime(lt):
		l = p.instant(l, lt)
	}
	return l, r
}

func isLocalTime(t planner.Type) bool {
	return t.OID == postgres.TimestampOID || t.OID == postgres.DateOID
}

// instant takes a date or timestamp as local time of the session's zone.
func (p *printer) instant(e printed, t planner.Type) printed {
	if t.OID == postgres.DateOID {
		e = printed{sql: "CAST(" + e.sql + " AS TIMESTAMP)"}
	}
	if p.utc() {
		return e
	}
	return printed{sql: "fg_instant(" + e.sql + ", " + quoteString(p.zone) + ")"}
}

// local is an instant as local time of the session's zone.
func (p *printer) local(e printed) printed {
	if p.utc() {
		return e
	}
	return printed{sql: "fg_local(" + e.sql + ", " + quoteString(p.zone) + ")"}
}
