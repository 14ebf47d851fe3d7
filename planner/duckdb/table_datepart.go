package duckdb

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// The fields of an instant's zone, behind those of its time.
const (
	fieldZone = iota + 100
	fieldZoneHour
	fieldZoneMinute
)

// rowField is the number of a field of a type that a row names.
func rowField(name string, typ postgres.OID) (int32, error) {
	name = strings.ToLower(name)
	zone, owner := zoneFieldNumber(name), fieldOwner(typ)
	f, known := fieldNamed(name)
	switch {
	case zone != 0 && typ == postgres.TimestampTZOID:
		return zone, nil
	case known && (strings.Contains(f.types, owner) || f.number == fieldJulian && owner == "s"):
		return int32(f.number), nil
	case known || zone != 0:
		return 0, errorf(pgerrcode.FeatureNotSupported, "unit %q not supported for type %s", name, typ)
	}
	return 0, errorf(pgerrcode.InvalidParameterValue, "unit %q not recognized for type %s", name, typ)
}

// zoneFieldNumber is the number of a field of an instant's zone; 0: it is none.
func zoneFieldNumber(name string) int32 {
	switch name {
	case "timezone":
		return fieldZone
	case "timezone_hour", "timezone_h":
		return fieldZoneHour
	case "timezone_minute", "timezone_m":
		return fieldZoneMinute
	}
	return 0
}

// datePartFunctions tell of fields of date_part that rows name.
func datePartFunctions() definitions {
	return definitions{
		"fg_field_number(VARCHAR, INTEGER) INTEGER": func(c *call) error {
			n, err := rowField(c.text(0), postgres.OID(c.int4(1)))
			c.setInt4(n)
			return err
		},
		"fg_field_divisor(VARCHAR) DOUBLE": func(c *call) error {
			f, _ := fieldNamed(c.text(0))
			c.setFloat8(float64(pow10(f.scale)))
			return nil
		},
	}
}

// fieldNumber is a field of which integer is the value without a point. Seconds as floats
// are added up from whole ones and their fraction, as PostgreSQL does, which may round
// otherwise than a division of both would.
func (s *site) fieldNumber(f extractField, integer string) printed {
	if s.ret.OID == postgres.Float8OID && f.number == fieldSecond && f.scale > 0 {
		return printed{sql: floatSeconds(integer, fmt.Sprintf("CAST(%d AS DOUBLE)", pow10(f.scale)))}
	}
	return s.number(integer, f.scale)
}

// floatSeconds are microseconds over a divisor, the whole seconds and the rest apart.
func floatSeconds(micros, divisor string) string {
	return fmt.Sprintf("(CAST(%[1]s - %[1]s %% 1000000 AS DOUBLE) / %[2]s + CAST(%[1]s %% 1000000 AS DOUBLE) / %[2]s)", micros, divisor)
}

// intervalEpoch adds up an interval's seconds as interval_part does.
func intervalEpoch(arg string) string {
	field := func(n int) string { return fmt.Sprintf("fg_interval_field(%d, %s)", n, arg) }
	months := field(fieldMonths)
	return fmt.Sprintf("(CAST(%[1]s AS DOUBLE) / CAST(1000000 AS DOUBLE) + CAST(31557600 AS DOUBLE) * CAST((%[2]s - %[2]s %% 12) / 12 AS DOUBLE)"+
		" + CAST(2592000 AS DOUBLE) * CAST(%[2]s %% 12 AS DOUBLE) + CAST(86400 AS DOUBLE) * CAST(%[3]s AS DOUBLE))", field(fieldTime), months, field(fieldDay))
}

