package profile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// TestMagnitudes compares which numbers a numeric(p,s) is said to refuse with what
// the type's own reader says.
func TestMagnitudes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var values []schema.Value
	for _, n := range []int64{0, 1, 9, 10, 94, 95, 99, 100, 949, 950, 995, 999, 1000, 99499, 99500, math.MaxInt64, math.MinInt64} {
		values = append(values, schema.Value{Kind: schema.KindInt, Int: n}, schema.Value{Kind: schema.KindInt, Int: -n})
	}
	for range 2000 / fewer {
		values = append(values,
			schema.Value{Kind: schema.KindInt, Int: random.Int64() >> random.IntN(63)},
			schema.Value{Kind: schema.KindNumber, Num: random.NormFloat64() * math.Pow(10, float64(random.IntN(24)-4))},
			schema.Value{Kind: schema.KindNumber, Num: math.Pow(10, float64(random.IntN(18))) * (1 - math.Pow(10, -float64(random.IntN(17))))},
			schema.Value{Kind: schema.KindText, Text: fmt.Appendf(nil, "%d.%se%d", random.IntN(1000), "9994999499995"[random.IntN(12):], random.IntN(9)-4)})
	}
	for _, text := range []string{"NaN", "Infinity", "-inf", "0.000", "-0", ".5", "0.95", "9.95", "0.994", "1e1000", "1e40000"} {
		values = append(values, schema.Value{Kind: schema.KindText, Text: []byte(text)})
	}
	cache, env := newCastCache(), postgres.DefaultEnv()
	for i := range values {
		v := &values[i]
		text := string(v.Text)
		switch v.Kind {
		case schema.KindInt:
			text = strconv.FormatInt(v.Int, 10)
		case schema.KindNumber:
			text = strconv.FormatFloat(v.Num, 'g', doubleDigits, 64)
		case schema.KindText, schema.KindBool, schema.KindJSON:
		}
		var counted magnitudes
		counted.add(castsOf(v, hashOf(v), cache).magnitude, 1)
		for precision := 1; precision <= 12; precision++ {
			for scale := -3; scale <= precision; scale++ {
				_, err := postgres.ParseLiteral(postgres.NumericOID, postgres.MakeNumericTypmod(precision, scale), text, env)
				want := int64(0)
				if err != nil {
					want = 1
				}
				if got, known := counted.overflows(precision, scale, 1); got != want || !known {
					t.Fatalf("%s as numeric(%d,%d): %d refused, %v, want %d; %+v", text, precision, scale, got, known, want, counted)
				}
			}
		}
	}
}

// TestUnknownMagnitudes are more than are counted, and fractions of a type that has
// not all digits after the point.
func TestUnknownMagnitudes(t *testing.T) {
	t.Parallel()
	var m magnitudes
	m.add(lessThanOne, 1)
	if n, known := m.overflows(3, 3, 1); n != 0 || !known {
		t.Errorf("numeric(3,3): %d, %v", n, known)
	}
	if _, known := m.overflows(3, 4, 1); known {
		t.Error("numeric(3,4) is known")
	}
	for e := range maxMagnitudes {
		m.add(newMagnitude(e, 0), 1)
	}
	if _, known := m.overflows(3, 0, maxMagnitudes+1); known {
		t.Errorf("%d magnitudes of %d are known", len(m.of), maxMagnitudes+1)
	}
}
