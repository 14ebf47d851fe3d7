package lake

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Identities are identities of events of one dataset: times and ids, pair by
// pair, sorted by time, then id.
type Identities struct {
	Times []int64
	IDs   []schema.ID
}

// Len counts them.
func (s Identities) Len() int { return len(s.Times) }

// within is the range of those whose time lies in the bounds.
func (s Identities) within(b sources.Bounds) (from, to int) {
	from, _ = slices.BinarySearch(s.Times, b.Min)
	to, _ = slices.BinarySearchFunc(s.Times, b.Max, func(t, most int64) int {
		if t <= most {
			return -1
		}
		return 1
	})
	return from, to
}

func (s Identities) compare(i int, ts int64, id *schema.ID) int {
	return cmp.Or(cmp.Compare(s.Times[i], ts), compareIDs(&s.IDs[i], id))
}

// Suspect says of each identity, in any order, whether the lake may hold it:
// false is certain, true is so but for a few in ten thousand.
func (s *Store) Suspect(ctx context.Context, ds schema.Dataset, times []int64, ids []schema.ID) ([]bool, error) {
	v, err := s.Version(ctx, ds)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(times))
	if len(v.root.Parts) == 0 || len(times) == 0 {
		return out, nil
	}
	// Most often the events are later than all files, and need not be sorted.
	files, err := v.List(ctx, sources.Bounds{Min: slices.Min(times), Max: slices.Max(times)})
	if err != nil || len(files) == 0 {
		return out, err
	}
	if len(files) <= fewFiles {
		return out, s.suspectIn(ctx, files, times, ids, out)
	}
	sorted, order := sortIdentities(times, ids)
	err = v.eachSuspect(ctx, sorted, func(_ *File, rows []int) error {
		for _, r := range rows {
			out[order[r]] = true
		}
		return nil
	})
	return out, err
}

// fewFiles is how many files it takes less time to look through for every identity of
// a batch than to sort them.
const fewFiles = 32

// suspectIn sets those of out whose identity one of the files may hold.
func (s *Store) suspectIn(ctx context.Context, files []*File, times []int64, ids []schema.ID, out []bool) error {
	for _, f := range files {
		var held filter // nil until an event of the file's times is met
		for i, t := range times {
			if t < f.Times.Min || t > f.Times.Max || out[i] {
				continue
			}
			if held == nil {
				var err error
				if held, err = s.filter(ctx, f); err != nil {
					return err
				}
			}
			out[i] = held.has(t, &ids[i])
		}
	}
	return nil
}

// Hashes calls found with those of the identities, which are in any order, that
// the lake holds, by index, and with the hash of the event that came first. What
// the filters rule out costs what Suspect does; for the others files are opened.
func (s *Store) Hashes(ctx context.Context, ds schema.Dataset, times []int64, ids []schema.ID, found func(i int, hash schema.ID)) error {
	v, err := s.Version(ctx, ds)
	if err != nil {
		return err
	}
	sorted, order := sortIdentities(times, ids)
	return v.Known(ctx, sorted, func(i int, hash schema.ID) { found(order[i], hash) })
}

// sortIdentities sorts pairs of times and ids. order has the index that each had.
func sortIdentities(times []int64, ids []schema.ID) (sorted Identities, order []int) {
	order = make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(times[a], times[b]), ids[a].Compare(ids[b])) })
	sorted = Identities{make([]int64, len(times)), make([]schema.ID, len(times))}
	for i, at := range order {
		sorted.Times[i], sorted.IDs[i] = times[at], ids[at]
	}
	return sorted, order
}

// Held gives ranges in which the times of all rows of a dataset lie that the lake
// holds.
func (s *Store) Held(ctx context.Context, ds schema.Dataset) ([]sources.Bounds, error) {
	v, err := s.Version(ctx, ds)
	if err != nil {
		return nil, err
	}
	held := make([]sources.Bounds, 0, len(v.root.Parts))
	for _, p := range v.root.Parts {
		held = append(held, sources.Bounds{Min: p.MinTime, Max: p.MaxTime})
	}
	return held, nil
}

// eachSuspect calls visit with every file that may hold some of the identities,
// and which, by index. The slice is used again.
func (v *Version) eachSuspect(ctx context.Context, sought Identities, visit func(f *File, rows []int) error) error {
	if sought.Len() == 0 {
		return nil
	}
	files, err := v.List(ctx, sources.Bounds{Min: sought.Times[0], Max: sought.Times[sought.Len()-1]})
	if err != nil {
		return err
	}
	var rows []int
	for _, f := range files {
		from, to := sought.within(f.Times)
		if from == to {
			continue // and its filter is not read
		}
		ids, err := v.store.filter(ctx, f)
		if err != nil {
			return err
		}
		rows = rows[:0]
		for i := from; i < to; i++ {
			if ids.has(sought.Times[i], &sought.IDs[i]) {
				rows = append(rows, i)
			}
		}
		if len(rows) == 0 {
			continue
		}
		if err := visit(f, rows); err != nil {
			return err
		}
	}
	return nil
}

// Known finds those identities that this version holds. Of those it calls found,
// by index, with the hash of the event that came first. It opens only files
// whose filter has one, and reads only row groups of their times.
func (v *Version) Known(ctx context.Context, sought Identities, found func(i int, hash schema.ID)) error {
	return v.eachSuspect(ctx, sought, func(f *File, rows []int) error {
		return v.store.findExact(ctx, f, sought, rows, found)
	})
}

// findExact looks the identities up in a file. They are sorted, and so is the
// file but for its row groups, where rows of one shape stand together: the
// identities are merged with one run of sorted rows after the other.
func (s *Store) findExact(ctx context.Context, f *File, sought Identities, rows []int, found func(i int, hash schema.ID)) error {
	file, err := s.open(ctx, f)
	if err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		here, err := rowsOfGroup(file, group, sought, rows)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Key, err)
		}
		if len(here) == 0 {
			continue
		}
		held, err := readStamps(file, group, sources.ColumnID, sources.ColumnHash)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Key, err)
		}
		next := 0
		for r := range held.ts {
			if r > 0 && cmp.Or(cmp.Compare(held.ts[r], held.ts[r-1]), compareIDs(&held.ids[r], &held.ids[r-1])) < 0 { // another run
				next, _ = slices.BinarySearchFunc(here, held.ts[r], func(i int, t int64) int { return cmp.Compare(sought.Times[i], t) })
			}
			for next < len(here) && sought.compare(here[next], held.ts[r], &held.ids[r]) < 0 {
				next++
			}
			if next < len(here) && sought.compare(here[next], held.ts[r], &held.ids[r]) == 0 {
				found(here[next], held.hashes[r])
			}
		}
	}
	return nil
}

// rowsOfGroup are those of rows whose time lies in the row group's.
func rowsOfGroup(file *parquet.File, group parquet.RowGroup, sought Identities, rows []int) ([]int, error) {
	times, err := groupTimes(file, group)
	if err != nil {
		return nil, err
	}
	first, _ := slices.BinarySearchFunc(rows, times.Min, func(i int, t int64) int { return cmp.Compare(sought.Times[i], t) })
	end, _ := slices.BinarySearchFunc(rows, times.Max, func(i int, t int64) int {
		if sought.Times[i] <= t {
			return -1
		}
		return 1
	})
	return rows[first:end], nil
}
