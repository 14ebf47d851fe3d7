package wire

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The sign words of numeric's binary form (numeric.c of PostgreSQL), whose last
// word is the display scale.
const (
	numericPositive    = 0x0000
	numericNegative    = 0x4000
	numericNaN         = 0xC000
	numericInfinity    = 0xD000
	numericNegInfinity = 0xF000
	// infinityScale is what PostgreSQL sends there for infinities.
	infinityScale = 0x20
)

// appendNumericBinary converts the text of a numeric to its binary form: groups
// of four decimal digits, without zero groups at either end.
func appendNumericBinary(dst, text []byte) []byte {
	switch string(text) {
	case "NaN":
		return appendNumericHeader(dst, numericNaN, 0)
	case "Infinity":
		return appendNumericHeader(dst, numericInfinity, infinityScale)
	case "-Infinity":
		return appendNumericHeader(dst, numericNegInfinity, infinityScale)
	}
	sign := uint16(numericPositive)
	if len(text) > 0 && text[0] == '-' {
		sign, text = numericNegative, text[1:]
	}
	whole, fraction, _ := bytes.Cut(text, []byte{'.'})
	whole = bytes.TrimLeft(whole, "0")
	scale := len(fraction)
	groups := (len(whole) + 3) / 4
	weight := groups - 1

	at := len(dst)
	dst = appendNumericHeader(dst, sign, scale)
	first := len(dst)
	for i := range groups {
		from := len(whole) - 4*(groups-i)
		dst = appendGroup(dst, whole[max(from, 0):from+4], 0)
	}
	for len(fraction) > 0 {
		n := min(4, len(fraction))
		dst = appendGroup(dst, fraction[:n], 4-n)
		fraction = fraction[n:]
	}
	for len(dst) > first && dst[len(dst)-1] == 0 && dst[len(dst)-2] == 0 {
		dst = dst[:len(dst)-2]
	}
	zeros := 0
	for first+2*zeros < len(dst) && dst[first+2*zeros] == 0 && dst[first+2*zeros+1] == 0 {
		zeros++
	}
	dst = append(dst[:first], dst[first+2*zeros:]...)
	weight -= zeros
	count := (len(dst) - first) / 2
	if count == 0 {
		weight, sign = 0, numericPositive
	}
	binary.BigEndian.PutUint16(dst[at:], uint16(count))
	binary.BigEndian.PutUint16(dst[at+2:], uint16(weight))
	binary.BigEndian.PutUint16(dst[at+4:], sign)
	return dst
}

// appendNumericHeader leaves the count of groups and the weight of the first at 0.
func appendNumericHeader(dst []byte, sign uint16, scale int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, sign)
	return binary.BigEndian.AppendUint16(dst, uint16(min(scale, math.MaxInt16)))
}

// appendGroup appends up to four digits as one group, zeros more to their right.
func appendGroup(dst, digits []byte, zeros int) []byte {
	var n uint16
	for _, c := range digits {
		n = 10*n + uint16(c-'0')
	}
	for range zeros {
		n *= 10
	}
	return binary.BigEndian.AppendUint16(dst, n)
}
