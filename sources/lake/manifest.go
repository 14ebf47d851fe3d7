package lake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

const (
	// formatVersion is the version of root and part.
	formatVersion = 1
	// maxPartFiles is how many files a part lists at most.
	maxPartFiles = 1000
	// maxCommits is how many commit ids a root remembers. A committer whose
	// answer got lost asks for its id at once, so this is plenty.
	maxCommits = 64
)

// root is the changing document of a manifest.
type root struct {
	Format     int                                `json:"format"`
	Version    uint64                             `json:"version"`
	Tenant     string                             `json:"tenant"`
	Namespace  string                             `json:"namespace"`
	Metric     string                             `json:"metric"`
	Generation uint32                             `json:"generation"`
	Watermarks map[stream.ShardID]stream.Sequence `json:"watermarks"`
	Parts      []partRef                          `json:"parts"`
	Commits    []commitRef                        `json:"commits"`
	Removed    []removed                          `json:"removed"`
	// Unstaged are the times of rows that no staged record brought.
	Unstaged sources.TimeSet `json:"unstaged,omitempty"`
	// Fence is the highest turn of a lease under which the manifest was written; 0:
	// under none.
	Fence uint64 `json:"fence,omitempty"`
}

// partRef names a part and sums it up, so that a part outside a statement's time
// bounds is not read.
type partRef struct {
	Key     string `json:"key"`
	Files   int    `json:"files"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	MinTime int64  `json:"min_time"`
	MaxTime int64  `json:"max_time"`
}

// commitRef remembers a commit. Merge: it changed files, but no row.
type commitRef struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
	Merge   bool   `json:"merge"`
}

// removed is an object that left the manifest and waits for the sweeper.
type removed struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// partDoc is the document of a part. Column lists repeat from file to file, so
// they stand once.
type partDoc struct {
	Format     int          `json:"format"`
	ColumnSets [][]string   `json:"column_sets"`
	Files      []fileRecord `json:"files"`
}

// fileRecord is one file in a partDoc. Columns, More, StatColumns and Full index
// ColumnSets; the last is absent in files of earlier versions, and so is Zeros. Stats are minimum and maximum of each of the StatColumns.
type fileRecord struct {
	Key         string     `json:"key"`
	Bytes       int64      `json:"bytes"`
	Rows        int64      `json:"rows"`
	Memory      int64      `json:"memory"`
	MinTime     int64      `json:"min_time"`
	MaxTime     int64      `json:"max_time"`
	Columns     int        `json:"columns"`
	More        int        `json:"more"`
	StatColumns int        `json:"stat_columns"`
	Stats       []float64  `json:"stats"`
	Full        *int       `json:"full,omitempty"`
	Zeros       *int       `json:"zeros,omitempty"`
	Pieces      int        `json:"pieces,omitempty"`
	Footer      *footerSum `json:"footer,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
}

// File is one file of the lake as a manifest lists it.
type File struct {
	Key   string
	Bytes int64
	Rows  int64
	// Memory is about what Read makes of the file, in bytes.
	Memory  int64
	Times   sources.Bounds
	Columns []string // physical columns, sorted
	More    []string // physical names in _more, sorted
	Stats   map[string]sources.Stats
	// Full are those of Columns, sorted, that are not NULL in any row; the stamps,
	// which never are, are not among them.
	Full []string
	// Zeros are those of Columns and More, sorted, in which a text has U+0000; nil: nobody
	// has looked.
	Zeros []string
	// Pieces is into how many files the rows of its time were divided; 0 is 1.
	Pieces    int
	CreatedAt time.Time
	footer    *footerSum // nil: in files of earlier versions
}

// filterKey is the object of the file's identity filter.
func (f *File) filterKey() string { return f.Key[:len(f.Key)-len(dataSuffix)] + filterSuffix }

func newRoot(ds schema.Dataset) *root {
	return &root{
		Format: formatVersion, Tenant: ds.Tenant, Namespace: ds.Namespace, Metric: ds.Metric, Generation: ds.Generation,
		Watermarks: map[stream.ShardID]stream.Sequence{},
	}
}

func (r *root) dataset() schema.Dataset {
	return schema.Dataset{Tenant: r.Tenant, Namespace: r.Namespace, Metric: r.Metric, Generation: r.Generation}
}

// clone copies what a commit changes.
func (r *root) clone() *root {
	c := *r
	c.Watermarks = maps.Clone(r.Watermarks)
	c.Parts = slices.Clone(r.Parts)
	c.Commits = slices.Clone(r.Commits)
	c.Removed = slices.Clone(r.Removed)
	c.Unstaged = slices.Clone(r.Unstaged)
	return &c
}

// raise fences off who has an earlier turn.
func (r *root) raise(turn uint64, ds schema.Dataset) error {
	if turn == 0 {
		return nil
	}
	if turn < r.Fence {
		return fmt.Errorf("commit to %s: the lease of turn %d was taken over, turn %d goes on: %w", ds.Metric, turn, r.Fence, ErrStale)
	}
	r.Fence = turn
	return nil
}

// note counts a commit.
func (r *root) note(id string, merge bool) {
	r.Version++
	r.Commits = append(r.Commits, commitRef{ID: id, Version: r.Version, Merge: merge})
	if extra := len(r.Commits) - maxCommits; extra > 0 {
		r.Commits = slices.Delete(r.Commits, 0, extra)
	}
}

func (r *root) hasCommit(id string) bool {
	return slices.ContainsFunc(r.Commits, func(c commitRef) bool { return c.ID == id })
}

