package duckdb

import (
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// A time with time zone is PostgreSQL's own text, 13:30:00-04: DuckDB's type of the
// name has no 24:00:00 and orders otherwise.

// timeTZ is a time of day in microseconds and how many seconds east of UTC it is told.
type timeTZ struct {
	micros int64
	east   int64
}

func (c *call) timeTZ(i int) (timeTZ, error) {
	d, err := postgres.ParseLiteral(postgres.TimeTZOID, -1, c.text(i), postgres.DefaultEnv())
	return timeTZ{d.Int, int64(d.Zone)}, err
}

func (c *call) setTimeTZ(t timeTZ) {
	c.isSet, c.result.text = true, postgres.AppendTimeTZ(c.result.text, t.micros, int(t.east))
}

// utc is the time of day in UTC, which may lie before or after the day.
func (t timeTZ) utc() int64 { return t.micros - t.east*microsPerSecond }

// key orders by the time in UTC, then from east to west (timetz_cmp_internal in date.c).
func (t timeTZ) key() int64 { return t.utc()<<20 - t.east }

// in is the same time told at another offset.
func (t timeTZ) in(east int64) timeTZ {
	return timeTZ{floorMod(t.utc()+east*microsPerSecond, microsPerDay), east}
}

// east is the offset of a zone at an instant.
func (z namedZone) east(t int64) (int64, error) {
	if z.abbreviation != nil {
		offset, err := z.abbreviation.OffsetAt(floorDiv(t, microsPerSecond))
		return int64(offset), err
	}
	_, offset := time.UnixMicro(t).In(z.zone).Zone()
	return int64(offset), nil
}

// offset is an interval as an offset, in seconds east of UTC.
func (c *call) offset(i int) (int64, error) {
	v := c.interval(i)
	if v.months != 0 || v.days != 0 {
		return 0, errorf(pgerrcode.InvalidParameterValue, `interval time zone "%s" must not include months or days`,
			postgres.AppendInterval(nil, v.months, v.days, v.micros, postgres.PostgresIntervals))
	}
	return v.micros / microsPerSecond, nil
}

// shiftBy moves a timestamp by an offset, which is argument 1.
func shiftBy(sign int64) func(c *call) error {
	return func(c *call) error {
		east, err := c.offset(1)
		t := c.timestamp(0)
		if err == nil && !isInfinite(t) {
			t, err = checkTimestamp(t + sign*east*microsPerSecond)
		}
		c.setTimestamp(t)
		return err
	}
}

// timeTZFunctions are those of times with time zone.
func timeTZFunctions() definitions {
	from := func(use func(c *call, t timeTZ) error) func(c *call) error {
		return func(c *call) error {
			t, err := c.timeTZ(0)
			if err == nil {
				err = use(c, t)
			}
			return err
		}
	}
	return definitions{
		"fg_timetz_key(VARCHAR) BIGINT":  from(func(c *call, t timeTZ) error { c.setInt8(t.key()); return nil }),
		"fg_timetz_time(VARCHAR) TIME":   from(func(c *call, t timeTZ) error { c.setInt8(t.micros); return nil }),
		"fg_timetz_east(VARCHAR) BIGINT": from(func(c *call, t timeTZ) error { c.setInt8(t.east); return nil }),
		"fg_timetz_epoch(VARCHAR) BIGINT": from(func(c *call, t timeTZ) error {
			c.setInt8(t.utc())
			return nil
		}),
		"fg_timetz_add(VARCHAR, BIGINT) VARCHAR": from(func(c *call, t timeTZ) error {
			t.micros = floorMod(t.micros+c.int8(1)%microsPerDay, microsPerDay)
			c.setTimeTZ(t)
			return nil
		}),
		"fg_timetz_round(VARCHAR, BIGINT) VARCHAR": from(func(c *call, t timeTZ) error {
			t.micros = roundTo(t.micros, c.int8(1))
			c.setTimeTZ(t)
			return nil
		}),
		// The zone is taken as it is at the time that follows it.
		"fg_timetz_in_zone(VARCHAR, VARCHAR, TIMESTAMP) VARCHAR": from(func(c *call, t timeTZ) error {
			zone, err := c.namedZone(1)
			if err != nil {
				return err
			}
			east, err := zone.east(c.timestamp(2))
			c.setTimeTZ(t.in(east))
			return err
		}),
		"fg_timetz_in_zone(VARCHAR, INTERVAL) VARCHAR": from(func(c *call, t timeTZ) error {
			east, err := c.offset(1)
			c.setTimeTZ(t.in(east))
			return err
		}),
		"fg_local_at(TIMESTAMP, INTERVAL) TIMESTAMP":   shiftBy(1),
		"fg_instant_at(TIMESTAMP, INTERVAL) TIMESTAMP": shiftBy(-1),
		"fg_timetz_of(TIMESTAMP, VARCHAR) VARCHAR": func(c *call) error {
			zone, err := c.zone(1)
			if t := c.timestamp(0); err == nil && !isInfinite(t) {
				_, east := time.UnixMicro(t).In(zone).Zone()
				c.setTimeTZ(timeTZ{floorMod(t+int64(east)*microsPerSecond, microsPerDay), int64(east)})
			}
			return err
		},
		// A time is one of the day that follows it.
		"fg_timetz_of(TIME, DATE, VARCHAR) VARCHAR": func(c *call) error {
			zone, err := c.zone(2)
			if err != nil {
				return err
			}
			local := c.date(1)*microsPerDay + c.int8(0)
			c.setTimeTZ(timeTZ{c.int8(0), (local - instantOf(local, zone)) / microsPerSecond})
			return nil
		},
		"fg_instant_at(DATE, VARCHAR) TIMESTAMP": func(c *call) error {
			t, err := c.timeTZ(1)
			if err != nil {
				return err
			}
			d := c.date(0)
			switch d {
			case postgres.DateInfinity:
				c.setTimestamp(postgres.TimestampInfinity)
				return nil
			case postgres.DateNegativeInfinity:
				c.setTimestamp(postgres.TimestampNegativeInfinity)
				return nil
			}
			at, err := checkTimestamp(d*microsPerDay + t.utc())
			c.setTimestamp(at)
			return err
		},
	}
}
