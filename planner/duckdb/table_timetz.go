package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// now is the time of the transaction.
const now = "CAST(now() AS TIMESTAMP)"

// addTimeTZ: times with time zone.
func (t *tables) addTimeTZ() {
	each("extract date_part", func(f string) { t.function(sig(f, "text", "timetz"), extractTimeTZ) })
	addDay := "fg_instant_at($1, $2)"
	t.functionTexts(
		"timezone(text, timetz)", "fg_timetz_in_zone($2, $1, "+now+")", "timezone(interval, timetz)", "fg_timetz_in_zone($2, $1)",
		"timestamptz(date, timetz)", addDay,
		"timezone(interval, timestamp)", "fg_instant_at($2, $1)", "timezone(interval, timestamptz)", "fg_local_at($2, $1)",
	)
	t.function("timestamptz(date, time)", func(s *site) printed {
		return s.p.instant(printed{sql: s.fill("(CAST($1 AS TIMESTAMP) + fg_time_interval($2))")}, timestampType)
	})
	t.operatorTexts(
		"+(date, timetz)", addDay, "+(timetz, date)", "fg_instant_at($2, $1)",
		"+(timetz, interval)", "fg_timetz_add($1, fg_interval_field(18, $2))", "+(interval, timetz)", "fg_timetz_add($2, fg_interval_field(18, $1))",
		"-(timetz, interval)", "fg_timetz_add($1, -fg_interval_field(18, $2))",
	)
	t.function("overlaps(timetz, timetz, timetz, timetz)", func(s *site) printed {
		keys := make([]string, len(s.args))
		for i, a := range s.args {
			keys[i] = s.p.key(s.types[i], a)
		}
		return printed{sql: "fg_overlaps(" + strings.Join(keys, ", ") + ")"}
	})
	t.castTexts("timetz->time", "fg_timetz_time($1)", "timestamptz->timetz", "fg_timetz_of($1, $zone)")
	t.cast("time->timetz", func(s *site) printed {
		return printed{sql: "fg_timetz_of(" + s.args[0].sql + ", CAST(" + s.p.local(printed{sql: now}).sql + " AS DATE), " + quoteString(s.p.zone) + ")"}
	})
}

// extractTimeTZ prints EXTRACT and date_part of a time with time zone: the fields of
// the time, and those of its offset (timetz_part_common in date.c).
func extractTimeTZ(s *site) printed {
	name, ok := constantText(s.nodes[0])
	if !ok {
		return s.refuse("%s of a field that is no constant", s.name)
	}
	east := "fg_timetz_east(" + s.args[1].sql + ")"
	switch lower := strings.ToLower(name); lower {
	case "timezone":
		return s.number(east, 0)
	case "timezone_hour", "timezone_h":
		return s.number("CAST(trunc("+east+" / 3600) AS BIGINT)", 0)
	case "timezone_minute", "timezone_m":
		return s.number("CAST(trunc(("+east+" % 3600) / 60) AS BIGINT)", 0)
	case "epoch":
		return s.number("fg_timetz_epoch("+s.args[1].sql+")", 6)
	}
	f, known := fieldNamed(name)
	switch {
	case !known:
		return s.p.fail(errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", strings.ToLower(name), s.types[1].OID))
	case !strings.Contains(f.types, "t"):
		return s.p.fail(errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type %s", strings.ToLower(name), s.types[1].OID))
	}
	return s.fieldNumber(f, fmt.Sprintf("fg_interval_field(%d, fg_time_interval(fg_timetz_time(%s)))", f.number, s.args[1].sql))
}

// roundTimeTZ rounds to a modifier's digits.
func (p *printer) roundTimeTZ(arg printed, t planner.Type) printed {
	return printed{sql: fmt.Sprintf("fg_timetz_round(%s, CAST(%d AS BIGINT))", arg.sql, pow10(6-int(t.Typmod)))}
}

// timeTZConstant prints a literal.
func timeTZConstant(d *postgres.Datum) printed {
	return printed{sql: quoteString(string(postgres.AppendTimeTZ(nil, d.Int, int(d.Zone))))}
}
