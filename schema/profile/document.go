package profile

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
)

// documentFormat is the format of the documents; see docs/format/keyvalue.md.
const documentFormat = 1

// chunkBytes is about how long a document of names is at most.
const chunkBytes = 200 << 10

type (
	// rootDocument is a profile but for its names.
	rootDocument struct {
		Format  int      `json:"format"`
		Through Position `json:"through"`
		// Half is the half of the chunks' keys that belongs to this document.
		Half   int           `json:"half"`
		Chunks int           `json:"chunks"`
		Events int64         `json:"events"`
		Rows   []rowDocument `json:"rows,omitempty"`
		// Shapes has 5 times a name's number plus its kind's for each value.
		Shapes [][]int `json:"shapes,omitempty"`
	}
	rowDocument struct {
		Priority uint64 `json:"p"`
		Time     int64  `json:"t"`
		Stratum  uint8  `json:"s,omitempty"`
	}
	// chunkDocument is a run of a profile's names.
	chunkDocument struct {
		Format  int            `json:"format"`
		Through Position       `json:"through"`
		Names   []nameDocument `json:"names"`
	}
	nameDocument struct {
		Name     string           `json:"name"`
		Together []uint64         `json:"together,omitempty"`
		Kinds    []kindDocument   `json:"kinds"`
		Numbers  *runningDocument `json:"numbers,omitempty"`
	}
	kindDocument struct {
		Kind      string      `json:"kind"`
		Events    int64       `json:"events"`
		FirstSeen int64       `json:"first_seen"`
		LastSeen  int64       `json:"last_seen"`
		Distinct  []byte      `json:"distinct,omitempty"`
		Casts     [][2]int64  `json:"casts,omitempty"`
		Sizes     [][3]int64  `json:"sizes,omitempty"`
		Ints      *[2]int64   `json:"ints,omitempty"`
		Doubles   *[2]float64 `json:"doubles,omitempty"`
		Texts     *[2]string  `json:"texts,omitempty"`
	}
	runningDocument struct {
		All    int64       `json:"all"`
		Began  int64       `json:"began,omitempty"`
		Next   int64       `json:"next,omitempty"`
		Count  int64       `json:"count"`
		Shift  float64     `json:"shift"`
		Sums   [4]float64  `json:"sums"`
		Taken  [2]float64  `json:"taken"`
		Bounds *[2]float64 `json:"bounds,omitempty"`
		Column []byte      `json:"column"`
		// Distances are from a value near the median.
		Distances *distancesDocument `json:"distances,omitempty"`
	}
	distancesDocument struct {
		Center float64 `json:"center"`
		Sum    float64 `json:"sum"`
		Count  int64   `json:"count"`
		Below  int64   `json:"below"`
	}
)

// encode writes the profile as counted up to a position: the root, and the chunks.
func (l *live) encode(through Position, half int) (root []byte, chunks [][]byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	chunk := chunkDocument{Format: documentFormat, Through: through}
	size := 0
	finish := func() error {
		data, err := json.Marshal(&chunk)
		if err != nil {
			return fmt.Errorf("encode profile of metric %q: %w", l.dataset.Metric, err)
		}
		chunks, chunk.Names, size = append(chunks, data), nil, 0
		return nil
	}
	for _, n := range l.names {
		doc := n.document()
		// Each byte of a name may be written as six (\u0001), those of sketches are in base64.
		need := 6*len(n.sent) + 400 + 4*sampleRows*4/3
		for _, k := range doc.Kinds {
			need += 6*4*maxEdge + 300 + len(k.Distinct)*4/3
		}
		if size > 0 && size+need > chunkBytes {
			if err := finish(); err != nil {
				return nil, nil, err
			}
		}
		chunk.Names, size = append(chunk.Names, doc), size+need
	}
	if err := finish(); err != nil {
		return nil, nil, err
	}
	doc := rootDocument{Format: documentFormat, Through: through, Half: half, Chunks: len(chunks), Events: l.events, Shapes: l.shapeDocuments()}
	for _, r := range l.sample.rows {
		doc.Rows = append(doc.Rows, rowDocument{r.priority, r.time, r.stratum})
	}
	root, err = json.Marshal(&doc)
	if err != nil {
		return nil, nil, fmt.Errorf("encode profile of metric %q: %w", l.dataset.Metric, err)
	}
	l.dirty = false
	return root, chunks, nil
}

