package stream

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// SequenceBytes is the length of a Sequence's binary form.
const SequenceBytes = 24

// sequenceDigits is the length of 2^192-1 in decimal.
const sequenceDigits = 58

// Sequence is the number of a record in its shard, most significant word first. 192 bits hold the up to 56 decimal
// digits of a Kinesis sequence number ("SequenceNumberRange", Kinesis API reference). The zero Sequence stands before
// every record.
type Sequence [3]uint64

// EndOfShard stands behind every record: the checkpoint of a consumer that has read a closed shard to its end.
var EndOfShard = Sequence{math.MaxUint64, math.MaxUint64, math.MaxUint64} //nolint:gochecknoglobals // an array cannot be a constant

// SequenceOf is the sequence with a number of 64 bits.
func SequenceOf(n uint64) Sequence { return Sequence{0, 0, n} }

// Compare is -1, 0 or +1 as s is less than, equal to or greater than t.
func (s Sequence) Compare(t Sequence) int {
	return cmp.Or(cmp.Compare(s[0], t[0]), cmp.Compare(s[1], t[1]), cmp.Compare(s[2], t[2]))
}

// IsZero says whether s is the number before every record.
func (s Sequence) IsZero() bool { return s == Sequence{} }

// Next is s + 1. It wraps to zero after the greatest.
func (s Sequence) Next() Sequence {
	var carry uint64
	s[2], carry = bits.Add64(s[2], 1, 0)
	s[1], carry = bits.Add64(s[1], 0, carry)
	s[0], _ = bits.Add64(s[0], 0, carry)
	return s
}

// String is the number in decimal.
func (s Sequence) String() string {
	var digits [sequenceDigits]byte
	at := len(digits)
	for {
		var digit uint64
		for i := range s {
			s[i], digit = bits.Div64(digit, s[i], 10)
		}
		at--
		digits[at] = '0' + byte(digit)
		if s.IsZero() {
			return string(digits[at:])
		}
	}
}

// ParseSequence reads a decimal number of up to 192 bits.
func ParseSequence(text string) (Sequence, error) {
	if text == "" {
		return Sequence{}, fmt.Errorf("parse sequence %q: empty", text)
	}
	var s Sequence
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return Sequence{}, fmt.Errorf("parse sequence %q: not a decimal number", text)
		}
		carry := uint64(c - '0')
		for i := len(s) - 1; i >= 0; i-- {
			high, low := bits.Mul64(s[i], 10)
			var over uint64
			s[i], over = bits.Add64(low, carry, 0)
			carry = high + over
		}
		if carry != 0 {
			return Sequence{}, fmt.Errorf("parse sequence %q: more than 192 bits", text)
		}
	}
	return s, nil
}

// AppendBinary appends the number in 24 bytes, most significant first, so that the order of the bytes is that of the
// numbers.
func (s Sequence) AppendBinary(dst []byte) []byte {
	for _, word := range s {
		dst = binary.BigEndian.AppendUint64(dst, word)
	}
	return dst
}

// DecodeSequence reads what AppendBinary wrote. It wants exactly SequenceBytes.
func DecodeSequence(data []byte) (Sequence, error) {
	if len(data) != SequenceBytes {
		return Sequence{}, fmt.Errorf("decode sequence: %d bytes, want %d", len(data), SequenceBytes)
	}
	var s Sequence
	for i := range s {
		s[i] = binary.BigEndian.Uint64(data[8*i:])
	}
	return s, nil
}

// MarshalText implements encoding.TextMarshaler: the decimal number.
func (s Sequence) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sequence) UnmarshalText(text []byte) error {
	parsed, err := ParseSequence(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Position is where something made from a record stands: the record, and the index in it of what it is about. Positions
// of one shard are ordered; those of different shards are not, save that Compare has to say something.
type Position struct {
	Shard ShardID
	Seq   Sequence
	Index uint32 // 0 is the first in the record
}

// Compare is -1, 0 or +1 as p stands before, at or after q in their shard. Different shards compare by their numbers.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Shard, q.Shard), p.Seq.Compare(q.Seq), cmp.Compare(p.Index, q.Index))
}

// String is shard/sequence/index, for logs and messages.
func (p Position) String() string { return fmt.Sprintf("%d/%s/%d", p.Shard, p.Seq, p.Index) }
