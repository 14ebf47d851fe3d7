package duckdb

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// constantInt is the value of a constant of an integer type.
func constantInt(e planner.Expr) (int64, bool) {
	c, ok := e.(*planner.Const)
	if !ok || c.Null || c.Value.Kind != postgres.IntKind {
		return 0, false
	}
	return c.Value.Int, true
}

// constantText is the value of a constant of a string type.
func constantText(e planner.Expr) (string, bool) {
	if c, ok := e.(*planner.Cast); ok && isString(c.T.OID) && isString(c.Arg.Type().OID) {
		return constantText(c.Arg)
	}
	c, ok := e.(*planner.Const)
	if !ok || c.Null || c.Value.Kind != postgres.TextKind {
		return "", false
	}
	return c.Value.Str, true
}

func isString(oid postgres.OID) bool {
	return oid == postgres.TextOID || oid == postgres.VarcharOID || oid == postgres.UnknownOID
}

// constant prints a literal.
func (p *printer) constant(c *planner.Const) printed {
	if c.Null {
		return p.null(c.T)
	}
	if column, ok := p.standIns[c]; ok {
		return printed{sql: column}
	}
	return p.datum(c.T.OID, &c.Value)
}

func (p *printer) null(t planner.Type) printed {
	physicalType := physical(t.OID)
	if physicalType == "" {
		return p.fail(unsupported("type %s", t.OID))
	}
	return printed{"CAST(NULL AS " + physicalType + ")", textScale(t)}
}

func (p *printer) datum(oid postgres.OID, d *postgres.Datum) printed {
	physicalType := physical(oid)
	if physicalType == "" {
		return p.fail(unsupported("type %s", oid))
	}
	cast := func(text string) printed { return printed{sql: "CAST(" + text + " AS " + physicalType + ")"} }
	switch d.Kind {
	case postgres.NullKind:
		return p.null(planner.Type{OID: oid, Typmod: -1})
	case postgres.BoolKind:
		return printed{sql: strconv.FormatBool(d.Int != 0)}
	case postgres.IntKind:
		return cast(strconv.FormatInt(d.Int, 10))
	case postgres.FloatKind:
		return cast(quoteString(floatText(d.Float, oid == postgres.Float4OID)))
	case postgres.TextKind:
		return cast(quoteString(d.Str))
	case postgres.BytesKind:
		return printed{sql: "unhex('" + hex.EncodeToString([]byte(d.Str)) + "')"}
	case postgres.NumericKind:
		return decimalConstant(d.Str)
	case postgres.DateKind:
		return printed{sql: dateLiteral(d.Int)}
	case postgres.TimeKind:
		return cast(quoteString(clockText(d.Int)))
	case postgres.TimeTZKind:
		return timeTZConstant(d)
	case postgres.TimestampKind:
		return printed{sql: timestampLiteral(d.Int)}
	case postgres.IntervalKind:
		return printed{sql: p.span(span{d.Months, d.Days, d.Int})}
	case postgres.UUIDKind:
		return cast(quoteString(hex.EncodeToString([]byte(d.Str))))
	case postgres.ArrayKind:
		return p.arrayConstant(oid, d)
	}
	return p.fail(unsupported("a constant of type %s", oid))
}

func floatText(f float64, single bool) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	bits := 64
	if single {
		bits = 32
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// decimalConstant prints a numeric as a decimal if its digits fit.
func decimalConstant(text string) printed {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if len(fraction) > maxScale || len(whole) > decimalWidth-maxScale || strings.Trim(whole+fraction, "0123456789") != "" {
		return printed{"CAST(" + quoteString(text) + " AS VARCHAR)", asText}
	}
	return printed{fmt.Sprintf("CAST('%s' AS DECIMAL(%d,%d))", text, decimalWidth, len(fraction)), len(fraction)}
}

// The years that DuckDB reads as PostgreSQL prints them.
const (
	firstPlainDay   = -719162 // 0001-01-01
	lastPlainDay    = 2932896 // 9999-12-31
	microsPerDay    = 86_400_000_000
	microsPerSecond = 1_000_000
)

func dateLiteral(days int64) string {
	switch {
	case days == postgres.DateInfinity:
		return "CAST('infinity' AS DATE)"
	case days == postgres.DateNegativeInfinity:
		return "CAST('-infinity' AS DATE)"
	case days < firstPlainDay || days > lastPlainDay:
		return fmt.Sprintf("(CAST('1970-01-01' AS DATE) + CAST(%d AS INTEGER))", days)
	}
	return "CAST('" + time.Unix(days*86400, 0).UTC().Format("2006-01-02") + "' AS DATE)"
}

func clockText(micros int64) string {
	s := micros / microsPerSecond
	return fmt.Sprintf("%02d:%02d:%02d.%06d", s/3600, s/60%60, s%60, micros%microsPerSecond)
}

// timestampLiteral prints microseconds since 1970.
func timestampLiteral(micros int64) string {
	switch {
	case micros == postgres.TimestampInfinity:
		return "CAST('infinity' AS TIMESTAMP)"
	case micros == postgres.TimestampNegativeInfinity:
		return "CAST('-infinity' AS TIMESTAMP)"
	case micros < firstPlainDay*microsPerDay || micros >= (lastPlainDay+1)*microsPerDay:
		return fmt.Sprintf("make_timestamp(CAST(%d AS BIGINT))", micros)
	}
	return "CAST('" + time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.000000") + "' AS TIMESTAMP)"
}

func intervalLiteral(months, days int32, micros int64) string {
	return fmt.Sprintf("(to_months(CAST(%d AS INTEGER)) + to_days(CAST(%d AS INTEGER)) + to_microseconds(CAST(%d AS BIGINT)))",
		months, days, micros)
}

// span prints an interval. DuckDB takes expressions for one that differ in equal
// constants only; but 1 day and 24 hours, though equal, are not the same. The
// second of such constants is a call that it takes for nothing else.
func (p *printer) span(v span) string {
	days := int64(v.months)*30 + int64(v.days)
	whole := floorDiv(v.micros, microsPerDay)
	value := [2]int64{days + whole, v.micros - whole*microsPerDay}
	if first, known := p.spans[value]; known && first != v {
		return fmt.Sprintf("fg_own_span(%d, %d, %d)", v.months, v.days, v.micros)
	}
	p.spans[value] = v
	return intervalLiteral(v.months, v.days, v.micros)
}