// shapeDocuments are the shapes, as long as every value in them has a profile and
// they are short enough to be worth it.
func (l *live) shapeDocuments() [][]int {
	var out [][]int
	for _, sh := range l.shapes {
		var fields []int
		for _, f := range sh.fields {
			if f.name == nil {
				return out
			}
			fields = append(fields, f.name.index*len(schema.Kinds)+slices.Index(schema.Kinds[:], f.kind))
		}
		out = append(out, fields)
	}
	return out
}

func (n *name) document() nameDocument {
	doc := nameDocument{Name: n.sent, Together: n.together[:]}
	for _, k := range n.kinds {
		if k != nil && k.events > 0 {
			doc.Kinds = append(doc.Kinds, k.document())
		}
	}
	if r := n.numbers; r != nil {
		d := &runningDocument{All: r.all, Began: r.began, Count: r.count, Shift: r.shift, Sums: [4]float64{r.s1, r.s2, r.s3, r.s4}, Taken: [2]float64{r.least, r.greatest}}
		if r.next != math.MaxInt64 {
			d.Next = r.next
		}
		for _, s := range d.Sums {
			if math.IsInf(s, 0) || math.IsNaN(s) { // values near the end of double's range
				d.Count, d.Shift, d.Sums = 0, 0, [4]float64{}
			}
		}
		if !math.IsInf(r.low, 0) && !math.IsInf(r.high, 0) {
			d.Bounds = &[2]float64{r.low, r.high}
		}
		if of := &r.distances; of.count > 0 && !math.IsInf(of.sum, 0) {
			d.Distances = &distancesDocument{of.center, of.sum, of.count, of.below}
		}
		for _, v := range r.column {
			d.Column = appendUint32(d.Column, math.Float32bits(v))
		}
		doc.Numbers = d
	}
	return doc
}

func (k *kind) document() kindDocument {
	doc := kindDocument{
		Kind: string(rune(k.kind)), Events: k.events, FirstSeen: k.firstSeen, LastSeen: k.lastSeen, Distinct: k.distinct.marshal(),
	}
	for _, c := range k.casts {
		doc.Casts = append(doc.Casts, [2]int64{int64(c.set), c.n})
	}
	for i, of := range k.sizes.of {
		doc.Sizes = append(doc.Sizes, [3]int64{int64(of.exponent()), int64(of.carry()), k.sizes.counts[i]})
	}
	e := &k.edges
	switch k.kind {
	case schema.KindInt, schema.KindBool:
		doc.Ints = &[2]int64{e.minInt, e.maxInt}
	case schema.KindNumber:
		doc.Doubles = &[2]float64{e.minNum, e.maxNum}
	case schema.KindText:
		if !e.texts {
			break
		}
		doc.Texts = &[2]string{string(e.minText), string(e.maxText)}
	case schema.KindJSON:
	}
	return doc
}

