package lake

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/fieldgate/fieldgate/schema"
)

// TestGoldenBytes encodes again what it decoded from the golden bucket. Only a
// new format may change the bytes.
func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	read := func(pattern string) map[string][]byte {
		t.Helper()
		paths, err := filepath.Glob(filepath.Join("testdata/v1*/lake/acme/-/$54hermo$2d1/0", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		found := map[string][]byte{}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = data
		}
		return found
	}
	same := func(name string, got, want []byte, err error) {
		t.Helper()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is encoded as\n%s\nwant\n%s\n%v", name, got, want, err)
		}
	}
	for name, data := range read(rootName) {
		r, err := decodeRoot(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := encodeRoot(r)
		same(name, again, data, err)
	}
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unpack.Close()
	for name, packed := range read(partPrefix + "*") {
		data, err := unpack.DecodeAll(packed, nil)
		if err != nil {
			t.Fatal(err)
		}
		files, err := decodePart(data, own)
		if err != nil {
			t.Fatal(err)
		}
		again, err := encodePart(files)
		same(name, again, data, err)
	}
}

// TestFilterBytes sets the bits of a filter as docs/format/lake.md says, in
// numbers without bounds.
func TestFilterBytes(t *testing.T) {
	t.Parallel()
	times := []int64{0, 1_800_000_000_000_000, -1}
	ids := []schema.ID{{}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {0xff, 15: 0xff}}
	f := newFilter(len(ids))
	want := append([]byte("FGID\x01\x08\x00\x00"), make([]byte, 8)...) // 48 bits are one word
	two64 := new(big.Int).Lsh(big.NewInt(1), 64)
	for i := range ids {
		f.add(times[i], &ids[i])
		number := func(littleEndian []byte) *big.Int {
			b := slices.Clone(littleEndian)
			slices.Reverse(b)
			return new(big.Int).SetBytes(b)
		}
		a, b := number(ids[i][:8]), number(ids[i][8:])
		h := new(big.Int).Mod(new(big.Int).Mul(big.NewInt(times[i]), big.NewInt(0).SetUint64(0x9E3779B97F4A7C15)), two64)
		h.Xor(h, a)
		s := b.Or(b, big.NewInt(1))
		for probe := range int64(8) {
			at := new(big.Int).Mod(new(big.Int).Add(h, new(big.Int).Mul(big.NewInt(probe), s)), two64)
			bit := at.Rsh(at.Mul(at, big.NewInt(64)), 64).Int64()
			want[8+bit/8] |= 1 << (bit % 8)
		}
	}
	if !bytes.Equal(f, want) {
		t.Errorf("filter %x, want %x", []byte(f), want)
	}
	for i := range ids {
		if !f.has(times[i], &ids[i]) {
			t.Errorf("identity %d is not in it", i)
		}
	}
}

// TestPartMembers encodes what only some files have.
func TestPartMembers(t *testing.T) {
	t.Parallel()
	files := []*File{
		{Key: "a" + dataSuffix, Columns: []string{"n_a", "n_b"}, Zeros: []string{}, Full: []string{"n_a"}, Pieces: 3},
		{Key: "b" + dataSuffix, Columns: []string{"n_a", "s_b"}, More: []string{"s_a"}, Zeros: []string{"s_a"}, Pieces: 1},
	}
	data, err := encodePart(files)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodePart(data, own)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range back {
		if !slices.Equal(f.Full, files[i].Full) || f.Pieces != files[i].Pieces {
			t.Errorf("%s is full in %v and one of %d, want %v and %d", f.Key, f.Full, f.Pieces, files[i].Full, files[i].Pieces)
		}
		if !slices.Equal(f.Zeros, files[i].Zeros) {
			t.Errorf("%s has U+0000 in %v, want %v", f.Key, f.Zeros, files[i].Zeros)
		}
	}
	before, err := decodePart(regexp.MustCompile(`"zeros":\d,`).ReplaceAll(data, nil), own)
	if err != nil {
		t.Fatal(err)
	}
	if has := before[1].mayHaveZeros(); len(before[0].mayHaveZeros()) > 0 || !slices.Equal(has, []string{"s_a", "s_b"}) {
		t.Errorf("a file of an earlier version may have U+0000 in %v", has)
	}
	broken := bytes.Replace(data, []byte(`"full":2`), []byte(`"full":9`), 1)
	if _, err := decodePart(broken, own); err == nil || bytes.Equal(broken, data) {
		t.Errorf("full columns that are no set were read: %s", broken)
	}
}

// own shares no list.
func own(columns []string) []string { return columns }
