package compact

import (
	"cmp"
	"slices"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// object is one object of the archive: the records of a shard in (after,
// through], of which the log took the first in the hour.
type object struct {
	key            string
	hour           time.Time
	after, through stream.Sequence
}

// link is an object in a chain, and what of it is taken: from where on it is new,
// since everything up to from is in the links before it, and up to where, which is
// through unless memory has not come so far.
type link struct {
	object
	from, to stream.Sequence
}

// chain orders objects of one shard into an unbroken chain that starts at a
// position. Ranges may overlap, since a delivery worker that dies between object
// and checkpoint delivers again, perhaps further; of several objects that begin
// soon enough the one that reaches furthest is taken. gap says that objects lie
// beyond the end of the chain: something between is missing.
func chain(objects []object, start stream.Sequence) (links []link, gap bool) {
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b object) int {
		return cmp.Or(a.after.Compare(b.after), a.through.Compare(b.through), cmp.Compare(a.key, b.key))
	})
	at := start
	for i := 0; i < len(objects); {
		best := -1
		for ; i < len(objects) && objects[i].after.Compare(at) <= 0; i++ {
			if objects[i].through.Compare(at) > 0 && (best < 0 || objects[i].through.Compare(objects[best].through) > 0) {
				best = i
			}
		}
		if best < 0 {
			return links, i < len(objects)
		}
		links = append(links, link{object: objects[best], from: at, to: objects[best].through})
		at = objects[best].through
	}
	return links, false
}
