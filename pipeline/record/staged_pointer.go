package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// StagedMax is the size in bytes over which a staged record lies in an object, and the log has a pointer to it (design
// section 3: a Kinesis record has at most 1 MB, and a DynamoDB item 400 KB).
const StagedMax = 350 << 10

// A pointer begins with its version, and the bit of a staged record's flags that says that it is one.
const (
	pointerVersion = 1
	flagPointer    = 1
)

const spillFolder = "spill/"

// StagedPointer says in which object a staged record lies.
type StagedPointer struct {
	Key  string
	Size int
	Sum  [sha256.Size]byte // of the record
}

// PointTo makes the pointer to a record of a log. Its key tells the hour, so that what no record points to can be found.
func PointTo(log string, hour time.Time, data []byte) StagedPointer {
	p := StagedPointer{Size: len(data), Sum: sha256.Sum256(data)}
	p.Key = SpillPrefix(log) + hour.UTC().Format(hourLayout) + "/" + hex.EncodeToString(p.Sum[:])
	return p
}

// SpillPrefix is what the keys of a log's spilled records begin with.
func SpillPrefix(log string) string { return spillFolder + log + "/" }

// SpillHour reads the hour out of the key of a log's spilled record.
func SpillHour(log, key string) (time.Time, error) {
	rest, ok := strings.CutPrefix(key, SpillPrefix(log))
	if !ok || len(rest) < len(hourLayout) {
		return time.Time{}, fmt.Errorf("key %q is not of a spilled record", key)
	}
	hour, err := time.Parse(hourLayout, rest[:len(hourLayout)])
	if err != nil {
		return time.Time{}, fmt.Errorf("key %q of a spilled record: %w", key, err)
	}
	return hour, nil
}

// Append appends the record that stands in the log.
func (p *StagedPointer) Append(dst []byte) []byte {
	dst = append(dst, pointerVersion, flagPointer)
	dst = appendBytes(dst, p.Key)
	dst = binary.AppendUvarint(dst, uint64(p.Size))
	return append(dst, p.Sum[:]...)
}

// ParseStagedPointer reads a pointer; ok is false for any other record.
func ParseStagedPointer(data []byte) (p StagedPointer, ok bool, err error) {
	if len(data) < 2 || data[0] != pointerVersion || data[1] != flagPointer {
		return p, false, nil
	}
	in := decoder{data: data[2:], ok: true}
	p.Key = string(in.bytes())
	p.Size = int(in.uvarint())
	copy(p.Sum[:], in.take(uint64(len(p.Sum))))
	return p, true, in.end("pointer to a staged record")
}

// Check says whether the data is the record that the pointer is to.
func (p *StagedPointer) Check(data []byte) error {
	if len(data) != p.Size || sha256.Sum256(data) != p.Sum {
		return fmt.Errorf("%w: object %s is not the record that was put", ErrCorrupt, p.Key)
	}
	return nil
}
