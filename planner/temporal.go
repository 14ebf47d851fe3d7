package planner

import (
	"math"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// foldedCalls are the functions, by name in pg_proc, that are computed over
// constants while binding. Each answers not ok for what it leaves to the engine.
var foldedCalls = map[string]func(*binder, []*Const) (postgres.Datum, bool){
	"timestamptz_pl_interval": func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], 1) },
	"timestamptz_mi_interval": func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], -1) },
	"timestamp_pl_interval":   func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], 1) },
	"timestamp_mi_interval":   func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], -1) },
	"date_pl_interval":        func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], 1) },
	"date_mi_interval":        func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[0], a[1], -1) },
	"interval_pl_timestamptz": func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[1], a[0], 1) },
	"interval_pl_timestamp":   func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[1], a[0], 1) },
	"interval_pl_date":        func(b *binder, a []*Const) (postgres.Datum, bool) { return b.shift(a[1], a[0], 1) },
	"date_pli":                func(_ *binder, a []*Const) (postgres.Datum, bool) { return addDays(a[0], a[1].Value.Int) },
	"date_mii":                func(_ *binder, a []*Const) (postgres.Datum, bool) { return addDays(a[0], -a[1].Value.Int) },
	"interval_um":             func(_ *binder, a []*Const) (postgres.Datum, bool) { return multiply(a[0], -1) },
	"interval_mul":            func(_ *binder, a []*Const) (postgres.Datum, bool) { return multiply(a[0], a[1].Value.Float) },
	"mul_d_interval":          func(_ *binder, a []*Const) (postgres.Datum, bool) { return multiply(a[1], a[0].Value.Float) },
	"date_trunc":              func(b *binder, a []*Const) (postgres.Datum, bool) { return b.truncate(a) },
	"timezone":                func(b *binder, a []*Const) (postgres.Datum, bool) { return b.atTimeZone(a) },
	"textcat":                 joinTexts,
	"textanycat":              joinTexts,
	"anytextcat":              joinTexts,
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

// The years in which dates are computed here; what lies outside is the engine's.
const (
	firstYear = 1
	lastYear  = 9999
)

// local is a moment as its zone's clock shows it; a date or timestamp without
// zone is taken as it stands.
func (b *binder) local(v postgres.Datum, oid postgres.OID) (time.Time, bool) {
	var t time.Time
	switch oid {
	case postgres.DateOID:
		if v.Int == postgres.DateInfinity || v.Int == postgres.DateNegativeInfinity {
			return t, false
		}
		t = time.Unix(v.Int*(microsPerDay/1_000_000), 0).UTC()
	case postgres.TimestampOID, postgres.TimestampTZOID:
		if v.Int == postgres.TimestampInfinity || v.Int == postgres.TimestampNegativeInfinity {
			return t, false
		}
		t = time.UnixMicro(v.Int).UTC()
		if oid == postgres.TimestampTZOID {
			t = t.In(b.zone())
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		}
	default:
		return t, false
	}
	return t, t.Year() >= firstYear && t.Year() <= lastYear
}

func (b *binder) zone() *time.Location {
	if b.env.values.Zone == nil {
		return time.UTC
	}
	return b.env.values.Zone
}

// instant is the moment at which a zone's clock shows a local time, by the rules
// that timestamptz input has for times that are skipped or repeated.
func instant(local time.Time, env postgres.Env) (postgres.Datum, bool) {
	if env.Zone == nil || env.Zone == time.UTC {
		return postgres.TimestampDatum(local.UnixMicro()), true
	}
	env.DateOrder = postgres.YMD
	d, err := postgres.ParseLiteral(postgres.TimestampTZOID, -1, local.Format("2006-01-02 15:04:05.000000"), env)
	return d, err == nil
}

// moment makes a value of a type from a local time.
func (b *binder) moment(local time.Time, oid postgres.OID) (postgres.Datum, bool) {
	if local.Year() < firstYear || local.Year() > lastYear {
		return postgres.Datum{}, false
	}
	switch oid {
	case postgres.DateOID:
		return postgres.Datum{Kind: postgres.DateKind, Int: floorDays(local)}, true
	case postgres.TimestampTZOID:
		return instant(local, b.env.values)
	}
	return postgres.TimestampDatum(local.UnixMicro()), true
}

func floorDays(t time.Time) int64 {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / (microsPerDay / 1_000_000)
}

// convertTime converts among date, timestamp and timestamptz by the session's zone.
func (b *binder) convertTime(v postgres.Datum, from, to postgres.OID) (postgres.Datum, bool) {
	switch to {
	case postgres.DateOID, postgres.TimestampOID, postgres.TimestampTZOID:
	default:
		return postgres.Datum{}, false
	}
	if from == to {
		return v, true
	}
	t, ok := b.local(v, from)
	if !ok {
		return postgres.Datum{}, false
	}
	return b.moment(t, to)
}

