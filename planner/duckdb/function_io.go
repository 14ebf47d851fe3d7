package duckdb

import (
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// env is what reading and printing depends on, for a zone given as argument i;
// without one (-1) the zone is UTC.
func (c *call) env(i int) (postgres.Env, error) {
	e := postgres.DefaultEnv()
	if i < 0 {
		return e, nil
	}
	zone, err := memoized(c, c.text(i), postgres.LoadZone)
	e.Zone = zone
	return e, err
}

// read reads argument 0 as a literal of a type. Behind the zone, or the text, a
// style may follow.
func (c *call) read(oid postgres.OID, zone int) (postgres.Datum, error) {
	e, err := c.env(zone)
	if err != nil {
		return postgres.Datum{}, err
	}
	if style := max(zone, 0) + 1; c.args > style {
		if err := c.setStyle(style, &e); err != nil {
			return postgres.Datum{}, err
		}
	}
	e.Now = time.Now()
	return postgres.ParseLiteral(oid, -1, c.text(0), e)
}

// styleOf writes down what a session has set of how values are read and printed:
// "" if nothing.
func styleOf(env *postgres.Env) string {
	style := fmt.Sprintf("%d %d %d %d %t", env.DateFormat, env.DateOrder, env.IntervalStyle, env.ExtraFloatDigits, env.ByteaEscape)
	if style == defaultStyle {
		return ""
	}
	return style
}

const defaultStyle = "0 0 0 1 false"

// setStyle reads argument i, which styleOf wrote, into e.
func (c *call) setStyle(i int, e *postgres.Env) error {
	_, err := fmt.Sscan(c.text(i), &e.DateFormat, &e.DateOrder, &e.IntervalStyle, &e.ExtraFloatDigits, &e.ByteaEscape)
	return err
}

// styled prints argument 0 in a style, which is the last argument; the one before
// it is the zone, if it has one.
func styled(oid postgres.OID, value func(c *call) postgres.Datum) func(c *call) error {
	return func(c *call) error {
		zone := -1
		if c.args == 3 {
			zone = 1
		}
		e, err := c.env(zone)
		if err == nil {
			err = c.setStyle(c.args-1, &e)
		}
		if err == nil {
			c.isSet, c.result.text = true, postgres.AppendText(c.result.text, oid, value(c), e)
		}
		return err
	}
}

// styledFunctions read and print as settings of the session say.
func styledFunctions() definitions {
	timestamp := func(c *call) postgres.Datum { return postgres.TimestampDatum(c.timestamp(0)) }
	return definitions{
		"fg_float4_out(FLOAT, VARCHAR) VARCHAR":  styled(postgres.Float4OID, func(c *call) postgres.Datum { return postgres.FloatDatum(float64(arg[float32](c, 0))) }),
		"fg_float8_out(DOUBLE, VARCHAR) VARCHAR": styled(postgres.Float8OID, func(c *call) postgres.Datum { return postgres.FloatDatum(c.float8(0)) }),
		"fg_date_out(DATE, VARCHAR) VARCHAR": styled(postgres.DateOID, func(c *call) postgres.Datum {
			return postgres.Datum{Kind: postgres.DateKind, Int: c.date(0)}
		}),
		"fg_timestamp_out(TIMESTAMP, VARCHAR) VARCHAR":            styled(postgres.TimestampOID, timestamp),
		"fg_timestamptz_out(TIMESTAMP, VARCHAR, VARCHAR) VARCHAR": styled(postgres.TimestampTZOID, timestamp),
		"fg_interval_out(INTERVAL, VARCHAR) VARCHAR": styled(postgres.IntervalOID, func(c *call) postgres.Datum {
			v := c.interval(0)
			return postgres.Datum{Kind: postgres.IntervalKind, Months: v.months, Days: v.days, Int: v.micros}
		}),
		"fg_bytea_out(BLOB, VARCHAR) VARCHAR": styled(postgres.ByteaOID, func(c *call) postgres.Datum {
			return postgres.Datum{Kind: postgres.BytesKind, Str: string(c.bytes(0))}
		}),
	}
}

// inputFunctions read text as PostgreSQL's types do. They have forms that give
// NULL for what they refuse.
func inputFunctions() definitions {
	input := func(oid postgres.OID, zone int, set func(c *call, d *postgres.Datum)) func(c *call) error {
		return func(c *call) error {
			d, err := c.read(oid, zone)
			if err == nil {
				set(c, &d)
			}
			return err
		}
	}
	text := func(c *call, d *postgres.Datum) { c.setText(d.Str) }
	return definitions{
		"fg_bool_in(VARCHAR) BOOLEAN":       input(postgres.BoolOID, -1, func(c *call, d *postgres.Datum) { c.setBool(d.Int != 0) }),
		"fg_int2_in(VARCHAR) SMALLINT":      input(postgres.Int2OID, -1, func(c *call, d *postgres.Datum) { c.setInt2(int16(d.Int)) }),
		"fg_int4_in(VARCHAR) INTEGER":       input(postgres.Int4OID, -1, func(c *call, d *postgres.Datum) { c.setInt4(int32(d.Int)) }),
		"fg_int8_in(VARCHAR) BIGINT":        input(postgres.Int8OID, -1, func(c *call, d *postgres.Datum) { c.setInt8(d.Int) }),
		"fg_oid_in(VARCHAR) BIGINT":         input(postgres.OIDOID, -1, func(c *call, d *postgres.Datum) { c.setInt8(d.Int) }),
		"fg_float4_in(VARCHAR) FLOAT":       input(postgres.Float4OID, -1, func(c *call, d *postgres.Datum) { c.setFloat4(float32(d.Float)) }),
		"fg_float8_in(VARCHAR) DOUBLE":      input(postgres.Float8OID, -1, func(c *call, d *postgres.Datum) { c.setFloat8(d.Float) }),
		"fg_bytea_in(VARCHAR) BLOB":         input(postgres.ByteaOID, -1, text),
		"fg_json_in(VARCHAR) VARCHAR":       input(postgres.JSONOID, -1, text),
		"fg_jsonb_in(VARCHAR) VARCHAR":      input(postgres.JSONBOID, -1, text),
		"fg_varbit_in(VARCHAR) VARCHAR":     input(postgres.VarbitOID, -1, text),
		"fg_jsonpath_in(VARCHAR) VARCHAR":   input(postgres.JSONPathOID, -1, text),
		"fg_inet_in(VARCHAR) VARCHAR":       input(postgres.InetOID, -1, text),
		"fg_cidr_in(VARCHAR) VARCHAR":       input(postgres.CidrOID, -1, text),
		"fg_macaddr_in(VARCHAR) VARCHAR":    input(postgres.MACAddrOID, -1, text),
		"fg_macaddr8_in(VARCHAR) VARCHAR":   input(postgres.MACAddr8OID, -1, text),
		"fg_tsvector_in(VARCHAR) VARCHAR":   input(postgres.TSVectorOID, -1, text),
		"fg_tsquery_in(VARCHAR) VARCHAR":    input(postgres.TSQueryOID, -1, text),
		"fg_uuid_in(VARCHAR) UUID":          input(postgres.UUIDOID, -1, func(c *call, d *postgres.Datum) { c.setUUID([16]byte([]byte(d.Str))) }),
		"fg_date_in(VARCHAR, VARCHAR) DATE": input(postgres.DateOID, 1, func(c *call, d *postgres.Datum) { c.setDate(d.Int) }),
		"fg_time_in(VARCHAR) TIME":          input(postgres.TimeOID, -1, func(c *call, d *postgres.Datum) { c.setInt8(d.Int) }),
		"fg_timetz_in(VARCHAR, VARCHAR) VARCHAR": input(postgres.TimeTZOID, 1, func(c *call, d *postgres.Datum) {
			c.setTimeTZ(timeTZ{d.Int, int64(d.Zone)})
		}),
		"fg_timestamp_in(VARCHAR, VARCHAR) TIMESTAMP":   input(postgres.TimestampOID, 1, func(c *call, d *postgres.Datum) { c.setTimestamp(d.Int) }),
		"fg_timestamptz_in(VARCHAR, VARCHAR) TIMESTAMP": input(postgres.TimestampTZOID, 1, func(c *call, d *postgres.Datum) { c.setTimestamp(d.Int) }),
		"fg_interval_in(VARCHAR) INTERVAL": input(postgres.IntervalOID, -1, func(c *call, d *postgres.Datum) {
			c.setInterval(span{d.Months, d.Days, d.Int})
		}),
		"fg_date_in(VARCHAR, VARCHAR, VARCHAR) DATE":             input(postgres.DateOID, 1, func(c *call, d *postgres.Datum) { c.setDate(d.Int) }),
		"fg_timestamp_in(VARCHAR, VARCHAR, VARCHAR) TIMESTAMP":   input(postgres.TimestampOID, 1, func(c *call, d *postgres.Datum) { c.setTimestamp(d.Int) }),
		"fg_timestamptz_in(VARCHAR, VARCHAR, VARCHAR) TIMESTAMP": input(postgres.TimestampTZOID, 1, func(c *call, d *postgres.Datum) { c.setTimestamp(d.Int) }),
		"fg_interval_in(VARCHAR, VARCHAR) INTERVAL": input(postgres.IntervalOID, -1, func(c *call, d *postgres.Datum) {
			c.setInterval(span{d.Months, d.Days, d.Int})
		}),
	}
}

// outputFunctions print values as PostgreSQL's types do.
func outputFunctions() definitions {
	output := func(write func(c *call, dst []byte) []byte) func(c *call) error {
		return func(c *call) error {
			c.isSet, c.result.text = true, write(c, c.result.text)
			return nil
		}
	}
	return definitions{
		"fg_float4_out(FLOAT) VARCHAR":  output(func(c *call, dst []byte) []byte { return postgres.AppendFloat4(dst, arg[float32](c, 0)) }),
		"fg_float8_out(DOUBLE) VARCHAR": output(func(c *call, dst []byte) []byte { return postgres.AppendFloat8(dst, c.float8(0)) }),
		"fg_date_out(DATE) VARCHAR":     output(func(c *call, dst []byte) []byte { return postgres.AppendDate(dst, c.date(0)) }),
		"fg_time_out(TIME) VARCHAR":     output(func(c *call, dst []byte) []byte { return postgres.AppendTime(dst, c.int8(0)) }),
		"fg_timestamp_out(TIMESTAMP) VARCHAR": output(func(c *call, dst []byte) []byte {
			return postgres.AppendTimestamp(dst, c.timestamp(0))
		}),
		"fg_timestamptz_out(TIMESTAMP, VARCHAR) VARCHAR": func(c *call) error {
			e, err := c.env(1)
			if err == nil {
				c.isSet, c.result.text = true, postgres.AppendTimestampTZ(c.result.text, c.timestamp(0), e.Zone)
			}
			return err
		},
		"fg_interval_out(INTERVAL) VARCHAR": output(func(c *call, dst []byte) []byte {
			v := c.interval(0)
			return postgres.AppendInterval(dst, v.months, v.days, v.micros, postgres.PostgresIntervals)
		}),
		"fg_bytea_out(BLOB) VARCHAR":      output(func(c *call, dst []byte) []byte { return postgres.AppendByteaHex(dst, c.bytes(0)) }),
		"fg_array_out(VARCHAR[]) VARCHAR": output(func(c *call, dst []byte) []byte { return appendTextArray(dst, c.list(0)) }),
		"fg_name_in(VARCHAR) VARCHAR": func(c *call) error {
			d, err := c.read(postgres.NameOID, -1)
			if err == nil {
				c.setText(d.Str)
			}
			return err
		},
		"fg_char_in(VARCHAR) VARCHAR": func(c *call) error {
			d, err := c.read(postgres.CharOID, -1)
			if err == nil {
				c.setText(d.Str)
			}
			return err
		},
	}
}

// appendTextArray appends a list of texts as an array prints; nil is NULL.
func appendTextArray(dst []byte, elems [][]byte) []byte {
	dst = append(dst, '{')
	for i, e := range elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		if e == nil {
			dst = append(dst, "NULL"...)
		} else {
			dst = postgres.AppendArrayItem(dst, e, ',')
		}
	}
	return append(dst, '}')
}
