package compact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

func TestChain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		start   uint64
		ranges  [][2]uint64
		want    string
		wantGap bool
	}{
		{name: "nothing"},
		{name: "in order", ranges: [][2]uint64{{0, 5}, {5, 9}}, want: "0:(0,5] 5:(5,9]"},
		{name: "listed in another order", ranges: [][2]uint64{{5, 9}, {0, 5}}, want: "0:(0,5] 5:(5,9]"},
		{name: "from the middle of a range", start: 3, ranges: [][2]uint64{{0, 5}, {5, 9}}, want: "3:(0,5] 5:(5,9]"},
		{name: "what is behind is skipped", start: 5, ranges: [][2]uint64{{0, 5}, {5, 9}}, want: "5:(5,9]"},
		{name: "delivered again and further", ranges: [][2]uint64{{0, 5}, {0, 7}, {7, 9}}, want: "0:(0,7] 7:(7,9]"},
		{name: "delivered again but less far", ranges: [][2]uint64{{0, 7}, {0, 5}, {5, 9}}, want: "0:(0,7] 7:(5,9]"},
		{name: "one worker stalled", ranges: [][2]uint64{{0, 2}, {0, 5}, {2, 5}, {5, 6}, {5, 9}}, want: "0:(0,5] 5:(5,9]"},
		{name: "a gap", ranges: [][2]uint64{{0, 5}, {6, 9}}, want: "0:(0,5]", wantGap: true},
		{name: "a gap at the start", start: 3, ranges: [][2]uint64{{5, 9}}, wantGap: true},
		{name: "the gap is filled", ranges: [][2]uint64{{0, 5}, {6, 9}, {5, 6}}, want: "0:(0,5] 5:(5,6] 6:(6,9]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var objects []object
			for _, r := range test.ranges {
				objects = append(objects, object{
					key: fmt.Sprint(r), after: stream.SequenceOf(r[0]), through: stream.SequenceOf(r[1]),
				})
			}
			links, gap := chain(objects, stream.SequenceOf(test.start))
			var got []string
			for _, l := range links {
				got = append(got, fmt.Sprintf("%s:(%s,%s]", l.from, l.after, l.through))
			}
			if text := strings.Join(got, " "); text != test.want || gap != test.wantGap {
				t.Errorf("chain %q gap %v, want %q gap %v", text, gap, test.want, test.wantGap)
			}
		})
	}
}