func decode(item schema.Item, into any, format func() int) error {
	if err := json.Unmarshal(item.Value, into); err != nil {
		return fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if f := format(); f != documentFormat {
		return fmt.Errorf("decode %s: format %d is not known here", item.Key, f)
	}
	return nil
}

// restore makes a profile of its documents.
func restore(ds schema.Dataset, root *rootDocument, chunks []*chunkDocument) (*live, error) {
	l := newLive(ds)
	l.events = root.Events
	for _, c := range chunks {
		for i := range c.Names {
			if err := l.restoreName(&c.Names[i]); err != nil {
				return nil, fmt.Errorf("decode profile of metric %q: name %q: %w", ds.Metric, c.Names[i].Name, err)
			}
		}
	}
	for _, fields := range root.Shapes {
		sh := &shape{}
		for _, f := range fields {
			at, kindAt := f/len(schema.Kinds), f%len(schema.Kinds)
			if f < 0 || at >= len(l.names) {
				return nil, fmt.Errorf("decode profile of metric %q: a shape has a name that is not there", ds.Metric)
			}
			n := l.names[at]
			k := schema.Kinds[kindAt]
			sh.fields = append(sh.fields, shapeField{sent: n.sent, kind: k, name: n, value: n.kindOf(k)})
		}
		l.shapes = append(l.shapes, sh)
	}
	for _, r := range root.Rows {
		if int(r.Stratum) >= strata || len(l.sample.rows) == sampleRows {
			return nil, fmt.Errorf("decode profile of metric %q: its sample is too large", ds.Metric)
		}
		l.sample.rows = append(l.sample.rows, sampleRow{r.Priority, r.Time, r.Stratum})
	}
	l.sample.setLimits()
	return l, nil
}

func (l *live) restoreName(doc *nameDocument) error {
	n := l.nameOf(doc.Name)
	if n == nil {
		return fmt.Errorf("it is one too many")
	}
	copy(n.together[:], doc.Together)
	for i := range doc.Kinds {
		if err := n.restoreKind(&doc.Kinds[i]); err != nil {
			return err
		}
	}
	d := doc.Numbers
	if d == nil {
		return nil
	}
	r := newRunning()
	r.all, r.began, r.count, r.shift, r.next = d.All, d.Began, d.Count, d.Shift, d.Next
	if r.next == 0 {
		r.next = math.MaxInt64
	}
	r.s1, r.s2, r.s3, r.s4 = d.Sums[0], d.Sums[1], d.Sums[2], d.Sums[3]
	r.least, r.greatest = d.Taken[0], d.Taken[1]
	if d.Bounds != nil {
		r.low, r.high = d.Bounds[0], d.Bounds[1]
	}
	if of := d.Distances; of != nil {
		r.distances = distances{of.Center, of.Sum, of.Count, of.Below}
	}
	if len(d.Column) != 4*sampleRows {
		return fmt.Errorf("a sample of %d bytes", len(d.Column))
	}
	for i := range r.column {
		r.column[i] = math.Float32frombits(readUint32(d.Column[4*i:]))
	}
	n.numbers = r
	return nil
}

func (n *name) restoreKind(doc *kindDocument) error {
	if len(doc.Kind) != 1 || !slices.Contains(schema.Kinds[:], schema.Kind(doc.Kind[0])) {
		return fmt.Errorf("kind %q is not known here", doc.Kind)
	}
	k := n.kindOf(schema.Kind(doc.Kind[0]))
	k.events, k.firstSeen, k.lastSeen = doc.Events, doc.FirstSeen, doc.LastSeen
	for _, c := range doc.Casts {
		k.casts = append(k.casts, castCount{castSet(c[0]), c[1]})
	}
	for _, s := range doc.Sizes {
		k.sizes.add(newMagnitude(int(s[0]), uint16(s[1])), s[2])
	}
	if doc.Ints != nil {
		k.edges.minInt, k.edges.maxInt = doc.Ints[0], doc.Ints[1]
	}
	if doc.Doubles != nil {
		k.edges.minNum, k.edges.maxNum = doc.Doubles[0], doc.Doubles[1]
	}
	if doc.Texts != nil && !strings.ContainsRune(doc.Texts[0]+doc.Texts[1], 0) { // as earlier versions wrote
		k.edges.minText, k.edges.maxText, k.edges.texts = []byte(doc.Texts[0]), []byte(doc.Texts[1]), true
	}
	var err error
	k.distinct, err = unmarshalDistinct(doc.Distinct)
	return err
}
