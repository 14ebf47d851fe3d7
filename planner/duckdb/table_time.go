package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// addTimes: dates and times. A timestamptz is an instant, and UTC; where the
// session's zone matters and is another, it is turned into local time and back.
func (t *tables) addTimes() {
	t.function("date_trunc(text, timestamp)", truncateIn(""))
	t.function("date_trunc(text, timestamptz)", truncateIn("$zone"))
	t.function("date_trunc(text, timestamptz, text)", truncateIn("$3"))
	for _, f := range []string{"extract", "date_part"} {
		each("date time timestamp timestamptz interval", func(typ string) { t.function(sig(f, "text", typ), extract) })
	}
	t.functionTexts(
		"make_date(int4, int4, int4)", "fg_make_date($1, $2, $3)", "make_time(int4, int4, float8)", "fg_make_time($1, $2, $3)",
		"make_timestamp(int4, int4, int4, int4, int4, float8)", "fg_make_timestamp($1, $2, $3, $4, $5, $6)",
		"make_timestamptz(int4, int4, int4, int4, int4, float8, text)", "fg_instant_given(fg_make_timestamp($1, $2, $3, $4, $5, $6), $7)",
		"to_timestamp(float8)", "fg_to_timestamp($1)",
		"date_bin(interval, timestamp, timestamp)", "fg_date_bin($1, $2, $3)", "date_bin(interval, timestamptz, timestamptz)", "fg_date_bin($1, $2, $3)",
		"isfinite(date)", "isfinite($1)", "isfinite(timestamp)", "isfinite($1)", "isfinite(timestamptz)", "isfinite($1)",
		"isfinite(interval)", "($1 = $1)",
		"age(timestamp, timestamp)", "fg_age($1, $2)",
		"timezone(text, timestamp)", "fg_instant_of($2, $1)", "timezone(text, timestamptz)", "fg_local_of($2, $1)",
	)
	t.function("make_timestamptz(int4, int4, int4, int4, int4, float8)", func(s *site) printed {
		return s.p.instant(printed{sql: s.fill("fg_make_timestamp($1, $2, $3, $4, $5, $6)")}, timestampType)
	})
	t.function("age(timestamptz, timestamptz)", func(s *site) printed {
		return printed{sql: "fg_age(" + s.p.local(s.args[0]).sql + ", " + s.p.local(s.args[1]).sql + ")"}
	})
	today := func(p *printer) string {
		return "date_trunc('day', " + p.local(printed{sql: "CAST(now() AS TIMESTAMP)"}).sql + ")"
	}
	t.function("age(timestamp)", func(s *site) printed { return printed{sql: "fg_age(" + today(s.p) + ", " + s.args[0].sql + ")"} })
	t.function("age(timestamptz)", func(s *site) printed {
		return printed{sql: "fg_age(" + today(s.p) + ", " + s.p.local(s.args[0]).sql + ")"}
	})
	for _, typ := range []string{"timestamp", "timestamptz", "time"} {
		for _, ends := range []string{"11", "01", "10", "00"} {
			t.overlaps(typ, ends[0] == '1', ends[1] == '1')
		}
	}
	t.operatorTexts(
		"+(timestamp, interval)", "fg_add($1, $2)", "+(interval, timestamp)", "fg_add($2, $1)", "-(timestamp, interval)", "fg_add($1, -$2)",
		"-(timestamp, timestamp)", "fg_difference($1, $2)", "-(timestamptz, timestamptz)", "fg_difference($1, $2)",
		"+(date, int4)", "fg_date_add($1, $2)", "+(int4, date)", "fg_date_add($2, $1)", "-(date, int4)", "fg_date_add($1, -$2)",
		"-(date, date)", "fg_date_difference($1, $2)",
		"+(date, interval)", "fg_add(CAST($1 AS TIMESTAMP), $2)", "-(date, interval)", "fg_add(CAST($1 AS TIMESTAMP), -$2)",
		"+(interval, date)", "fg_add(CAST($2 AS TIMESTAMP), $1)",
		"+(date, time)", "(CAST($1 AS TIMESTAMP) + fg_time_interval($2))", "+(time, date)", "(CAST($2 AS TIMESTAMP) + fg_time_interval($1))",
		"+(time, interval)", "fg_time_add($1, fg_interval_field(18, $2))", "-(time, interval)", "fg_time_add($1, -fg_interval_field(18, $2))",
		"+(interval, time)", "fg_time_add($2, fg_interval_field(18, $1))", "-(time, time)", "fg_time_difference($1, $2)",
	)
	t.operator("+(timestamptz, interval)", addTo(0, 1, ""))
	t.operator("+(interval, timestamptz)", addTo(1, 0, ""))
	t.operator("-(timestamptz, interval)", addTo(0, 1, "-"))
}

