package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// style reads from the session's settings how values are to be printed. The
// planner has checked the settings.
func (c *conn) style() (*postgres.Env, error) {
	env := postgres.DefaultEnv()
	setting := c.session.Setting
	zone, err := postgres.LoadZone(setting("TimeZone"))
	if err != nil {
		return nil, fmt.Errorf("load the session's zone: %w", err)
	}
	env.Zone = zone
	env.DateFormat, env.DateOrder = parseDateStyle(setting("DateStyle"))
	env.IntervalStyle = parseIntervalStyle(setting("IntervalStyle"))
	env.ByteaEscape = setting("bytea_output") == "escape"
	if env.ExtraFloatDigits, err = strconv.Atoi(setting("extra_float_digits")); err != nil {
		return nil, fmt.Errorf("read extra_float_digits: %w", err)
	}
	return &env, nil
}

// parseDateStyle reads DateStyle as SHOW prints it: a format, a comma, an order.
func parseDateStyle(setting string) (postgres.DateFormat, postgres.DateOrder) {
	format, order, _ := strings.Cut(setting, ", ")
	f, o := postgres.ISODates, postgres.MDY
	switch format {
	case "SQL":
		f = postgres.SQLDates
	case "Postgres":
		f = postgres.PostgresDates
	case "German":
		f = postgres.GermanDates
	}
	switch order {
	case "DMY":
		o = postgres.DMY
	case "YMD":
		o = postgres.YMD
	}
	return f, o
}

func parseIntervalStyle(setting string) postgres.IntervalStyle {
	switch setting {
	case "postgres_verbose":
		return postgres.PostgresVerboseIntervals
	case "sql_standard":
		return postgres.SQLStandardIntervals
	case "iso_8601":
		return postgres.ISO8601Intervals
	}
	return postgres.PostgresIntervals
}
