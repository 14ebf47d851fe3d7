package sources_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// mixed is the n-th event of many column sets, of all kinds.
func mixed(n int) schema.Event {
	e := schema.Event{Time: int64(n) * 7 % 100, ReceivedAt: int64(n)}
	e.ID[3], e.Hash[5] = byte(n), byte(n+1)
	for i := range n % 6 {
		v := schema.Value{Name: fmt.Sprint("name", (i+n)%9), Kind: schema.Kinds[(i*n)%len(schema.Kinds)]}
		switch v.Kind {
		case schema.KindInt:
			v.Int = int64(n)
		case schema.KindNumber:
			v.Num = float64(n) / 4
		case schema.KindBool:
			v.Int = int64(n % 2)
		default:
			v.Text = fmt.Appendf(nil, "%0*d", n%4, 0)
		}
		if !slices.ContainsFunc(e.Values, func(o schema.Value) bool { return o.Name == v.Name }) {
			e.Values = append(e.Values, v)
		}
	}
	slices.SortFunc(e.Values, func(a, b schema.Value) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	return e
}

func equalEvents(a, b *schema.Event) bool {
	same := slices.EqualFunc(a.Values, b.Values, func(x, y schema.Value) bool {
		return x.Name == y.Name && x.Kind == y.Kind && x.Int == y.Int && x.Num == y.Num && string(x.Text) == string(y.Text)
	})
	return same && a.Time == b.Time && a.ReceivedAt == b.ReceivedAt && a.ID == b.ID && a.Hash == b.Hash
}

// TestBatchHoldsWhatWasAdded also has a Builder that made room, and views taken
// while it grew.
func TestBatchHoldsWhatWasAdded(t *testing.T) {
	t.Parallel()
	var first sources.Builder
	var views []*sources.Batch
	check := func(b *sources.Batch, from int) {
		t.Helper()
		for r := range b.Rows {
			want := mixed(from + r)
			if got := b.Event(r, schema.Dataset{}); !equalEvents(&got, &want) {
				t.Fatalf("row %d is %+v, want %+v", r, got, want)
			}
		}
	}
	for n := range 200 {
		e := mixed(n)
		first.Add(&e, stream.Position{Seq: stream.SequenceOf(uint64(n))})
		if n%50 == 49 {
			views = append(views, first.View())
		}
	}
	estimate := first.Bytes()
	done := first.Batch()
	if done.Rows != 200 || first.Len() != 0 {
		t.Fatalf("%d rows, %d left", done.Rows, first.Len())
	}
	const offset = 4 // the one more that a column of texts has
	if got := done.Bytes(); got < estimate || got > estimate+offset*len(done.Columns) {
		t.Errorf("the batch has %d bytes, the builder said %d", got, estimate)
	}
	check(done, 0)
	for _, v := range views {
		check(v, 0)
	}

	var second sources.Builder
	second.Reserve(done)
	only := schema.Event{Values: []schema.Value{{Name: "new", Kind: schema.KindInt, Int: 1}}}
	second.Add(&only, stream.Position{})
	if b := second.Batch(); len(b.Columns) != 1 || b.Columns[0].Name != "i_new" {
		t.Errorf("a column without values is in %+v", b.Columns)
	}
	second.Reserve(done)
	for n := range 200 {
		e := mixed(200 + n)
		second.Add(&e, stream.Position{})
	}
	check(second.Batch(), 200)
}

func TestNewBuilderKeepsRows(t *testing.T) {
	t.Parallel()
	b := sources.NewBuilder([]int64{5, 3}, []int64{1, 2}, make([]schema.ID, 2), make([]schema.ID, 2))
	b.At(b.Column("x", schema.KindNumber)).SetNum(1, 2.5)
	batch := b.Batch()
	if batch.Rows != 2 || batch.Times != (sources.Bounds{Min: 3, Max: 5}) || batch.Positions != nil {
		t.Errorf("batch %+v", batch)
	}
	want := []schema.Value{{Name: "x", Kind: schema.KindNumber, Num: 2.5}}
	if e := batch.Event(1, schema.Dataset{}); !reflect.DeepEqual(e.Values, want) {
		t.Errorf("values %+v, want %+v", e.Values, want)
	}
}
