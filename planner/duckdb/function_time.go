package duckdb

import (
	"math"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// DuckDB's negative infinities differ from PostgreSQL's; the positive ones do not.
const (
	negativeInfiniteTimestamp = -math.MaxInt64
	negativeInfiniteDate      = -math.MaxInt32
)

func (c *call) timestamp(i int) int64 {
	if t := c.int8(i); t != negativeInfiniteTimestamp {
		return t
	}
	return postgres.TimestampNegativeInfinity
}

func (c *call) date(i int) int64 {
	if d := c.int4(i); d != negativeInfiniteDate {
		return int64(d)
	}
	return postgres.DateNegativeInfinity
}

func (c *call) setTimestamp(t int64) {
	if t == postgres.TimestampNegativeInfinity {
		t = negativeInfiniteTimestamp
	}
	c.setInt8(t)
}

func (c *call) setDate(d int64) {
	if d == postgres.DateNegativeInfinity {
		d = negativeInfiniteDate
	}
	c.setInt4(int32(d))
}

func (c *call) zone(i int) (*time.Location, error) {
	return memoized(c, c.text(i), postgres.LoadZone)
}

// namedZone is the zone in argument i as AT TIME ZONE takes it: an abbreviation
// of a fixed offset, a name, or an offset that counts west of Greenwich.
func (c *call) namedZone(i int) (*time.Location, error) {
	return memoized(c, c.text(i), func(name string) (*time.Location, error) {
		for _, a := range postgres.ZoneAbbreviations() {
			if !strings.EqualFold(a.Name, name) {
				continue
			}
			if a.Zone != "" {
				return nil, unsupported("the time zone abbreviation %s, whose meaning depends on the time,", name)
			}
			return time.FixedZone(a.Name, a.Offset), nil
		}
		if name != "" && strings.Trim(name, "+-:0123456789") == "" {
			return postgres.LoadZone("<" + name + ">" + name)
		}
		return postgres.LoadZone(name)
	})
}

// zoneFunctions turn instants into local time and back.
func zoneFunctions() definitions {
	return definitions{
		"fg_local(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				c.setTimestamp(localTime(c.timestamp(0), zone))
			}
			return err
		},
		"fg_instant(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				c.setTimestamp(instantOf(c.timestamp(0), zone))
			}
			return err
		},
		"fg_local_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err == nil {
				c.setTimestamp(localTime(c.timestamp(0), zone))
			}
			return err
		},
		"fg_instant_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err == nil {
				c.setTimestamp(instantOf(c.timestamp(0), zone))
			}
			return err
		},
		"fg_zone_offset(TIMESTAMP, VARCHAR) BIGINT": func(c *call) error {
			zone, err := c.zone(1)
			if err == nil {
				_, offset := time.UnixMicro(c.timestamp(0)).In(zone).Zone()
				c.setInt8(int64(offset))
			}
			return err
		},
	}
}

// timeFunctions are dates and times.
func timeFunctions() definitions {
	return definitions{
		"fg_date_trunc(VARCHAR, TIMESTAMP) TIMESTAMP": func(c *call) error {
			t, err := truncate(c.text(0), c.timestamp(1), "timestamp without time zone")
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_date_trunc(VARCHAR, TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(2)
			if err != nil {
				return err
			}
			local := localTime(c.timestamp(1), zone)
			t, err := truncate(c.text(0), local, "timestamp with time zone")
			if err != nil {
				return err
			}
			// Within a day the offset stays as it is.
			if micros, ok := unitMicros(strings.ToLower(c.text(0))); ok && micros < microsPerDay && !isInfinite(local) {
				c.setTimestamp(t - (local - c.timestamp(1)))
				return nil
			}
			c.setTimestamp(instantOf(t, zone))
			return nil
		},
		"fg_add(TIMESTAMP, INTERVAL, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.zone(2)
			if err != nil {
				return err
			}
			t, err := addInZone(c.timestamp(0), c.interval(1), zone)
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_add(TIMESTAMP, INTERVAL) TIMESTAMP": func(c *call) error {
			t, err := addSpan(c.timestamp(0), c.interval(1))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
		"fg_timestamp_round(TIMESTAMP, BIGINT) TIMESTAMP": func(c *call) error {
			t := c.timestamp(0)
			if !isInfinite(t) {
				t = roundTo(t, c.int8(1))
			}
			c.setTimestamp(t)
			return nil
		},
		"fg_time_round(TIME, BIGINT) TIME": func(c *call) error { c.setInt8(roundTo(c.int8(0), c.int8(1))); return nil },
		"fg_time_add(TIME, BIGINT) TIME":   func(c *call) error { c.setInt8(floorMod(c.int8(0)+c.int8(1)%microsPerDay, microsPerDay)); return nil },
		"fg_time_of(TIMESTAMP) TIME": func(c *call) error {
			if t := c.timestamp(0); !isInfinite(t) {
				c.setInt8(floorMod(t, microsPerDay))
			}
			return nil
		},
		"fg_date_add(DATE, INTEGER) DATE": func(c *call) error {
			d := c.date(0)
			if d != postgres.DateInfinity && d != postgres.DateNegativeInfinity {
				d += int64(c.int4(1))
				if d*microsPerDay/microsPerDay != d || d < firstTimestamp/microsPerDay || d > math.MaxInt32-1 {
					return errorf(pgerrcode.DatetimeFieldOverflow, "date out of range")
				}
			}
			c.setDate(d)
			return nil
		},
		"fg_date_difference(DATE, DATE) INTEGER": func(c *call) error {
			a, b := c.date(0), c.date(1)
			for _, d := range []int64{a, b} {
				if d == postgres.DateInfinity || d == postgres.DateNegativeInfinity {
					return errorf(pgerrcode.DatetimeFieldOverflow, "cannot subtract infinite dates")
				}
			}
			c.setInt4(int32(a - b))
			return nil
		},
		"fg_date_bin(INTERVAL, TIMESTAMP, TIMESTAMP) TIMESTAMP": func(c *call) error {
			t, err := bin(c.interval(0), c.timestamp(1), c.timestamp(2))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
	}
}
