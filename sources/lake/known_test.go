package lake_test

import (
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
)

// TestSuspects asks for identities in no order, of which the lake holds every other
// one, where few files lie in their times and where many do.
func TestSuspects(t *testing.T) {
	t.Parallel()
	const perFile = 20
	for _, files := range []int{3, 40} {
		t.Run(fmt.Sprint(files, " files"), func(t *testing.T) {
			t.Parallel()
			s, _, _ := setup(t)
			for f := range files {
				commit(t, s, f*perFile, (f+1)*perFile)
			}
			rows := files * perFile
			var times []int64
			var ids []schema.ID
			for i := range rows {
				n := i * 7 % rows // 7 divides neither count
				times, ids = append(times, int64(n)*1e6, int64(n)*1e6), append(ids, idOf(n), idOf(n+rows))
			}
			// Later and earlier than all files.
			times, ids = append(times, int64(rows)*1e6, -1), append(ids, idOf(0), idOf(1))
			suspects, err := s.Suspect(t.Context(), thermo, times, ids)
			if err != nil {
				t.Fatal(err)
			}
			others := 0
			for i, suspect := range suspects {
				switch held := i < 2*rows && i%2 == 0; {
				case held && !suspect:
					t.Errorf("the lake holds the row of %d and is not suspected to", times[i])
				case !held && suspect:
					others++
				}
			}
			// A few in ten thousand may be.
			if others > rows/50 {
				t.Errorf("%d rows of %d that the lake does not hold are suspected", others, rows+2)
			}
		})
	}
}
