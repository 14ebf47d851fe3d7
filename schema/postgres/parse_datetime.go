package postgres

import (
	"math"

	"github.com/jackc/pgerrcode"
)

// maxTimestampDays is the last whole day that 64 bits of microseconds since 1970 hold: 294247-01-09.
const maxTimestampDays = math.MaxInt64/microsPerDay - 1

// endTimestampDays is where PostgreSQL's timestamps end: 294277-01-01 (END_TIMESTAMP).
const endTimestampDays = 106762940

// maxHour is how far PostgreSQL lets a labelled hour ("h100") run into the days after: to 32 bits of seconds.
const maxHour = math.MaxInt32 / 3600

func readDateTime(oid OID, text string, env *Env) (*dateTimeReader, error) {
	fields, ok := splitDateTime(text)
	if !ok {
		return nil, dateTimeError(errBadFormat, oid, text)
	}
	r := &dateTimeReader{env: env, fields: fields, timeOnly: oid == TimeOID || oid == TimeTZOID}
	if err := r.read(); err != nil {
		return nil, dateTimeError(err, oid, text)
	}
	return r, nil
}

func parseDate(text string, env *Env) (Datum, error) {
	r, err := readDateTime(DateOID, text, env)
	if err != nil {
		return Datum{}, err
	}
	d := Datum{Kind: DateKind}
	switch r.reserved {
	case epochWord:
	case infinityWord:
		d.Int = DateInfinity
	case minusInfinityWord:
		d.Int = DateNegativeInfinity
	default:
		if d.Int = r.days(); d.Int < minDate || d.Int >= endDate {
			return Datum{}, errorf(pgerrcode.DatetimeFieldOverflow, `date out of range: "%s"`, text)
		}
	}
	return d, nil
}

// parseTimestamp reads a timestamp, for which a zone in the text means nothing, or a timestamptz.
func parseTimestamp(oid OID, text string, typmod int32, env *Env) (Datum, error) {
	r, err := readDateTime(oid, text, env)
	if err != nil {
		return Datum{}, err
	}
	switch r.reserved {
	case epochWord:
		return TimestampDatum(0), nil
	case infinityWord:
		return TimestampDatum(TimestampInfinity), nil
	case minusInfinityWord:
		return TimestampDatum(TimestampNegativeInfinity), nil
	}
	outOfRange := errorf(pgerrcode.DatetimeFieldOverflow, `timestamp out of range: "%s"`, text)
	days := r.days()
	if days > maxTimestampDays && days < endTimestampDays {
		return Datum{}, errorf(pgerrcode.FeatureNotSupported, `a timestamp after the year 294246 is not supported: "%s"`, text)
	}
	earliest := int64(minDate)
	if oid == TimestampTZOID {
		earliest-- // in a zone west of Greenwich
	}
	if days < earliest || days > maxTimestampDays || r.hour > maxHour {
		return Datum{}, outOfRange
	}
	micros := days*microsPerDay + r.microsOfDay()
	if oid == TimestampTZOID {
		micros -= int64(r.zone) * microsPerSecond
	}
	if micros < minTimestamp {
		return Datum{}, outOfRange
	}
	return TimestampDatum(roundTimestamp(micros, typmod)), nil
}

func parseTime(oid OID, text string, typmod int32, env *Env) (Datum, error) {
	r, err := readDateTime(oid, text, env)
	if err != nil {
		return Datum{}, err
	}
	d := Datum{Kind: TimeKind, Int: roundMicros(r.microsOfDay(), typmod)}
	if oid == TimeTZOID {
		d.Kind, d.Zone = TimeTZKind, int32(r.zone)
	}
	return d, nil
}

// roundTimestamp rounds to the digits of timestamp(p), halves away from PostgreSQL's epoch.
func roundTimestamp(micros int64, typmod int32) int64 {
	if typmod < 0 || typmod >= 6 || micros == TimestampInfinity || micros == TimestampNegativeInfinity {
		return micros
	}
	return roundMicros(micros-epochMicros, typmod) + epochMicros
}

// roundMicros rounds to a number of digits after the second, halves away from zero.
func roundMicros(micros int64, digits int32) int64 {
	if digits < 0 || digits >= 6 {
		return micros
	}
	scale := int64(1)
	for range 6 - digits {
		scale *= 10
	}
	if micros < 0 {
		return -((-micros + scale/2) / scale * scale)
	}
	return (micros + scale/2) / scale * scale
}