// onlyMergesSince says that every version after the given one was made by a
// merge, as far as the root remembers.
func (r *root) onlyMergesSince(version uint64) bool {
	merges := uint64(0)
	for _, c := range r.Commits {
		if c.Version > version && c.Merge {
			merges++
		}
	}
	return merges == r.Version-version
}

func encodeRoot(r *root) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode manifest root: %w", err)
	}
	return data, nil
}

func decodeRoot(data []byte) (*root, error) {
	r := &root{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("decode root: %w", err)
	}
	if r.Format != formatVersion {
		return nil, fmt.Errorf("decode root: format %d, this version reads %d", r.Format, formatVersion)
	}
	if r.Watermarks == nil {
		r.Watermarks = map[stream.ShardID]stream.Sequence{}
	}
	return r, nil
}

// encodePart gives the document of a part. It is packed with zstd.
func encodePart(files []*File) ([]byte, error) {
	doc := partDoc{Format: formatVersion, ColumnSets: [][]string{}, Files: make([]fileRecord, 0, len(files))}
	sets := map[string]int{}
	var name []byte
	set := func(columns []string) int {
		name = name[:0]
		for _, c := range columns {
			name = append(append(name, c...), ' ')
		}
		n, ok := sets[string(name)]
		if !ok {
			n = len(doc.ColumnSets)
			sets[string(name)] = n
			doc.ColumnSets = append(doc.ColumnSets, columns)
		}
		return n
	}
	for _, f := range files {
		known := slices.Sorted(maps.Keys(f.Stats))
		if known == nil {
			known = []string{}
		}
		rec := fileRecord{
			Key: f.Key, Bytes: f.Bytes, Rows: f.Rows, Memory: f.Memory, MinTime: f.Times.Min, MaxTime: f.Times.Max,
			Columns: set(f.Columns), More: set(f.More), StatColumns: set(known), Stats: make([]float64, 0, 2*len(known)), Footer: f.footer, CreatedAt: f.CreatedAt,
		}
		if len(f.Full) > 0 {
			full := set(f.Full)
			rec.Full = &full
		}
		if f.Zeros != nil {
			zeros := set(f.Zeros)
			rec.Zeros = &zeros
		}
		if f.Pieces > 1 {
			rec.Pieces = f.Pieces
		}
		for _, column := range known {
			rec.Stats = append(rec.Stats, f.Stats[column].Min, f.Stats[column].Max)
		}
		doc.Files = append(doc.Files, rec)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode manifest part: %w", err)
	}
	return data, nil
}

// decodePart reads an unpacked part. Its lists of columns are what share gives for
// them.
func decodePart(data []byte, share func([]string) []string) ([]*File, error) {
	var doc partDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("decode part: %w", err)
	}
	if doc.Format != formatVersion {
		return nil, fmt.Errorf("decode part: format %d, this version reads %d", doc.Format, formatVersion)
	}
	for i, set := range doc.ColumnSets {
		doc.ColumnSets[i] = share(set)
	}
	files := make([]*File, 0, len(doc.Files))
	for i := range doc.Files {
		f, err := doc.Files[i].file(doc.ColumnSets)
		if err != nil {
			return nil, fmt.Errorf("decode part: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

// mayHaveZeros are the columns, sorted, in which a text may have U+0000.
func (f *File) mayHaveZeros() []string {
	if f.Zeros != nil {
		return f.Zeros
	}
	var texts []string
	for _, list := range [...][]string{f.Columns, f.More} {
		for _, c := range list {
			if c[0] == byte(schema.KindText) {
				texts = append(texts, c)
			}
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

func (r *fileRecord) file(sets [][]string) (*File, error) {
	for _, set := range [...]int{r.Columns, r.More, r.StatColumns} {
		if set < 0 || set >= len(sets) {
			return nil, fmt.Errorf("file %s names a column set that is not there", r.Key)
		}
	}
	var full []string
	if r.Full != nil {
		if *r.Full < 0 || *r.Full >= len(sets) {
			return nil, fmt.Errorf("file %s names a column set that is not there", r.Key)
		}
		full = sets[*r.Full]
	}
	var zeros []string
	if r.Zeros != nil {
		if *r.Zeros < 0 || *r.Zeros >= len(sets) {
			return nil, fmt.Errorf("file %s names a column set that is not there", r.Key)
		}
		zeros = append([]string{}, sets[*r.Zeros]...)
	}
	if r.Footer != nil && (r.Footer[0] < footerEnd || int64(r.Footer[0]) > r.Bytes) {
		return nil, fmt.Errorf("file %s is damaged", r.Key)
	}
	known := sets[r.StatColumns]
	if len(r.Stats) != 2*len(known) || !strings.HasSuffix(r.Key, dataSuffix) {
		return nil, fmt.Errorf("file %s is damaged", r.Key)
	}
	f := &File{
		Key: r.Key, Bytes: r.Bytes, Rows: r.Rows, Memory: r.Memory, Times: sources.Bounds{Min: r.MinTime, Max: r.MaxTime},
		Columns: sets[r.Columns], More: sets[r.More], Stats: make(map[string]sources.Stats, len(known)), CreatedAt: r.CreatedAt,
		Full: full, Zeros: zeros, Pieces: max(1, r.Pieces), footer: r.Footer,
	}
	for i, column := range known {
		f.Stats[column] = sources.Stats{Min: r.Stats[2*i], Max: r.Stats[2*i+1]}
	}
	return f, nil
}
