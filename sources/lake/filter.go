package lake

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// filter is a Bloom filter of the identities (time, id) of one file (B. Bloom,
// "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970). Its
// object is a magic of four bytes, the format, the number of probes, two bytes
// of zero, and the bits. With 16 bits a row and 8 probes about 6 in 10,000
// identities that are not in the file seem to be.
type filter []byte

const (
	filterMagic   = "FGID"
	filterFormat  = 1
	filterHeader  = 8
	filterBitsRow = 16
	filterProbes  = 8
)

func newFilter(rows int) filter {
	words := max(1, (rows*filterBitsRow+63)/64)
	f := make(filter, filterHeader+8*words)
	copy(f, filterMagic)
	f[4], f[5] = filterFormat, filterProbes
	return f
}

func parseFilter(data []byte) (filter, error) {
	if len(data) < filterHeader+8 || (len(data)-filterHeader)%8 != 0 || string(data[:4]) != filterMagic || data[5] == 0 {
		return nil, fmt.Errorf("identity filter: damaged")
	}
	if data[4] != filterFormat {
		return nil, fmt.Errorf("identity filter: format %d, this version reads %d", data[4], filterFormat)
	}
	return data, nil
}

// probes gives the hash of an identity and what is added to it from probe to
// probe (A. Kirsch and M. Mitzenmacher, "Less Hashing, Same Performance", 2006).
// The id is itself a hash; the time is spread by a multiplication, since it
// varies in few bits.
func probes(ts int64, id *schema.ID) (hash, step uint64) {
	const spread = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
	return binary.LittleEndian.Uint64(id[:8]) ^ uint64(ts)*spread, binary.LittleEndian.Uint64(id[8:]) | 1
}

// bit is the one of the bits that a hash falls on: hash/2^64 of the way, without
// a division (D. Lemire, "Fast Random Integer Generation in an Interval", 2019).
func bit(hash, bitCount uint64) uint64 {
	n, _ := bits.Mul64(hash, bitCount)
	return n
}

func (f filter) add(ts int64, id *schema.ID) {
	set := f[filterHeader:]
	count := uint64(len(set)) * 8
	hash, step := probes(ts, id)
	for range f[5] {
		n := bit(hash, count)
		set[n/8] |= 1 << (n % 8)
		hash += step
	}
}

// has says whether the identity may be in the file; false is certain.
func (f filter) has(ts int64, id *schema.ID) bool {
	set := f[filterHeader:]
	count := uint64(len(set)) * 8
	hash, step := probes(ts, id)
	for range f[5] {
		n := bit(hash, count)
		if set[n/8]&(1<<(n%8)) == 0 {
			return false
		}
		hash += step
	}
	return true
}

func (s *Store) filter(ctx context.Context, f *File) (filter, error) {
	key := f.filterKey()
	if found, ok := s.filters.get(key); ok {
		return found, nil
	}
	data, _, err := objstore.Read(ctx, s.cfg.Bucket, key)
	if err != nil {
		return nil, fmt.Errorf("read identity filter: %w", err)
	}
	found, err := parseFilter(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	s.filters.put(key, found)
	return found, nil
}
