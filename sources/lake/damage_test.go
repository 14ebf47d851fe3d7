package lake_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/lake"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// TestDamagedBytes changes a byte of a file, at many places one after the other: what
// compaction reads is an error or the rows as they were written, and never others.
func TestDamagedBytes(t *testing.T) {
	t.Parallel()
	s, bucket, _ := setup(t)
	var b sources.Builder
	for n := range 64 {
		e := oddButFew(n)
		b.Add(&e, at(n))
	}
	batches := []*sources.Batch{b.Batch()}
	files, err := s.Write(t.Context(), thermo, batches, lake.Order(batches, nil), nil)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	path, err := bucket.(*objstore.Dir).Path(files[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (string, error) {
		batches, err := s.Read(t.Context(), files[0])
		var text strings.Builder
		for _, b := range batches {
			for r := range b.Rows {
				text.WriteString(rowText(b, r))
			}
		}
		return text.String(), err
	}
	want, err := read()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	const step = 7
	for at := range len(whole) {
		if at < len(whole)-1300 && at%step != 0 { // the footer has no checksum of its own, so each of its bytes is changed
			continue
		}
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x41
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		switch got, err := read(); {
		case err != nil && !strings.Contains(err.Error(), files[0].Key):
			t.Errorf("byte %d of %d: the error does not name the file: %v", at, len(whole), err)
		case err != nil:
			found++
		case got != want:
			t.Errorf("byte %d of %d changed: other rows without an error", at, len(whole))
		}
	}
	if least := len(whole) / step / 2; found < least {
		t.Errorf("%d changes were found, want at least %d", found, least)
	}
}
