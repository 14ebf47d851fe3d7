package duckdb

import (
	"math"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// intervalFunctions are intervals, and what has one for an answer.
func intervalFunctions() definitions {
	return definitions{
		"fg_time_interval(TIME) INTERVAL":         func(c *call) error { c.setInterval(span{micros: c.int8(0)}); return nil },
		"fg_time_difference(TIME, TIME) INTERVAL": func(c *call) error { c.setInterval(span{micros: c.int8(0) - c.int8(1)}); return nil },
		"fg_interval_mul(INTERVAL, DOUBLE) INTERVAL": func(c *call) error {
			v, err := scaleSpan(c.interval(0), c.float8(1), func(a, b float64) float64 { return a * b })
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_interval_div(INTERVAL, DOUBLE) INTERVAL": func(c *call) error {
			if c.float8(1) == 0 {
				return errDivisionByZero()
			}
			v, err := scaleSpan(c.interval(0), c.float8(1), func(a, b float64) float64 { return a / b })
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_interval_trunc(VARCHAR, INTERVAL) INTERVAL": func(c *call) error {
			v, err := truncateSpan(c.text(0), c.interval(1))
			if err == nil {
				c.setInterval(v)
			}
			return err
		},
		"fg_justify_hours(INTERVAL) INTERVAL":    justified(justifyHours),
		"fg_justify_days(INTERVAL) INTERVAL":     justified(justifyDays),
		"fg_justify_interval(INTERVAL) INTERVAL": justified(justify),
		"fg_difference(TIMESTAMP, TIMESTAMP) INTERVAL": func(c *call) error {
			a, b := c.timestamp(0), c.timestamp(1)
			if isInfinite(a) || isInfinite(b) {
				return errorf(pgerrcode.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
			}
			v, err := justifyHours(span{micros: a - b})
			c.setInterval(v)
			return err
		},
		"fg_age(TIMESTAMP, TIMESTAMP) INTERVAL": func(c *call) error {
			a, b := c.timestamp(0), c.timestamp(1)
			// PostgreSQL takes infinity for the last moment that a timestamp can hold.
			if a == postgres.TimestampNegativeInfinity || b == postgres.TimestampNegativeInfinity {
				return errTimestampRange()
			}
			c.setInterval(age(a, b))
			return nil
		},
	}
}

func justified(f func(span) (span, error)) func(c *call) error {
	return func(c *call) error {
		v, err := f(c.interval(0))
		c.setInterval(v)
		return err
	}
}

// makeFunctions make times and intervals out of numbers.
func makeFunctions() definitions {
	return definitions{
		"!fg_own_span(BIGINT, BIGINT, BIGINT) INTERVAL": func(c *call) error {
			c.setInterval(span{int32(c.int8(0)), int32(c.int8(1)), c.int8(2)})
			return nil
		},
		"fg_span(BIGINT, BIGINT, BIGINT) INTERVAL": func(c *call) error {
			months, days := c.int8(0), c.int8(1)
			if int64(int32(months)) != months || int64(int32(days)) != days {
				return errIntervalRange()
			}
			c.setInterval(span{int32(months), int32(days), c.int8(2)})
			return nil
		},
		"fg_step(BIGINT) BIGINT": func(c *call) error {
			if c.int8(0) == 0 {
				return errStep()
			}
			c.setInt8(c.int8(0))
			return nil
		},
		"fg_series(TIMESTAMP, TIMESTAMP, INTERVAL, BIGINT) TIMESTAMP[]": func(c *call) error { return timeSeries(c, time.UTC) },
		"fg_series(TIMESTAMP, TIMESTAMP, INTERVAL, BIGINT, VARCHAR) TIMESTAMP[]": func(c *call) error {
			zone, err := c.zone(4)
			if err != nil {
				return err
			}
			return timeSeries(c, zone)
		},
		"fg_make_date(INTEGER, INTEGER, INTEGER) DATE": func(c *call) error {
			days, err := makeDate(c.int4(0), c.int4(1), c.int4(2))
			if err == nil {
				c.setDate(days)
			}
			return err
		},
		"fg_make_time(INTEGER, INTEGER, DOUBLE) TIME": func(c *call) error {
			micros, err := makeTime(c.int4(0), c.int4(1), c.float8(2))
			if err == nil {
				c.setInt8(micros)
			}
			return err
		},
		"fg_make_timestamp(INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE) TIMESTAMP": func(c *call) error {
			days, err := makeDate(c.int4(0), c.int4(1), c.int4(2))
			if err != nil {
				return err
			}
			micros, err := makeTime(c.int4(3), c.int4(4), c.float8(5))
			if err == nil {
				var t int64
				if t, err = timestampOfDays(days, micros); err == nil {
					c.setTimestamp(t)
				}
			}
			return err
		},
		"fg_make_interval(INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, DOUBLE) INTERVAL": func(c *call) error {
			seconds := c.float8(6) * microsPerSecond
			months := int64(c.int4(0))*12 + int64(c.int4(1))
			days := int64(c.int4(2))*7 + int64(c.int4(3))
			if int64(int32(months)) != months || int64(int32(days)) != days || !(math.Abs(seconds) < math.MaxInt64) {
				return errIntervalRange()
			}
			c.setInterval(span{
				months: int32(months),
				days:   int32(days),
				micros: int64(c.int4(4))*3600*microsPerSecond + int64(c.int4(5))*60*microsPerSecond + int64(math.RoundToEven(seconds)),
			})
			return nil
		},
		"fg_to_timestamp(DOUBLE) TIMESTAMP": func(c *call) error {
			t, err := timestampOfSeconds(c.float8(0))
			if err == nil {
				c.setTimestamp(t)
			}
			return err
		},
	}
}

func timestampOfSeconds(s float64) (int64, error) {
	switch {
	case math.IsInf(s, 1):
		return postgres.TimestampInfinity, nil
	case math.IsInf(s, -1):
		return postgres.TimestampNegativeInfinity, nil
	case math.IsNaN(s):
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case s < firstTimestamp/microsPerSecond || s >= endTimestamp/microsPerSecond:
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", postgres.AppendFloat8(nil, s))
	}
	// PostgreSQL counts from 2000, which decides the rounding.
	const epoch2000 = 946684800
	return int64(math.RoundToEven((s-epoch2000)*microsPerSecond)) + epoch2000*microsPerSecond, nil
}

// The years of dates (JULIAN_MINYEAR and JULIAN_MAXYEAR in datatype/timestamp.h).
const (
	firstYear = -4713
	lastYear  = 5874898
)

func makeDate(year, month, day int32) (int64, error) {
	y := int64(year)
	if y < 0 {
		y++ // before year 1 comes year -1
	}
	if year == 0 || y < firstYear || y > lastYear || month < 1 || month > 12 || day < 1 || int64(day) > daysInMonth(y, int64(month)) {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	return daysOf(y, int64(month), int64(day)), nil
}

func makeTime(hour, minute int32, second float64) (int64, error) {
	micros := math.RoundToEven(second * microsPerSecond)
	whole := int64(hour)*3600*microsPerSecond + int64(minute)*60*microsPerSecond
	if hour < 0 || minute < 0 || minute > 59 || !(micros >= 0 && micros <= 60*microsPerSecond) || hour > 24 || whole+int64(micros) > microsPerDay {
		return 0, errorf(pgerrcode.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%02.6g", hour, minute, second)
	}
	return whole + int64(micros), nil
}

func errStep() error { return errorf(pgerrcode.InvalidParameterValue, "step size cannot equal zero") }

// timeSeries is generate_series of timestamps. Of argument 3, if it is not 0, no more
// will be read, so that the series may have no end.
func timeSeries(c *call, zone *time.Location) error {
	t, end, step := c.timestamp(0), c.timestamp(1), c.interval(2)
	direction := (int64(step.months)*30+int64(step.days))*microsPerDay + step.micros
	if direction == 0 {
		return errStep()
	}
	most, endless := c.int8(3), isInfinite(end)
	if isInfinite(t) || endless && most == 0 {
		return unsupported("generate_series to infinity")
	}
	var out []int64
	for (direction > 0 && t <= end || direction < 0 && t >= end) && (!endless || int64(len(out)) < most) {
		out = append(out, t)
		if len(out)*8 > maxResult {
			return tooLarge()
		}
		var err error
		if t, err = addInZone(t, step, zone); err != nil {
			return err
		}
	}
	c.setTimestamps(out)
	return nil
}