// overlaps adds OVERLAPS of a type for two ranges, each of which has an end or a
// length.
func (t *tables) overlaps(typ string, firstEnd, secondEnd bool) {
	second := func(end bool) string {
		if end {
			return typ
		}
		return "interval"
	}
	t.function(sig("overlaps", typ, second(firstEnd), typ, second(secondEnd)), func(s *site) printed {
		end := func(i int, given bool) string {
			switch {
			case given:
				return s.args[i].sql
			case typ == "time":
				return "fg_time_add(" + s.args[i-1].sql + ", fg_interval_field(18, " + s.args[i].sql + "))"
			case typ == "timestamp":
				return "fg_add(" + s.args[i-1].sql + ", " + s.args[i].sql + ")"
			}
			return addTo(i-1, i, "")(s).sql
		}
		return printed{sql: "fg_overlaps(" + s.args[0].sql + ", " + end(1, firstEnd) + ", " + s.args[2].sql + ", " + end(3, secondEnd) + ")"}
	})
}

var timestampType = planner.Type{OID: postgres.TimestampOID, Typmod: -1} //nolint:gochecknoglobals // a constant

// addIntervals: intervals by themselves.
func (t *tables) addIntervals() {
	t.operatorTexts(
		"+(interval, interval)", "($1 + $2)", "-(interval, interval)", "($1 - $2)", "-(interval)", "(-$1)",
		"*(interval, float8)", "fg_interval_mul($1, $2)", "*(float8, interval)", "fg_interval_mul($2, $1)", "/(interval, float8)", "fg_interval_div($1, $2)",
	)
	t.functionTexts(
		"date_trunc(text, interval)", "fg_interval_trunc($1, $2)",
		"justify_hours(interval)", "fg_justify_hours($1)", "justify_days(interval)", "fg_justify_days($1)",
		"justify_interval(interval)", "fg_justify_interval($1)",
		"make_interval(int4, int4, int4, int4, int4, int4, float8)", "fg_make_interval($1, $2, $3, $4, $5, $6, $7)",
	)
}

// plainUnits are those that DuckDB truncates a timestamp to as PostgreSQL does.
const plainUnits = " microseconds milliseconds second minute hour day week month quarter year "

// truncateIn is date_trunc in a zone: the session's ($zone), one given ($3), or
// none.
func truncateIn(zone string) entry {
	return func(s *site) printed {
		unit, constant := constantText(s.nodes[0])
		if constant {
			typ := "timestamp without time zone"
			if zone != "" {
				typ = "timestamp with time zone"
			}
			if _, err := truncate(unit, 0, typ); err != nil {
				return s.p.fail(err)
			}
		}
		if zone == "" || zone == "$zone" && s.p.utc() {
			if lower := strings.ToLower(unit); constant && strings.Contains(plainUnits, " "+lower+" ") {
				return printed{sql: "date_trunc(" + quoteString(lower) + ", " + s.args[1].sql + ")"}
			}
			return printed{sql: s.fill("fg_date_trunc($1, $2)")}
		}
		return printed{sql: s.fill("fg_date_trunc($1, $2, " + zone + ")")}
	}
}

// addTo adds an interval to an instant.
func addTo(instant, interval int, sign string) entry {
	return func(s *site) printed {
		args := s.args[instant].sql + ", " + sign + s.args[interval].sql
		if !s.p.utc() {
			args += ", " + quoteString(s.p.zone)
		}
		return printed{sql: "fg_add(" + args + ")"}
	}
}

// The numbers of fields in scalar.c.
const (
	fieldYear = iota
	fieldMonth
	fieldDay
	fieldHour
	fieldMinute
	fieldSecond
	fieldDOW
	fieldISODOW
	fieldDOY
	fieldWeek
	fieldISOYear
	fieldQuarter
	fieldDecade
	fieldCentury
	fieldMillennium
	fieldEpoch
	fieldJulian
	fieldMonths
	fieldTime
)

// extractField is one field of EXTRACT: its number, how many digits of its
// microseconds are fraction, and the types that have it: d(ate), t(ime), s for
// timestamp, i(nterval).
type extractField struct {
	number, scale int
	types         string
}