// partOfRow prints date_part of a field that each row names.
func (s *site) partOfRow() printed {
	typ, arg := s.types[1].OID, s.args[1].sql
	number := fmt.Sprintf("fg_field_number(%s, %d)", s.args[0].sql, typ)
	part := func(function, value string) string {
		integer, divisor := fmt.Sprintf("%s(%s, %s)", function, number, value), "fg_field_divisor("+s.args[0].sql+")"
		return fmt.Sprintf("(CASE WHEN %s = %d THEN %s ELSE CAST(%s AS DOUBLE) / %s END)", number, fieldSecond, floatSeconds(integer, divisor), integer, divisor)
	}
	var value string
	switch typ {
	case postgres.TimeOID:
		value = part("fg_interval_field", "fg_time_interval("+arg+")")
	case postgres.IntervalOID:
		value = fmt.Sprintf("(CASE WHEN %s = %d THEN %s ELSE %s END)", number, fieldEpoch, intervalEpoch(arg), part("fg_interval_field", arg))
	default:
		local := s.args[1]
		if typ == postgres.TimestampTZOID {
			local = s.p.local(local)
		}
		offset := fmt.Sprintf("fg_zone_offset(%s, %s)", arg, quoteString(s.p.zone))
		grows := fmt.Sprintf("%[1]s IN (%[2]d, %[3]d) OR %[1]s BETWEEN %[4]d AND %[5]d", number, fieldYear, fieldISOYear, fieldDecade, fieldJulian)
		value = fmt.Sprintf("(CASE WHEN NOT isfinite(%[1]s) THEN (CASE WHEN %[2]s THEN (CASE WHEN %[1]s > TIMESTAMP '2000-01-01' THEN CAST('inf' AS DOUBLE) ELSE CAST('-inf' AS DOUBLE) END) END)"+
			" WHEN %[3]s = %[4]d THEN %[5]s WHEN %[3]s = %[6]d THEN %[7]s WHEN %[3]s = %[8]d THEN trunc(%[7]s / 3600) WHEN %[3]s = %[9]d THEN trunc((%[7]s %% 3600) / 60)"+
			" WHEN %[3]s = %[10]d THEN %[11]s ELSE %[12]s END)",
			arg, grows, number, fieldEpoch, part("fg_timestamp_field", arg), fieldZone, offset, fieldZoneHour, fieldZoneMinute,
			fieldJulian, s.julianFloat(local.sql), part("fg_timestamp_field", local.sql))
	}
	return printed{sql: "CAST((CASE WHEN " + arg + " IS NOT NULL THEN " + value + " END) AS DOUBLE)"}
}

// julian is the Julian date of a timestamp with the part of the day that has passed.
func (s *site) julian() printed {
	local := s.args[1]
	if s.types[1].OID == postgres.TimestampTZOID {
		local = s.p.local(local)
	}
	if s.ret.OID == postgres.Float8OID {
		return printed{sql: fmt.Sprintf("(CASE WHEN %[1]s = 'infinity' THEN 'inf' WHEN %[1]s = '-infinity' THEN '-inf' ELSE %[2]s END)", local.sql, s.julianFloat(local.sql))}
	}
	day, micros := julianParts(local.sql)
	number := fmt.Sprintf("fg_numeric_add(CAST(%s AS VARCHAR), fg_numeric_div(CAST(%s AS VARCHAR), '%d'))", day, micros, int64(microsPerDay))
	return s.infiniteField(local.sql, printed{number, asText})
}

// julianFloat adds as timestamp_part does: the seconds with their fraction over those of a day.
func (s *site) julianFloat(local string) string {
	day, micros := julianParts(local)
	return fmt.Sprintf("(CAST(%[1]s AS DOUBLE) + (CAST(%[2]s // 1000000 AS DOUBLE) + CAST(%[2]s %% 1000000 AS DOUBLE) / 1000000.0::DOUBLE) / 86400.0::DOUBLE)", day, micros)
}

// julianParts are the Julian day of a local time and the microseconds since it began.
func julianParts(local string) (day, micros string) {
	day = fmt.Sprintf("fg_timestamp_field(%d, %s)", fieldJulian, local)
	epoch := fmt.Sprintf("fg_timestamp_field(%d, %s)", fieldEpoch, local)
	return day, fmt.Sprintf("((%[1]s %% %[2]d + %[2]d) %% %[2]d)", epoch, int64(microsPerDay))
}
