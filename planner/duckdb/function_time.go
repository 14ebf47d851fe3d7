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

// namedZone is a zone as AT TIME ZONE takes it: an abbreviation, a name, or an
// offset that counts west of Greenwich.
type namedZone struct {
	zone         *time.Location
	abbreviation *postgres.ZoneAbbreviation // in place of zone
}

func (c *call) namedZone(i int) (namedZone, error) {
	return memoized(c, c.text(i), func(name string) (namedZone, error) {
		for _, a := range postgres.ZoneAbbreviations() {
			if strings.EqualFold(a.Name, name) {
				return namedZone{abbreviation: &a}, nil
			}
		}
		zone, err := postgres.LoadZone(name)
		return namedZone{zone: zone}, err
	})
}

// local is an instant as local time.
func (z namedZone) local(t int64) (int64, error) {
	if z.abbreviation == nil || isInfinite(t) {
		return localTime(t, z.zone), nil
	}
	offset, err := z.abbreviation.OffsetAt(floorDiv(t, microsPerSecond))
	return t + int64(offset)*microsPerSecond, err
}

// instant is local time as an instant.
func (z namedZone) instant(t int64) (int64, error) {
	if z.abbreviation == nil || isInfinite(t) {
		return instantOf(t, z.zone), nil
	}
	offset, err := z.abbreviation.OffsetOfLocal(floorDiv(t, microsPerSecond))
	return t - int64(offset)*microsPerSecond, err
}

// givenZone is the zone in argument i of make_timestamptz (parse_sane_timezone in
// timestamp.c): a numeric one counts east and has its sign.
func (c *call) givenZone(i int) (namedZone, error) {
	name := c.text(i)
	if name == "" || name[0] != '+' && name[0] != '-' && (name[0] < '0' || name[0] > '9') {
		return c.namedZone(i)
	}
	return memoized(c, name, func(name string) (namedZone, error) {
		if name[0] != '+' && name[0] != '-' {
			e := errorf(pgerrcode.InvalidParameterValue, "invalid input syntax for type numeric time zone: %q", name)
			e.Hint = `Numeric time zones must have "-" or "+" as first character.`
			return namedZone{}, e
		}
		zone, err := postgres.LoadZone(name)
		if err != nil {
			return namedZone{}, err
		}
		_, west := time.Unix(0, 0).In(zone).Zone()
		if west <= -16*3600 || west >= 16*3600 {
			return namedZone{}, errorf(pgerrcode.InvalidParameterValue, "numeric time zone %q out of range", name)
		}
		return namedZone{zone: time.FixedZone(name, -west)}, nil
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
			if err != nil {
				return err
			}
			t := instantOf(c.timestamp(0), zone)
			if !isInfinite(t) {
				t, err = checkTimestamp(t)
			}
			c.setTimestamp(t)
			return err
		},
		"fg_local_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err != nil {
				return err
			}
			t, err := zone.local(c.timestamp(0))
			c.setTimestamp(t)
			return err
		},
		"fg_instant_of(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.namedZone(1)
			if err != nil {
				return err
			}
			t, err := zone.instant(c.timestamp(0))
			c.setTimestamp(t)
			return err
		},
		"fg_instant_given(TIMESTAMP, VARCHAR) TIMESTAMP": func(c *call) error {
			zone, err := c.givenZone(1)
			if err != nil {
				return err
			}
			t, err := zone.instant(c.timestamp(0))
			c.setTimestamp(t)
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

// overlap is OVERLAPS of two ranges, each given by its ends in any order; of ends
// that are NULL it can still be sure at times (overlaps_timestamp in timestamp.c).
func overlap(get func(c *call, i int) int64) func(c *call) error {
	return func(c *call) error {
		// bounds gives a start, and an end if there is one; not ok: neither is there.
		bounds := func(i int) (start, end int64, hasEnd, ok bool) {
			switch {
			case c.isNull(i) && c.isNull(i+1):
				return 0, 0, false, false
			case c.isNull(i):
				return get(c, i+1), 0, false, true
			case c.isNull(i + 1):
				return get(c, i), 0, false, true
			}
			a, b := get(c, i), get(c, i+1)
			return min(a, b), max(a, b), true, true
		}
		s1, e1, has1, ok1 := bounds(0)
		s2, e2, has2, ok2 := bounds(2)
		if !ok1 || !ok2 {
			return nil
		}
		if s1 < s2 {
			s1, s2, e2, has1, has2 = s2, s1, e1, has2, has1
		}
		switch {
		case s1 == s2:
			if has1 && has2 {
				c.setBool(true)
			}
		case !has2:
		case s1 < e2:
			c.setBool(true)
		case has1:
			c.setBool(false)
		}
		return nil
	}
}

// timeFunctions are dates and times.
func timeFunctions() definitions {
	return definitions{
		"fg_date_trunc(VARCHAR, TIMESTAMP) TIMESTAMP": func(c *call) error {
			t, err := truncate(c.text(0), c.timestamp(1), "timestamp without time zone")
			if err == nil && !isInfinite(t) {
				t, err = checkTimestamp(t)
			}
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
			local, err := zone.local(c.timestamp(1))
			if err != nil {
				return err
			}
			t, err := truncate(c.text(0), local, "timestamp with time zone")
			if err != nil {
				return err
			}
			// Within a day the offset stays as it is.
			if micros, ok := unitMicros(strings.ToLower(c.text(0))); ok && micros < microsPerDay && !isInfinite(local) {
				c.setTimestamp(t - (local - c.timestamp(1)))
				return nil
			}
			if t, err = zone.instant(t); err == nil && !isInfinite(t) {
				t, err = checkTimestamp(t)
			}
			c.setTimestamp(t)
			return err
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
		"*fg_overlaps(TIMESTAMP, TIMESTAMP, TIMESTAMP, TIMESTAMP) BOOLEAN": overlap((*call).timestamp),
		"*fg_overlaps(TIME, TIME, TIME, TIME) BOOLEAN":                     overlap((*call).int8),
		"*fg_overlaps(BIGINT, BIGINT, BIGINT, BIGINT) BOOLEAN":             overlap((*call).int8),
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
