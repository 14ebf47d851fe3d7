package profile

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// maxEdge is how long a text that is the least or the greatest is kept, in bytes.
const maxEdge = 64

// kind is what a name's values of one kind are like.
type kind struct {
	kind      schema.Kind
	events    int64
	firstSeen int64 // microseconds since 1970 UTC, as lastSeen
	lastSeen  int64
	distinct  distinct
	casts     []castCount
	sizes     magnitudes
	edges     edges
	latest    latest
}

// latest is the value that came last. Most of what a device sends it sends again
// and again, and of a value that was there before nothing changes but its count.
type latest struct {
	// word has the bits of a number or a bool, text what is text.
	word uint64
	text []byte
	// cast and size are the places of its counts; size may be noPlace.
	cast, size int
	// known is false before the first value, and after one that is too long to keep.
	known bool
}

// maxLatest is the longest text that is kept as the latest, in bytes.
const maxLatest = 256

// is says that a value is as the latest.
func (l *latest) is(v *schema.Value) bool {
	if !l.known {
		return false
	}
	if v.Kind == schema.KindText || v.Kind == schema.KindJSON {
		return bytes.Equal(l.text, v.Text)
	}
	return l.word == wordOf(v)
}

// set makes a value the latest.
func (l *latest) set(v *schema.Value, cast, size int) {
	l.word, l.cast, l.size = wordOf(v), cast, size
	if l.known = len(v.Text) <= maxLatest; l.known {
		l.text = append(l.text[:0], v.Text...)
	}
}

// edges are the least and the greatest value: numbers as such, texts by their
// bytes and cut.
type edges struct {
	minInt, maxInt   int64
	minNum, maxNum   float64
	minText, maxText []byte
	// texts says that the last two are set: by texts without U+0000.
	texts bool
}

// note counts a value. at is the event's arrival.
func (k *kind) note(v *schema.Value, at int64, texts *castCache) {
	first := k.events == 0
	k.events++
	if first || at < k.firstSeen {
		k.firstSeen = at
	}
	if first || at > k.lastSeen {
		k.lastSeen = at
	}
	if k.latest.is(v) {
		k.count(k.latest.cast, k.latest.size)
		return
	}
	hash := hashOf(v)
	k.distinct.add(hash)
	c := castsOf(v, hash, texts)
	cast, size := k.castPlace(c.set), noPlace
	if c.magnitude != noMagnitude {
		size = k.sizes.place(c.magnitude)
	}
	k.count(cast, size)
	k.latest.set(v, cast, size)
	e := &k.edges
	switch v.Kind {
	case schema.KindInt, schema.KindBool:
		if first || v.Int < e.minInt {
			e.minInt = v.Int
		}
		if first || v.Int > e.maxInt {
			e.maxInt = v.Int
		}
	case schema.KindNumber:
		if first || v.Num < e.minNum {
			e.minNum = v.Num
		}
		if first || v.Num > e.maxNum {
			e.maxNum = v.Num
		}
	case schema.KindText:
		if c.set == castNoText {
			break
		}
		if !e.texts || bytes.Compare(v.Text, e.minText) < 0 {
			e.minText = cutText(e.minText[:0], v.Text)
		}
		if !e.texts || bytes.Compare(v.Text, e.maxText) > 0 {
			e.maxText = cutText(e.maxText[:0], v.Text)
		}
		e.texts = true
	case schema.KindJSON:
	}
}

// count counts a value under what it casts to and its magnitude, by their places.
func (k *kind) count(cast, size int) {
	k.casts[cast].n++
	if size != noPlace {
		k.sizes.counts[size]++
	}
}

// cutText appends a text of at most maxEdge bytes.
func cutText(dst, text []byte) []byte {
	if len(text) > maxEdge {
		n := maxEdge
		for !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return append(dst, text...)
}

func castsOf(v *schema.Value, hash uint64, texts *castCache) casts {
	switch v.Kind {
	case schema.KindInt:
		return casts{castsOfInt(v.Int), magnitudeOfInt(v.Int)}
	case schema.KindNumber:
		return casts{castsOfDouble(v.Num), magnitudeOfDouble(v.Num)}
	case schema.KindBool:
		return casts{castsOfBool, noMagnitude}
	case schema.KindJSON:
		return casts{castsOfJSON, noMagnitude}
	case schema.KindText:
	}
	return texts.castsOf(v.Text, hash)
}

// merge takes what another shard counted.
func (k *kind) merge(o *kind) {
	if k.events == 0 {
		*k = *o.clone()
		return
	}
	k.events += o.events
	k.firstSeen, k.lastSeen = min(k.firstSeen, o.firstSeen), max(k.lastSeen, o.lastSeen)
	k.distinct.merge(&o.distinct)
	for _, c := range o.casts {
		k.casts[k.castPlace(c.set)].n += c.n
	}
	for i, of := range o.sizes.of {
		k.sizes.add(of, o.sizes.counts[i])
	}
	a, b := &k.edges, &o.edges
	a.minInt, a.maxInt = min(a.minInt, b.minInt), max(a.maxInt, b.maxInt)
	a.minNum, a.maxNum = math.Min(a.minNum, b.minNum), math.Max(a.maxNum, b.maxNum)
	if b.texts && (!a.texts || bytes.Compare(b.minText, a.minText) < 0) {
		a.minText = bytes.Clone(b.minText)
	}
	if b.texts && (!a.texts || bytes.Compare(b.maxText, a.maxText) > 0) {
		a.maxText = bytes.Clone(b.maxText)
	}
	a.texts = a.texts || b.texts
}

func (k *kind) clone() *kind {
	c := *k
	c.distinct.hashes = append([]uint64(nil), k.distinct.hashes...)
	c.distinct.registers = append([]byte(nil), k.distinct.registers...)
	c.casts = append([]castCount(nil), k.casts...)
	c.sizes = magnitudes{append([]magnitude(nil), k.sizes.of...), append([]int64(nil), k.sizes.counts...)}
	c.edges.minText, c.edges.maxText = bytes.Clone(k.edges.minText), bytes.Clone(k.edges.maxText)
	c.latest = latest{}
	return &c
}

// text writes the edges as PostgreSQL would.
func (k *kind) text() (low, high string) {
	e := &k.edges
	switch k.kind {
	case schema.KindInt:
		return strconv.FormatInt(e.minInt, 10), strconv.FormatInt(e.maxInt, 10)
	case schema.KindBool:
		return strconv.FormatBool(e.minInt != 0), strconv.FormatBool(e.maxInt != 0)
	case schema.KindNumber:
		return numberText(e.minNum), numberText(e.maxNum)
	case schema.KindText:
		return string(e.minText), string(e.maxText)
	case schema.KindJSON:
	}
	return "", ""
}

func numberText(f float64) string {
	return string(postgres.AppendText(nil, postgres.Float8OID, postgres.FloatDatum(f), postgres.DefaultEnv()))
}
