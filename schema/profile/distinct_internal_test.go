package profile

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDistinct has the error of estimates over many sets of many sizes, whole and
// merged of parts that overlap.
func TestDistinct(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var squares float64
	sets, beyond, worst := 0, 0, 0.0
	for _, n := range []int{1, 10, 192, 193, 300, 1000, 3000, 10_000, 100_000, 1_000_000} {
		rounds := max(1, min(200, 2_000_000/fewer/n))
		for range rounds {
			var whole, a, b distinct
			for i := range n {
				h := random.Uint64()
				if i == 0 {
					h = 0 // it is that of the integer 0, and often comes early and late
				}
				whole.add(h)
				switch i % 3 {
				case 0:
					a.add(h)
				case 1:
					b.add(h)
				default:
					a.add(h)
					b.add(h)
				}
			}
			a.add(0)
			a.merge(&b)
			if a.estimate() != whole.estimate() {
				t.Errorf("%d values: merged %d, whole %d", n, a.estimate(), whole.estimate())
			}
			off := float64(whole.estimate())/float64(n) - 1
			if n <= exactHashes {
				if off != 0 {
					t.Errorf("%d values: %d", n, whole.estimate())
				}
				continue
			}
			sets++
			squares += off * off
			worst = max(worst, math.Abs(off))
			if math.Abs(off) > 0.03 {
				beyond++
			}
		}
	}
	t.Logf("%d sets: standard error %.2f %%, worst %.2f %%, %d beyond 3 %%", sets, 100*math.Sqrt(squares/float64(sets)), 100*worst, beyond)
	if beyond > sets/50 {
		t.Errorf("%d of %d estimates are off by more than 3 %%", beyond, sets)
	}
}

func TestDistinctMarshals(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 100, 192, 193, 5000} {
		var d distinct
		for i := range n {
			d.add(mix(uint64(i)))
			d.add(mix(uint64(i)))
		}
		back, err := unmarshalDistinct(d.marshal())
		if err != nil || back.estimate() != d.estimate() {
			t.Errorf("%d values: %d, read back %d, %v", n, d.estimate(), back.estimate(), err)
		}
		if d.bytes() > 4096 {
			t.Errorf("%d values take %d bytes", n, d.bytes())
		}
	}
	if _, err := unmarshalDistinct(make([]byte, 7)); err == nil {
		t.Error("7 bytes are a sketch")
	}
}

func BenchmarkDistinct(b *testing.B) {
	var d distinct
	n := uint64(0)
	for b.Loop() {
		n++
		d.add(mix(n))
	}
}
