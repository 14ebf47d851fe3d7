package planner

import (
	"context"
	"errors"
)

// feed gives the rows of a portal in order: first those that were stored, then
// those that still come from the engine. What was read ahead, because the client
// let the portal wait, is stored; so is every row of a cursor that can scroll.
type feed struct {
	rows  Rows   // of the engine; nil: all are read
	err   error  // how reading ahead ended
	store *store // nil: nothing is stored
	keep  bool   // stored rows are read again
	// forget, if set, is told that there is no room to keep rows any more, which is
	// no error then.
	forget func()

	chunk *Chunk
	at    int  // the next row of chunk
	live  bool // chunk is the engine's and not in the store
	next  int  // the stored chunk after chunk
	skip  int  // rows of it that lie behind

	part picker
}

// empty says that no row is left.
func (f *feed) empty() bool {
	return f.rows == nil && (f.chunk == nil || f.at == f.chunk.Rows) && (f.store == nil || f.next == len(f.store.chunks))
}

// take gives up to n rows (0: as many as there are at hand); nil after the last.
// They are valid until the next call.
func (f *feed) take(ctx context.Context, n int64) (*Chunk, error) {
	if err := f.fill(ctx); err != nil || f.chunk == nil {
		return nil, err
	}
	from, to := f.at, f.chunk.Rows
	if n > 0 {
		to = int(min(int64(to), int64(from)+n))
	}
	f.at = to
	if from == 0 && to == f.chunk.Rows {
		return f.chunk, nil
	}
	return f.part.slice(f.chunk, from, to), nil
}

// fill makes sure that chunk has an unread row, unless there is none.
func (f *feed) fill(ctx context.Context) error {
	for f.chunk == nil || f.at == f.chunk.Rows {
		f.chunk, f.live = nil, false
		if f.store != nil && f.next < len(f.store.chunks) {
			var err error
			if f.chunk, err = f.store.load(f.next); err != nil {
				return err
			}
			f.at, f.next, f.skip = f.skip, f.next+1, 0
			continue
		}
		if f.store != nil && !f.keep {
			err := f.store.close() // all of it was read
			if f.store = nil; err != nil {
				return err
			}
		}
		c, err := f.read(ctx)
		if err != nil || c == nil {
			return err
		}
		if f.keep && f.forget != nil && !f.store.hasRoom() {
			f.keep = false
			f.forget()
			if err := f.store.close(); err != nil {
				return err
			}
			f.store = nil
		}
		if f.keep {
			if err := f.store.add(c); err != nil {
				return err
			}
			f.next = len(f.store.chunks)
		}
		f.chunk, f.at, f.live = c, 0, !f.keep
	}
	return nil
}

// read takes the engine's next chunk, nil after the last.
func (f *feed) read(ctx context.Context) (*Chunk, error) {
	if f.err != nil || f.rows == nil {
		return nil, f.err
	}
	c, err := f.rows.Next(ctx)
	if err == nil && c != nil {
		return c, nil
	}
	err = errors.Join(err, f.rows.Close())
	f.rows = nil
	return nil, err
}

// spool reads ahead until stop says so, the space is used up or no row is left,
// and then lets go of the engine's rows and what they pin. What was read already
// goes with it: the engine's chunk is gone after the next.
func (f *feed) spool(ctx context.Context, s *store, stop func() bool) error {
	if f.rows == nil {
		return nil
	}
	if f.store == nil {
		f.store, f.next = s, 0
	}
	if f.live {
		if f.at < f.chunk.Rows {
			if err := f.store.add(f.part.slice(f.chunk, f.at, f.chunk.Rows)); err != nil {
				return err
			}
		}
		f.chunk, f.live = nil, false
	}
	for !stop() && f.store.hasRoom() {
		c, err := f.read(ctx)
		if err != nil {
			return err
		}
		if c == nil {
			return nil
		}
		if err := f.store.add(c); err != nil {
			return err
		}
	}
	return nil
}

// takeBackward gives up to n stored rows (0: as many as lie in one chunk) before
// row number from, counted from 0, the nearest first; nil if there is none.
func (f *feed) takeBackward(from, n int64) (*Chunk, error) {
	if from <= 0 {
		return nil, nil
	}
	i := f.store.find(from - 1)
	c, err := f.store.load(i)
	if err != nil {
		return nil, err
	}
	last := int(from - 1 - f.store.chunks[i].first)
	first := 0
	if n > 0 {
		first = max(0, last-int(min(n, int64(last)+1))+1)
	}
	return f.part.reversed(c, first, last), nil
}

// seek makes row number row, counted from 0, the next one. It must be stored, or
// be the next after those.
func (f *feed) seek(row int64) {
	f.chunk, f.at, f.live, f.next, f.skip = nil, 0, false, 0, 0
	if f.store == nil || row == 0 {
		return
	}
	f.next = len(f.store.chunks)
	if row < f.store.rows {
		f.next = f.store.find(row)
		f.skip = int(row - f.store.chunks[f.next].first)
	}
}

func (f *feed) close() error {
	var errs []error
	if f.rows != nil {
		errs = append(errs, f.rows.Close())
		f.rows = nil
	}
	f.chunk = nil
	if f.store != nil {
		errs = append(errs, f.store.close())
		f.store = nil
	}
	return errors.Join(errs...)
}
