package stores

import (
	"math"
	"testing"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// TestReads holds that a stage and delivery, in whatever processes, read a shard no
// more often together than configured, and that most is the stage's.
func TestReads(t *testing.T) {
	t.Parallel()
	for reads := 1; reads <= 100; reads++ {
		c := config.Stream{ReadsPerSecond: reads}
		stage, delivery := stageReads(&c), deliveryReads(&c)
		if math.Abs(stage+delivery-float64(reads)) > 1e-9 || delivery <= 0 || delivery > 1 || stage < 4*delivery-1e-9 {
			t.Errorf("of %d reads %g are a stage's and %g delivery's", reads, stage, delivery)
		}
	}
}
