package kinesis

import (
	"fmt"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

const (
	// indexBits of a sequence are the place in the record. Kinesis' numbers are of
	// 186 bits: 56 digits that begin with 49 to 73.
	indexBits = 6
	// maxEntries is how many entries a record can hold.
	maxEntries = 1 << indexBits
	// pastRecord is the place behind the last of a record.
	pastRecord = maxEntries - 1
)

// sequenceOf is the sequence of an entry: the number of its record in Kinesis, as
// text, and its place there.
func sequenceOf(number string, index int) (stream.Sequence, error) {
	n, err := stream.ParseSequence(number)
	if err != nil {
		return stream.Sequence{}, err
	}
	if n[0]>>(64-indexBits) != 0 {
		return stream.Sequence{}, fmt.Errorf("sequence number %s has more than %d bits", number, 192-indexBits)
	}
	return stream.Sequence{
		n[0]<<indexBits | n[1]>>(64-indexBits),
		n[1]<<indexBits | n[2]>>(64-indexBits),
		n[2]<<indexBits | uint64(index),
	}, nil
}

// record is the sequence of the first place in the same record.
func record(s stream.Sequence) stream.Sequence {
	s[2] &^= maxEntries - 1
	return s
}

// past is the last sequence that the same record could have.
func past(s stream.Sequence) stream.Sequence {
	s[2] |= pastRecord
	return s
}

// indexOf is the place in the record.
func indexOf(s stream.Sequence) int { return int(s[2] & (maxEntries - 1)) }

// numberOf is Kinesis' number of the record.
func numberOf(s stream.Sequence) string {
	return stream.Sequence{
		s[0] >> indexBits,
		s[0]<<(64-indexBits) | s[1]>>indexBits,
		s[1]<<(64-indexBits) | s[2]>>indexBits,
	}.String()
}
