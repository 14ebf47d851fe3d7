package lake

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/objstore"
)

// filter is a Bloom filter of the identities (time, id) of one file (B. Bloom,
// "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970). Its
// object is a magic of four bytes, the format, the number of probes, two bytes
// of zero, and the bits. With 12 bits a row and 8 probes about 3 in 1,000
// identities that are not in the file seem to be.
type filter []byte

const (
	filterMagic   = "FGID"
	filterFormat  = 1
	filterHeader  = 8
	filterBitsRow = 12
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

// probes walks the bit numbers of an identity (A. Kirsch and M. Mitzenmacher,
// "Less Hashing, Same Performance", 2006). The id is itself a hash; the time is
// spread by a multiplication, since it varies in few bits.
func (f filter) probes(ts int64, id schema.ID, visit func(bit uint64) bool) {
	const spread = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio
	bits := uint64(len(f)-filterHeader) * 8
	h := binary.LittleEndian.Uint64(id[:8]) ^ uint64(ts)*spread
	step := binary.LittleEndian.Uint64(id[8:]) | 1
	for range f[5] {
		if !visit(h % bits) {
			return
		}
		h += step
	}
}

func (f filter) add(ts int64, id schema.ID) {
	f.probes(ts, id, func(bit uint64) bool {
		f[filterHeader+bit/8] |= 1 << (bit % 8)
		return true
	})
}

// has says whether the identity may be in the file; false is certain.
func (f filter) has(ts int64, id schema.ID) bool {
	found := true
	f.probes(ts, id, func(bit uint64) bool {
		found = f[filterHeader+bit/8]&(1<<(bit%8)) != 0
		return found
	})
	return found
}

func (s *Store) filter(ctx context.Context, f *File) (filter, error) {
	key := f.filterKey()
	if found, ok := s.filters.Get(key); ok {
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
	s.filters.Add(key, found)
	return found, nil
}

// Suspect says of each identity whether the lake may hold it: false is certain,
// true is so but for a few in a thousand.
func (s *Store) Suspect(ctx context.Context, ds schema.Dataset, times []int64, ids []schema.ID) ([]bool, error) {
	v, err := s.Version(ctx, ds)
	if err != nil {
		return nil, err
	}
	suspects, err := v.suspects(ctx, times, ids)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(times))
	for _, rows := range suspects {
		for _, r := range rows {
			out[r] = true
		}
	}
	return out, nil
}

// suspects lists, by file, the identities (by index) that it may hold.
func (v *Version) suspects(ctx context.Context, times []int64, ids []schema.ID) (map[*File][]int, error) {
	if len(times) == 0 || len(v.root.Parts) == 0 {
		return map[*File][]int{}, nil
	}
	files, err := v.List(ctx, sources.Bounds{Min: slices.Min(times), Max: slices.Max(times)})
	if err != nil {
		return nil, err
	}
	found := map[*File][]int{}
	for _, f := range files {
		var ids0 filter // read only if some time lies in the file
		for i, t := range times {
			if !f.Times.Contains(t) {
				continue
			}
			if ids0 == nil {
				if ids0, err = v.store.filter(ctx, f); err != nil {
					return nil, err
				}
			}
			if ids0.has(t, ids[i]) {
				found[f] = append(found[f], i)
			}
		}
	}
	return found, nil
}

// Identity tells events of one dataset apart.
type Identity struct {
	Time int64
	ID   schema.ID
}

// Known finds those identities that this version holds, with the hash of the
// event that came first. It opens only files whose filter has one.
func (v *Version) Known(ctx context.Context, times []int64, ids []schema.ID) (map[Identity]schema.ID, error) {
	suspects, err := v.suspects(ctx, times, ids)
	if err != nil {
		return nil, err
	}
	known := map[Identity]schema.ID{}
	for f, rows := range suspects {
		wanted := make(map[Identity]struct{}, len(rows))
		for _, r := range rows {
			wanted[Identity{times[r], ids[r]}] = struct{}{}
		}
		err := v.store.readIdentities(ctx, f, func(ts int64, id, hash schema.ID) {
			key := Identity{ts, id}
			if _, ok := wanted[key]; ok {
				known[key] = hash
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}
