package record

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
)

// TestReadShort reads numbers in one go and in two: what the first takes has the same end, kind and value in the second,
// and it takes all short ones. Among them are texts that are no numbers.
func TestReadShort(t *testing.T) {
	t.Parallel()
	texts := []string{
		"0", "-0", "-", "00", "01", "-01", "0.5", "-0.5", "-0.0", "0.", ".5", "1.", "-1.", "1e5", "1E5", "1.5e3", "1e", "7,", "7.25}",
		"123456789012345", "1234567890123456", "12345678901234.5", "123456789012345.6", "0.00000000000001", "0.000000000000001",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999999", "1..2", "1.2.3", "+1", "1-2",
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		text := make([]byte, 1+r.IntN(20))
		for i := range text {
			text[i] = "00123456789.-e+,"[r.IntN(16)]
		}
		texts = append(texts, string(text))
	}
	short := 0
	for _, text := range texts {
		data := []byte(text)
		var got, want schema.Value
		end := readShort(&got, data, 0)
		scanned, integer, fault := scanNumber(data, 0)
		if fault == "" {
			setNumber(&want, data[:scanned], integer)
		}
		if end == 0 {
			if fault == "" && scanned <= maxExactDigits && want.Kind != schema.KindText && string(data[:scanned]) != "-0" && !bytes.ContainsAny(data[:scanned], "eE") {
				t.Errorf("%q is not read in one go", text)
			}
			continue
		}
		short++
		if fault != "" || end != scanned || got.Kind != want.Kind || got.Int != want.Int || math.Float64bits(got.Num) != math.Float64bits(want.Num) {
			t.Errorf("%q is %+v up to %d in one go, else %+v up to %d, %s", text, got, end, want, scanned, fault)
		}
	}
	if short < 50_000 {
		t.Errorf("%d of %d texts were read in one go", short, len(texts))
	}
}