// shift adds an interval, or takes it away: months, then days, by the clock, then
// the rest as time that passes.
func (b *binder) shift(moment, interval *Const, sign int64) (postgres.Datum, bool) {
	months, days, micros := sign*int64(interval.Value.Months), sign*int64(interval.Value.Days), sign*interval.Value.Int
	oid := moment.T.OID
	if oid == postgres.DateOID {
		oid = postgres.TimestampOID
	}
	if abs := max(micros, -micros); abs > math.MaxInt64/4 || abs < 0 || max(days, -days) > lastYear*366 {
		return postgres.Datum{}, false
	}
	v, ok := b.convertTime(moment.Value, moment.T.OID, oid)
	for _, step := range []struct {
		n     int64
		apply func(time.Time) time.Time
	}{
		{months, func(t time.Time) time.Time { return addMonths(t, months) }},
		{days, func(t time.Time) time.Time { return t.AddDate(0, 0, int(days)) }},
	} {
		if step.n == 0 || !ok {
			continue
		}
		var t time.Time
		if t, ok = b.local(v, oid); ok {
			v, ok = b.moment(step.apply(t), oid)
		}
	}
	if !ok {
		return postgres.Datum{}, false
	}
	v.Int += micros
	_, ok = b.local(v, oid)
	return v, ok
}

// addMonths keeps the day of the month, or takes the month's last.
func addMonths(t time.Time, months int64) time.Time {
	months = max(min(months, 24*lastYear), -24*lastYear) // further is out of range all the same
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).AddDate(0, int(months), 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

func addDays(date *Const, days int64) (postgres.Datum, bool) {
	v := date.Value
	if v.Int == postgres.DateInfinity || v.Int == postgres.DateNegativeInfinity {
		return v, false
	}
	v.Int += days
	year := time.Unix(v.Int*(microsPerDay/1_000_000), 0).UTC().Year()
	return v, year >= firstYear && year <= lastYear
}

// multiply multiplies an interval by a whole number; fractions are the engine's.
func multiply(interval *Const, by float64) (postgres.Datum, bool) {
	v := interval.Value
	months, days, micros := float64(v.Months)*by, float64(v.Days)*by, float64(v.Int)*by
	const exact = 1 << 53
	if by != math.Trunc(by) || math.Abs(months) > math.MaxInt32 || math.Abs(days) > math.MaxInt32 || math.Abs(micros) > exact {
		return postgres.Datum{}, false
	}
	v.Months, v.Days, v.Int = int32(months), int32(days), int64(micros)
	return v, true
}

// clockUnits are the units of date_trunc within a day.
var clockUnits = map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour}

// truncate is date_trunc of a moment, by the clock of the session's zone.
func (b *binder) truncate(args []*Const) (postgres.Datum, bool) {
	if len(args) != 2 {
		return postgres.Datum{}, false
	}
	t, ok := b.local(args[1].Value, args[1].T.OID)
	if !ok {
		return postgres.Datum{}, false
	}
	y, m, d := t.Date()
	unit := args[0].Value.Str
	if step, ok := clockUnits[unit]; ok && args[1].T.OID != postgres.DateOID {
		// Within the day the offset stays, even where the clock shows an hour twice.
		return postgres.TimestampDatum(args[1].Value.Int - t.Sub(t.Truncate(step)).Microseconds()), true
	}
	switch unit {
	case "day":
		t = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	case "week":
		t = time.Date(y, m, d-int(t.Weekday()+6)%7, 0, 0, 0, 0, time.UTC)
	case "month":
		t = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		t = time.Date(y, (m-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case "year":
		t = time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
	default:
		return postgres.Datum{}, false
	}
	return b.moment(t, args[1].T.OID)
}

// atTimeZone is AT TIME ZONE of a named zone: from a local time to the moment, or
// back.
func (b *binder) atTimeZone(args []*Const) (postgres.Datum, bool) {
	if args[0].T.OID != postgres.TextOID {
		return postgres.Datum{}, false
	}
	zone, err := postgres.LoadZone(args[0].Value.Str)
	if err != nil {
		return postgres.Datum{}, false
	}
	other := *b
	env := *b.env
	env.values.Zone = zone
	other.env = &env
	switch args[1].T.OID {
	case postgres.TimestampOID:
		return other.convertTime(args[1].Value, postgres.TimestampOID, postgres.TimestampTZOID)
	case postgres.TimestampTZOID:
		return other.convertTime(args[1].Value, postgres.TimestampTZOID, postgres.TimestampOID)
	}
	return postgres.Datum{}, false
}
