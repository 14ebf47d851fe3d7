package profile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/fieldgate/fieldgate/schema"
)

// Config configures Profiles.
type Config struct {
	// ShardBytes is about how much memory the profiles of one shard may take between
	// two flushes. Default 32 MB.
	ShardBytes int
}

func (c Config) withDefaults() Config {
	if c.ShardBytes == 0 {
		c.ShardBytes = 32 << 20
	}
	return c
}

// Profiles are those of all datasets: of the shards that this process counts as
// they are now, and of others as they were last written.
type Profiles struct {
	kv  schema.KV
	cfg Config

	mu     sync.Mutex // guards shards
	shards map[uint64]*Shard
}

// New returns the profiles that kv has. It reads nothing yet.
func New(kv schema.KV, cfg Config) *Profiles {
	return &Profiles{kv: kv, cfg: cfg.withDefaults(), shards: map[uint64]*Shard{}}
}

// Shard begins to profile a shard. What an earlier Shard of that number noted and
// did not flush is forgotten.
func (p *Profiles) Shard(number uint64) *Shard {
	s := &Shard{profiles: p, number: number, casts: newCastCache(), live: map[schema.Dataset]*live{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shards[number] = s
	return s
}

// Summary merges the profiles of datasets' shards.
func (p *Profiles) Summary(ctx context.Context, datasets ...schema.Dataset) (*Summary, error) {
	m := newMerger()
	for _, ds := range datasets {
		if err := p.merge(ctx, m, ds); err != nil {
			return nil, err
		}
	}
	return m.summary(), nil
}

func (p *Profiles) merge(ctx context.Context, m *merger, ds schema.Dataset) error {
	p.mu.Lock()
	shards := maps.Clone(p.shards)
	p.mu.Unlock()
	counted := map[uint64]bool{}
	for number, s := range shards {
		if l := s.find(ds); l != nil {
			counted[number] = true
			l.mu.Lock()
			m.add(l)
			l.mu.Unlock()
		}
	}
	stored, err := p.load(ctx, ds, func(number uint64) bool { return !counted[number] })
	if err != nil {
		return err
	}
	for _, of := range stored {
		if of.root == nil {
			continue
		}
		l, err := restore(ds, of.root, of.chunks)
		if err != nil {
			return err
		}
		m.add(l)
	}
	return nil
}

// The keys are profiles/<tenant>/<dataset>/<shard> for the root, and, behind
// that, <half>/<number> for chunks.
const keyPrefix = "profiles/"

func datasetPrefix(ds schema.Dataset) string {
	return keyPrefix + ds.Tenant + "/" + ds.KeyPath() + "/"
}

func padded(n uint64) string { return fmt.Sprintf("%020d", n) }

// storedProfile is what the KV has of a profile.
type storedProfile struct {
	through Position
	version uint64 // of the root; 0: there is none
	half    int    // that the root names
	// versions are those of the chunks in each half.
	versions [2][]uint64
}

// loadedProfile is a profile as the KV has it.
type loadedProfile struct {
	storedProfile
	root   *rootDocument // nil: it was never written whole
	chunks []*chunkDocument
}

const (
	pageSize = 50 // values are up to 300 KB
	// loadAttempts bounds how often a profile is read anew that is written meanwhile.
	loadAttempts = 10
)

var errTorn = errors.New("a profile was written while it was read")

// load reads the profiles of a dataset, of the shards that are wanted.
func (p *Profiles) load(ctx context.Context, ds schema.Dataset, wanted func(shard uint64) bool) (map[uint64]*loadedProfile, error) {
	for range loadAttempts {
		out, err := p.loadOnce(ctx, ds, wanted)
		if !errors.Is(err, errTorn) {
			return out, err
		}
	}
	return nil, fmt.Errorf("read profiles of metric %q: %w", ds.Metric, errTorn)
}

func (p *Profiles) loadOnce(ctx context.Context, ds schema.Dataset, wanted func(shard uint64) bool) (map[uint64]*loadedProfile, error) {
	out := map[uint64]*loadedProfile{}
	prefix := datasetPrefix(ds)
	halves := map[uint64]*[2][]*chunkDocument{}
	for after := ""; ; {
		items, err := p.kv.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read profiles of metric %q: %w", ds.Metric, err)
		}
		for _, item := range items {
			after = item.Key
			parts := strings.Split(item.Key[len(prefix):], "/")
			number, err := strconv.ParseUint(parts[0], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", item.Key, err)
			}
			if !wanted(number) {
				continue
			}
			if out[number] == nil {
				out[number], halves[number] = &loadedProfile{}, &[2][]*chunkDocument{}
			}
			if err := out[number].take(item, parts[1:], halves[number]); err != nil {
				return nil, err
			}
		}
		if len(items) < pageSize {
			break
		}
	}
	for number, of := range out {
		if of.root == nil {
			continue
		}
		chunks := halves[number][of.root.Half]
		if len(chunks) < of.root.Chunks {
			return nil, errTorn
		}
		of.chunks = chunks[:of.root.Chunks]
		for _, c := range of.chunks {
			if c.Through != of.root.Through {
				return nil, errTorn
			}
		}
	}
	return out, nil
}

// take enters one document: the root, or a chunk, whose parts of the key are its
// half and number.
func (of *loadedProfile) take(item schema.Item, parts []string, halves *[2][]*chunkDocument) error {
	switch {
	case len(parts) == 0:
		var root rootDocument
		if err := decode(item, &root, func() int { return root.Format }); err != nil {
			return err
		}
		if root.Half != 0 && root.Half != 1 {
			return fmt.Errorf("decode %s: half %d", item.Key, root.Half)
		}
		of.root, of.through, of.version, of.half = &root, root.Through, item.Version, root.Half
		return nil
	case len(parts) == 2 && (parts[0] == "0" || parts[0] == "1"):
		var chunk chunkDocument
		if err := decode(item, &chunk, func() int { return chunk.Format }); err != nil {
			return err
		}
		half := int(parts[0][0] - '0')
		halves[half] = append(halves[half], &chunk)
		of.versions[half] = append(of.versions[half], item.Version)
		return nil
	}
	return fmt.Errorf("decode %s: no such key is written", item.Key)
}

// write puts a profile: the chunks into the half of their keys that is not read,
// then the root, which names it.
func (p *Profiles) write(ctx context.Context, l *live, shard uint64, through Position) error {
	st := &l.stored
	half := st.half
	if st.version != 0 {
		half = 1 - half
	}
	root, chunks, err := l.encode(through, half)
	if err != nil {
		return err
	}
	if err := p.put(ctx, l, shard, half, root, chunks); err != nil {
		l.mu.Lock()
		l.dirty = true
		l.mu.Unlock()
		return fmt.Errorf("write profile of metric %q: %w", l.dataset.Metric, err)
	}
	st.half, st.through = half, through
	return nil
}

func (p *Profiles) put(ctx context.Context, l *live, shard uint64, half int, root []byte, chunks [][]byte) error {
	st := &l.stored
	key := datasetPrefix(l.dataset) + padded(shard)
	versions := &st.versions[half]
	for i, data := range chunks {
		if i == len(*versions) {
			*versions = append(*versions, 0)
		}
		version, err := p.kv.Put(ctx, fmt.Sprintf("%s/%d/%s", key, half, padded(uint64(i))), data, (*versions)[i])
		if err != nil {
			return err
		}
		(*versions)[i] = version
	}
	version, err := p.kv.Put(ctx, key, root, st.version)
	if err != nil {
		return err
	}
	st.version = version
	return nil
}
