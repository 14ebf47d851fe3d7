package stream_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

func TestSequenceText(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		seq  stream.Sequence
		text string
	}{
		"zero":        {stream.Sequence{}, "0"},
		"one word":    {stream.SequenceOf(18446744073709551615), "18446744073709551615"},
		"two words":   {stream.Sequence{0, 1, 0}, "18446744073709551616"},
		"three words": {stream.Sequence{1, 0, 0}, "340282366920938463463374607431768211456"},
		"56 digits, as Kinesis has": {
			stream.Sequence{0x205bf4e5c260000, 0x67648a170005, 0xc181eea000000062},
			"49590338271490256608559692538361571095921575989136588898",
		},
		"greatest": {
			stream.Sequence{math.MaxUint64, math.MaxUint64, math.MaxUint64},
			"6277101735386680763835789423207666416102355444464034512895",
		},
	} {
		if got := tt.seq.String(); got != tt.text {
			t.Errorf("%s: text %s, want %s", name, got, tt.text)
		}
		if got, err := stream.ParseSequence(tt.text); err != nil || got != tt.seq {
			t.Errorf("%s: parsed %v, %v, want %v", name, got, err, tt.seq)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "sign": "-1", "space": " 1", "hexadecimal": "0x1", "letter": "12a", "too great by one": "6277101735386680763835789423207666416102355444464034512896",
		"too long": "99999999999999999999999999999999999999999999999999999999999999999999",
	} {
		if got, err := stream.ParseSequence(text); err == nil {
			t.Errorf("%s: parsed %s", name, got)
		}
	}
}

// TestSequenceAgainstBig compares text, order, bytes and Next with math/big's.
func TestSequenceAgainstBig(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func() uint64 {
		return []uint64{0, 1, random.Uint64(), math.MaxUint64}[random.IntN(4)]
	}
	number := func(s stream.Sequence) *big.Int {
		return new(big.Int).SetBytes(s.AppendBinary(nil))
	}
	greatest := stream.Sequence{math.MaxUint64, math.MaxUint64, math.MaxUint64}
	for range 2000 {
		a, b := stream.Sequence{word(), word(), word()}, stream.Sequence{word(), word(), word()}
		if a.String() != number(a).String() {
			t.Fatalf("text %s, want %s", a, number(a))
		}
		if parsed, err := stream.ParseSequence(a.String()); err != nil || parsed != a {
			t.Fatalf("parsed %s as %s, %v", a, parsed, err)
		}
		if a.Compare(b) != number(a).Cmp(number(b)) || a.Compare(b) != bytes.Compare(a.AppendBinary(nil), b.AppendBinary(nil)) {
			t.Fatalf("order of %s and %s is %d", a, b, a.Compare(b))
		}
		if next := new(big.Int).Add(number(a), big.NewInt(1)); a != greatest && number(a.Next()).Cmp(next) != 0 {
			t.Fatalf("%s follows %s", a.Next(), a)
		}
		if decoded, err := stream.DecodeSequence(a.AppendBinary(nil)); err != nil || decoded != a {
			t.Fatalf("decoded %s as %s, %v", a, decoded, err)
		}
	}
	if !greatest.Next().IsZero() {
		t.Errorf("%s follows the greatest", greatest.Next())
	}
	if _, err := stream.DecodeSequence(make([]byte, stream.SequenceBytes-1)); err == nil {
		t.Error("decoded too few bytes")
	}
}

func TestSequenceInJSON(t *testing.T) {
	t.Parallel()
	want := map[string]stream.Sequence{"through": {0, 1, 5}}
	data, err := json.Marshal(want)
	if err != nil || string(data) != `{"through":"18446744073709551621"}` {
		t.Fatalf("JSON %s, %v", data, err)
	}
	var got map[string]stream.Sequence
	if err := json.Unmarshal(data, &got); err != nil || got["through"] != want["through"] {
		t.Fatalf("read %v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"through":"x"}`), &got); err == nil {
		t.Fatal("read what is no number")
	}
}

func TestPositionOrder(t *testing.T) {
	t.Parallel()
	ordered := []stream.Position{
		{},
		{Index: 9},
		{Seq: stream.SequenceOf(1)},
		{Seq: stream.SequenceOf(1), Index: 1},
		{Seq: stream.SequenceOf(10)},
		{Seq: stream.Sequence{0, 1, 0}},
		{Shard: 1},
	}
	for i, p := range ordered {
		for j, q := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := p.Compare(q); got != want {
				t.Errorf("%s against %s is %d, want %d", p, q, got, want)
			}
		}
	}
	if got := (stream.Position{Shard: 2, Seq: stream.SequenceOf(7), Index: 3}).String(); got != "2/7/3" {
		t.Errorf("text %s", got)
	}
}
