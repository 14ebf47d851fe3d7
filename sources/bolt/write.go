package bolt

import (
	"encoding/binary"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/fieldgate/fieldgate/schema"
)

// write is a Put or Delete that waits to be committed.
type write struct {
	key, value []byte
	remove     bool
	expect     uint64

	version uint64 // set by a Put that succeeded
	err     error
	// wake tells the waiting writer that its write is done, or that it is to
	// commit what waits (lead).
	wake chan wakeup
}

type wakeup int

const (
	done wakeup = iota
	lead
)

// writeQueue joins writes into commits. The first writer leads: it commits all
// that wait, then wakes them and makes one of those that came meanwhile lead.
// bbolt's own Batch waits up to MaxBatchDelay for company and runs every write
// of a batch again alone if one fails; here an expectation that does not hold
// is the answer of one write, and a lone write waits for nobody.
type writeQueue struct {
	mu      sync.Mutex
	waiting []*write
	led     bool // a leader is at work
}

// submit commits w, alone or with others, and returns its result.
func (db *DB) submit(w *write) error {
	w.wake = make(chan wakeup, 1)
	q := &db.queue
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	wait := q.led
	q.led = true
	q.mu.Unlock()
	if wait && <-w.wake == done {
		return w.err
	}
	q.mu.Lock()
	batch := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	db.commit(batch)
	for _, other := range batch {
		if other != w {
			other.wake <- done
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.led = len(q.waiting) > 0
	if q.led {
		q.waiting[0].wake <- lead
	}
	return w.err
}

// commit applies the writes in order in one transaction. A write whose
// expectation does not hold changes nothing and does not hinder the others; if
// the transaction fails, all have failed.
func (db *DB) commit(batch []*write) {
	err := db.bolt.Update(func(tx *bbolt.Tx) error {
		for _, w := range batch {
			if err := apply(tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for _, w := range batch {
		w.err = err
	}
}

// apply makes one write in tx. The error is tx's; a refusal is in w.err.
func apply(tx *bbolt.Tx, w *write) error {
	items, meta := tx.Bucket([]byte(itemsBucket)), tx.Bucket([]byte(metaBucket))
	current := uint64(0)
	if data := items.Get(w.key); data != nil {
		var item schema.Item
		if err := decode(data, &item); err != nil {
			return err
		}
		current = item.Version
	}
	switch {
	case w.remove && current == 0:
		w.err = schema.ErrNotFound
		return nil
	case current != w.expect:
		w.err = schema.ErrConflict
		return nil
	case w.remove:
		if err := raiseFloor(meta, current); err != nil {
			return err
		}
		return items.Delete(w.key)
	case current == 0:
		current = floor(meta)
	}
	w.version = current + 1
	data := make([]byte, 0, versionBytes+len(w.value))
	data = binary.BigEndian.AppendUint64(data, w.version)
	return items.Put(w.key, append(data, w.value...))
}

// floor is the highest version that a deleted key had. New keys start above it,
// so that a deleted key needs no trace of its own.
func floor(meta *bbolt.Bucket) uint64 {
	if v := meta.Get([]byte(floorKey)); len(v) == versionBytes {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func raiseFloor(meta *bbolt.Bucket, version uint64) error {
	if version <= floor(meta) {
		return nil
	}
	return meta.Put([]byte(floorKey), binary.BigEndian.AppendUint64(nil, version))
}
