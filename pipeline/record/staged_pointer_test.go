package record_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/record"
)

func TestStagedPointer(t *testing.T) {
	t.Parallel()
	put := time.Date(2026, 11, 28, 23, 59, 0, 0, time.FixedZone("", 3600))
	large := bytes.Repeat([]byte("record"), record.StagedMax/6)
	want := record.PointTo("staged", put, large)
	data := want.Append(nil)
	kept := goldenFile(t, "staged-pointer-1.bin", data)
	if !bytes.Equal(data, kept) {
		t.Error("the bytes are not those of version 1")
	}
	got, ok, err := record.ParseStagedPointer(kept)
	if !ok || err != nil || got != want {
		t.Fatalf("parsed %+v, %v, %v; want %+v", got, ok, err, want)
	}
	if hour, err := record.SpillHour("staged", got.Key); err != nil || !hour.Equal(put.Truncate(time.Hour)) {
		t.Errorf("hour of %s: %v, %v", got.Key, hour, err)
	}
	if err := got.Check(large); err != nil {
		t.Error(err)
	}
	large[0]++
	if err := got.Check(large); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("another record: %v, want ErrCorrupt", err)
	}
	for n := 2; n < len(data); n++ {
		if _, ok, err := record.ParseStagedPointer(data[:n]); !ok || !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("the first %d bytes: %v, %v, want ErrCorrupt", n, ok, err)
		}
	}
	for _, other := range [][]byte{nil, {1}, {1, 0, 0}} {
		if _, ok, err := record.ParseStagedPointer(other); ok || err != nil {
			t.Errorf("%v: %v, %v, want no pointer", other, ok, err)
		}
	}
}
