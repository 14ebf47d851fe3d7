package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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
		if of.document == nil {
			continue
		}
		l, err := restore(ds, of.document, of.chunks)
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

func rootKey(ds schema.Dataset, shard uint64) string { return datasetPrefix(ds) + padded(shard) }

func padded(n uint64) string { return fmt.Sprintf("%020d", n) }

// storedProfile is what the KV has of a profile.
type storedProfile struct {
	through Position
	version uint64 // of the root; 0: there is none
	half    int    // that the root names
	// unclaimed is the root as another process put it; nil: there is none, or this
	// process put it last.
	unclaimed []byte
	// versions are those of the chunks in each half.
	versions [2][]uint64
}

// loadedProfile is a profile as the KV has it.
type loadedProfile struct {
	storedProfile
	document *rootDocument // nil: it was never written whole
	chunks   []*chunkDocument
}

const (
	pageSize = 50 // values are up to 300 KB
	// loadAttempts bounds how often a profile is read anew that is written meanwhile, and
	// loadPause is how much longer is waited after each than after the last.
	loadAttempts = 10
	loadPause    = 10 * time.Millisecond
)

var errTorn = errors.New("a profile was written while it was read")

// load reads the profiles of a dataset, of the shards that are wanted. With errTorn it
// gives what it could read of them, all but the documents of one that is torn.
func (p *Profiles) load(ctx context.Context, ds schema.Dataset, wanted func(shard uint64) bool) (out map[uint64]*loadedProfile, err error) {
	for attempt := range loadAttempts {
		if out, err = p.loadOnce(ctx, ds, wanted); !errors.Is(err, errTorn) {
			return out, err
		}
		select {
		case <-time.After(time.Duration(attempt) * loadPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return out, fmt.Errorf("read profiles of metric %q: %w", ds.Metric, err)
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
	var torn error
	for number, of := range out {
		if of.document != nil && !of.complete(halves[number][of.half]) {
			of.document, torn = nil, errTorn
		}
	}
	return out, torn
}

// complete takes the chunks that the root names, and says whether they are all there and
// of one write.
func (of *loadedProfile) complete(chunks []*chunkDocument) bool {
	if len(chunks) < of.document.Chunks {
		return false
	}
	of.chunks = chunks[:of.document.Chunks]
	return !slices.ContainsFunc(of.chunks, func(c *chunkDocument) bool { return c.Through != of.through })
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
		of.document, of.through, of.version, of.half, of.unclaimed = &root, root.Through, item.Version, root.Half, item.Value
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
	if err := p.claim(ctx, l, shard); err != nil {
		return fmt.Errorf("write profile of metric %q: %w", l.dataset.Metric, err)
	}
	half := 1 - st.half
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

// claim puts the root of a profile as it is. Who had the shard before may be writing it
// still, into the same half: its root is refused from now on, and cannot come to name
// chunks of which some were written by one process and some by another.
func (p *Profiles) claim(ctx context.Context, l *live, shard uint64) error {
	st := &l.stored
	if st.unclaimed == nil {
		if st.version != 0 {
			return nil
		}
		var err error
		st.half = 1 // so that the first chunks go into half 0
		if st.unclaimed, err = json.Marshal(&rootDocument{Format: documentFormat, Half: st.half}); err != nil {
			return err
		}
	}
	version, err := p.kv.Put(ctx, rootKey(l.dataset, shard), st.unclaimed, st.version)
	if err != nil {
		return err
	}
	st.version, st.unclaimed = version, nil
	return nil
}

func (p *Profiles) put(ctx context.Context, l *live, shard uint64, half int, root []byte, chunks [][]byte) error {
	st := &l.stored
	key := rootKey(l.dataset, shard)
	versions := &st.versions[half]
	for i, data := range chunks {
		if i == len(*versions) {
			*versions = append(*versions, 0)
		}
		version, err := p.putChunk(ctx, fmt.Sprintf("%s/%d/%s", key, half, padded(uint64(i))), data, (*versions)[i], key, st.version)
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

// putChunk puts a chunk also over what another process has put meanwhile, as long as the
// root is at the version that this one put. The order matters: whoever changes the root
// afterwards finds its own chunk at another version than here is expected, or has this
// one put over.
func (p *Profiles) putChunk(ctx context.Context, key string, data []byte, expect uint64, rootKey string, claimed uint64) (uint64, error) {
	for {
		version, err := p.kv.Put(ctx, key, data, expect)
		if !errors.Is(err, schema.ErrConflict) {
			return version, err
		}
		there, missing := p.kv.Get(ctx, key)
		root, gone := p.kv.Get(ctx, rootKey)
		switch other := errors.Join(missing, gone); {
		case errors.Is(other, schema.ErrNotFound):
			return 0, err
		case other != nil:
			return 0, other
		}
		if root.Version != claimed {
			return 0, err
		}
		expect = there.Version
	}
}