func fieldNamed(name string) (f extractField, ok bool) {
	switch strings.ToLower(name) {
	case "year", "years", "y", "yr", "yrs":
		return extractField{fieldYear, 0, "dsi"}, true
	case "month", "months", "mon", "mons":
		return extractField{fieldMonth, 0, "dsi"}, true
	case "day", "days", "d":
		return extractField{fieldDay, 0, "dsi"}, true
	case "hour", "hours", "hr", "hrs", "h":
		return extractField{fieldHour, 0, "tsi"}, true
	case "minute", "minutes", "min", "mins", "m":
		return extractField{fieldMinute, 0, "tsi"}, true
	case "second", "seconds", "sec", "secs", "s":
		return extractField{fieldSecond, 6, "tsi"}, true
	case "milliseconds", "millisecond", "ms", "msec", "msecs":
		return extractField{fieldSecond, 3, "tsi"}, true
	case "microseconds", "microsecond", "us", "usec", "usecs":
		return extractField{fieldSecond, 0, "tsi"}, true
	case "dow":
		return extractField{fieldDOW, 0, "ds"}, true
	case "isodow":
		return extractField{fieldISODOW, 0, "ds"}, true
	case "doy":
		return extractField{fieldDOY, 0, "ds"}, true
	case "week", "weeks", "w":
		return extractField{fieldWeek, 0, "ds"}, true
	case "isoyear":
		return extractField{fieldISOYear, 0, "ds"}, true
	case "quarter", "qtr":
		return extractField{fieldQuarter, 0, "dsi"}, true
	case "decade", "decades", "dec", "decs":
		return extractField{fieldDecade, 0, "dsi"}, true
	case "century", "centuries", "c", "cent":
		return extractField{fieldCentury, 0, "dsi"}, true
	case "millennium", "millennia", "mil", "mils":
		return extractField{fieldMillennium, 0, "dsi"}, true
	case "epoch":
		return extractField{fieldEpoch, 6, "dtsi"}, true
	case "julian":
		return extractField{fieldJulian, 0, "d"}, true
	}
	return f, false
}

// extract prints EXTRACT (numeric) and date_part (float8).
func extract(s *site) printed {
	if typ := s.types[1].OID; s.name == "date_part" && typ == postgres.DateOID {
		// PostgreSQL has no date_part of a date but that of the timestamp.
		s.types[1] = planner.Type{OID: postgres.TimestampOID, Typmod: -1}
		s.args[1].sql = "CAST(" + s.args[1].sql + " AS TIMESTAMP)"
	}
	name, ok := constantText(s.nodes[0])
	if !ok {
		return s.partOfRow()
	}
	typ := s.types[1].OID
	f, known := fieldNamed(name)
	letter := fieldOwner(typ)
	lower := strings.ToLower(name)
	zoneField := strings.HasPrefix(lower, "timezone")
	switch {
	case typ == postgres.TimestampTZOID && zoneField:
		return s.zoneField(lower)
	case lower == "julian" && letter == "s":
		return s.julian()
	case known && strings.Contains(f.types, letter):
	case known || zoneField:
		return s.failing(s.args[1], pgerrcode.FeatureNotSupported, "unit %q not supported for type %s", lower, typ)
	default:
		return s.failing(s.args[1], pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", lower, typ)
	}
	arg, function := s.args[1], "fg_timestamp_field"
	switch typ {
	case postgres.DateOID:
		arg.sql = "CAST(" + arg.sql + " AS TIMESTAMP)"
		if f.number == fieldEpoch && s.name == "extract" {
			// Of a date the epoch is whole.
			number := printed{fmt.Sprintf("CAST(fg_timestamp_field(%d, %s) // 1000000 AS DECIMAL(%d,0))", f.number, arg.sql, decimalWidth), 0}
			return s.infiniteField(arg.sql, number)
		}
	case postgres.TimeOID:
		arg.sql, function = "fg_time_interval("+arg.sql+")", "fg_interval_field"
	case postgres.TimestampTZOID:
		if f.number != fieldEpoch {
			arg = s.p.local(arg)
		}
	case postgres.IntervalOID:
		if f.number == fieldEpoch && s.ret.OID == postgres.Float8OID {
			return printed{sql: intervalEpoch(arg.sql)}
		}
		function = "fg_interval_field"
	}
	number := s.fieldNumber(f, fmt.Sprintf("%s(%d, %s)", function, f.number, arg.sql))
	switch {
	case function != "fg_timestamp_field" || !grows(f.number):
		return number
	case s.ret.OID == postgres.Float8OID:
		number.sql = fmt.Sprintf("(CASE WHEN %s = 'infinity' THEN 'inf' WHEN %s = '-infinity' THEN '-inf' ELSE %s END)", arg.sql, arg.sql, number.sql)
		return number
	}
	return s.infiniteField(arg.sql, number)
}

// fieldOwner is how extractField calls a type.
func fieldOwner(typ postgres.OID) string {
	switch typ {
	case postgres.DateOID:
		return "d"
	case postgres.TimeOID:
		return "t"
	case postgres.TimestampOID, postgres.TimestampTZOID:
		return "s"
	case postgres.IntervalOID:
		return "i"
	}
	return ""
}

// failing is a strict call that fails where it is reached with a value that is not NULL.
func (s *site) failing(arg printed, code, format string, args ...any) printed {
	failure := fmt.Sprintf("(CASE WHEN (%s) IS NOT NULL THEN %s END)", arg.sql, raise(code, fmt.Sprintf(format, args...)))
	if s.ret.OID == postgres.NumericOID {
		return printed{failure, asText}
	}
	return printed{sql: "CAST(" + failure + " AS " + physical(s.ret.OID) + ")"}
}

// infiniteField gives a field as numeric that of an infinite time is infinite. A decimal
// cannot be, so the statement fails there, and its careful form has the number as text.
func (s *site) infiniteField(time string, number printed) printed {
	if !s.p.careful {
		s.p.floats = true
		return number
	}
	return printed{fmt.Sprintf("(CASE WHEN %s = 'infinity' THEN 'Infinity' WHEN %s = '-infinity' THEN '-Infinity' ELSE %s END)",
		time, time, s.p.rescale(number, asText).sql), asText}
}

// grows says that the field of an infinite time is infinite, and not NULL.
func grows(field int) bool {
	return field == fieldYear || field == fieldISOYear || field >= fieldDecade
}

// number gives an integer with scale digits of fraction as the type asked for.
func (s *site) number(integer string, scale int) printed {
	if s.ret.OID == postgres.Float8OID {
		if scale == 0 {
			return printed{sql: "CAST(" + integer + " AS DOUBLE)"}
		}
		return printed{sql: fmt.Sprintf("(CAST(%s AS DOUBLE) / CAST(%d AS DOUBLE))", integer, pow10(scale))}
	}
	decimal := fmt.Sprintf("CAST(%s AS DECIMAL(%d,0))", integer, decimalWidth)
	if scale == 0 {
		return printed{decimal, 0}
	}
	return printed{fmt.Sprintf("(%s * CAST('0.%0*d' AS DECIMAL(%d,%d)))", decimal, scale, 1, decimalWidth, scale), scale}
}

// zoneField is timezone, timezone_hour or timezone_minute of an instant.
func (s *site) zoneField(name string) printed {
	offset := fmt.Sprintf("fg_zone_offset(%s, %s)", s.args[1].sql, quoteString(s.p.zone))
	switch name {
	case "timezone":
	case "timezone_hour", "timezone_h":
		offset = "trunc(" + offset + " / 3600)"
	case "timezone_minute", "timezone_m":
		offset = "trunc((" + offset + " % 3600) / 60)"
	default:
		return s.p.fail(errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", name, s.types[1].OID))
	}
	return s.number("CASE WHEN isfinite("+s.args[1].sql+") THEN CAST("+offset+" AS BIGINT) END", 0)
}

// addTimeCasts: casts among dates, times and intervals.
func (t *tables) addTimeCasts() {
	t.castTexts(
		"date->timestamp", "CAST($1 AS TIMESTAMP)", "timestamp->date", "CAST($1 AS DATE)", "timestamp->time", "fg_time_of($1)",
		"time->interval", "fg_time_interval($1)", "interval->time", "fg_time_add(TIME '00:00:00', fg_interval_field(18, $1))",
	)
	t.cast("date->timestamptz", func(s *site) printed { return s.p.instant(s.args[0], s.types[0]) })
	t.cast("timestamp->timestamptz", func(s *site) printed { return s.p.instant(s.args[0], s.types[0]) })
	t.cast("timestamptz->timestamp", func(s *site) printed { return s.p.local(s.args[0]) })
	t.cast("timestamptz->date", func(s *site) printed { return printed{sql: "CAST(" + s.p.local(s.args[0]).sql + " AS DATE)"} })
	t.cast("timestamptz->time", func(s *site) printed { return printed{sql: "fg_time_of(" + s.p.local(s.args[0]).sql + ")"} })
}

// addTextCasts: to and from text, by the types' own input and output.
func (t *tables) addTextCasts() {
	outputs := map[string]string{
		"bool": "CAST($1 AS VARCHAR)", "int2": "CAST($1 AS VARCHAR)", "int4": "CAST($1 AS VARCHAR)", "int8": "CAST($1 AS VARCHAR)",
		"oid": "CAST($1 AS VARCHAR)", "float4": "fg_float4_out($1$style)", "float8": "fg_float8_out($1$style)", "numeric": "$1",
		"date": "fg_date_out($1$style)", "time": "fg_time_out($1)", "timestamp": "fg_timestamp_out($1$style)",
		"timetz": "$1", "timestamptz": "fg_timestamptz_out($1, $zone$style)", "interval": "fg_interval_out($1$style)", "uuid": "CAST($1 AS VARCHAR)",
		"bytea": "fg_bytea_out($1$style)", "json": "$1", "jsonb": "$1", "xid": "CAST($1 AS VARCHAR)",
		"name": "$1", "char": "$1", "aclitem": "$1", "pg_node_tree": "$1", "tid": "$1", "text": "$1", "varchar": "$1", "bpchar": "rtrim($1, ' ')",
		"regtype": "fg_regtype_out($1)", "regproc": "fg_regproc_out($1)", "regconfig": "fg_regconfig_out($1)", "regdictionary": "fg_regdictionary_out($1)",
		"tsvector": "$1", "tsquery": "$1", "inet": "fg_inet_show($1)", "cidr": "$1", "macaddr": "$1", "macaddr8": "$1", "jsonpath": "$1", "bit": "$1", "varbit": "$1",
	}
	inputs := map[string]string{
		"bool": "bool_in($1)", "int2": "int2_in($1)", "int4": "int4_in($1)", "int8": "int8_in($1)", "oid": "oid_in($1)",
		"float4": "float4_in($1)", "float8": "float8_in($1)", "numeric": "numeric_in($1)",
		"date": "date_in($1, $zone$style)", "time": "time_in($1)", "timetz": "timetz_in($1, $zone)", "timestamp": "timestamp_in($1, $zone$style)",
		"timestamptz": "timestamptz_in($1, $zone$style)", "interval": "interval_in($1$style)", "uuid": "uuid_in($1)", "bytea": "bytea_in($1)",
		"json": "json_in($1)", "jsonb": "jsonb_in($1)", "tsvector": "tsvector_in($1)", "tsquery": "tsquery_in($1)",
		"inet": "inet_in($1)", "cidr": "cidr_in($1)", "macaddr": "macaddr_in($1)", "macaddr8": "macaddr8_in($1)", "jsonpath": "jsonpath_in($1)",
		"bit": "varbit_in($1)", "varbit": "varbit_in($1)",
	}
	const strs = "text varchar bpchar name"
	for typ, out := range outputs {
		each(strs, func(str string) {
			if typ == str {
				return
			}
			if str == "name" {
				t.castTexts(typ+"->name", "fg_name_in("+out+")")
				return
			}
			t.castTexts(typ+"->"+str, out)
		})
	}
	for typ, in := range inputs {
		each(strs, func(str string) { t.castTexts(str+"->"+typ, "fg_"+in+" | fg_try_"+in) })
	}
	each(strs, func(str string) { t.castTexts(str+"->char", "fg_char_in($1)") })
	each("regclass regrole regnamespace regoper regoperator regprocedure regcollation", func(typ string) {
		// Most often there are no rows to name anything in; then nothing is wrong.
		t.castTexts(typ+"->text", "fg_raise('0A000', CASE WHEN $1 IS NOT NULL THEN 'the name of a "+typ+" is not supported' END)")
	})
	t.castTexts("json->jsonb", "fg_jsonb_in($1) | fg_try_jsonb_in($1)", "jsonb->json", "$1")
	each("int2 int4 int8 float4 float8 numeric", func(typ string) {
		t.cast("jsonb->"+typ, func(s *site) printed {
			number := printed{"fg_jsonb_scalar(" + s.args[0].sql + ", 'number', " + quoteString(s.ret.OID.String()) + ")", asText}
			if s.try {
				number.sql = "TRY(" + number.sql + ")"
			}
			return s.p.cast(number, planner.Type{OID: postgres.NumericOID, Typmod: -1}, s.ret, true, s.try)
		})
	})
	t.castTexts("jsonb->bool", "(fg_jsonb_scalar($1, 'boolean', 'boolean') = 'true') | TRY(fg_jsonb_scalar($1, 'boolean', 'boolean') = 'true')")
}
