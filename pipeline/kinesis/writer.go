package kinesis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// failuresTold is after how many failures in a row the log is told.
const failuresTold = 8

// writer puts what waits, while anything waits.
type writer struct {
	s *Stream
	// ctx ends when the stream is closed; what is under way then ends.
	ctx    context.Context //nolint:containedctx // the root of what runs behind Put
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	queues  map[stream.ShardID]*queue
	sending int           // requests under way
	pending int           // bytes that wait or are under way
	room    chan struct{} // closed when pending shrinks; nil if nobody waits for it
	timer   *time.Timer   // kicks when a queue may go on
}

// queue is what waits for one shard. It has one record under way at most, so that
// one which is refused is put again before what follows it.
type queue struct {
	shard    stream.ShardID
	entries  []waiting
	sending  bool
	failures int       // in a row
	after    time.Time // not before
}

// sent is a record under way.
type sent struct {
	queue   *queue
	entries []waiting
	hash    uint64
	data    []byte
}

func (w *writer) start(ctx context.Context, s *Stream) {
	w.s, w.queues = s, map[stream.ShardID]*queue{}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
}

func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
	for _, q := range w.queues {
		w.fail(q.entries, stream.ErrClosed)
		q.entries = nil
	}
	w.mu.Unlock()
	w.cancel()
	w.wg.Wait()
}

// fail ends the calls of entries. w.mu is held.
func (w *writer) fail(entries []waiting, err error) {
	for i := range entries {
		w.finish(entries[i].call, err)
	}
}

func (w *writer) queue(id stream.ShardID) *queue {
	q := w.queues[id]
	if q == nil {
		q = &queue{shard: id}
		w.queues[id] = q
	}
	return q
}

// kick starts requests as long as something may go, and else has itself called
// when it may. w.mu is held.
func (w *writer) kick() {
	for !w.closed && w.sending < w.s.cfg.Requests {
		batch, next := w.gather(time.Now())
		if len(batch) == 0 {
			w.kickAt(next)
			return
		}
		w.sending++
		w.wg.Go(func() { w.send(batch) })
	}
}

func (w *writer) kickAt(next time.Time) {
	if next.IsZero() {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(time.Until(next), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.kick()
	})
}

// gather takes a record from each queue that may go, as many as a request holds;
// without any, next is when one may. w.mu is held.
func (w *writer) gather(now time.Time) (batch []sent, next time.Time) {
	bytes := 0
	for id, q := range w.queues {
		if q.sending {
			continue
		}
		q.entries = dropOver(q.entries)
		if len(q.entries) == 0 {
			delete(w.queues, id) // its shard may be no more
			continue
		}
		if q.after.After(now) {
			if next.IsZero() || q.after.Before(next) {
				next = q.after
			}
			continue
		}
		if len(batch) == maxRecords {
			break
		}
		n, size := fit(q.entries)
		if bytes += size; len(batch) > 0 && bytes > maxRequestBytes {
			break
		}
		batch = append(batch, q.take(n))
	}
	return batch, next
}

// dropOver leaves out the entries that nobody waits for.
func dropOver(entries []waiting) []waiting {
	kept := entries[:0]
	for _, e := range entries {
		if !e.call.over {
			kept = append(kept, e)
		}
	}
	return kept
}

// fit says how many of the entries go into one record, and how large it is then.
func fit(entries []waiting) (n, size int) {
	size = entryOverhead // of the record itself
	for ; n < len(entries) && n < maxEntries; n++ {
		more := len(entries[n].Data) + entryOverhead
		if n > 0 && size+more > maxRecordBytes {
			break
		}
		size += more
	}
	return n, size
}

// take makes a record of the first entries. The bytes are copied, since callers
// may stop waiting while the record is under way.
func (q *queue) take(n int) sent {
	s := sent{queue: q, entries: append([]waiting(nil), q.entries[:n]...), hash: q.entries[0].Hash}
	q.entries = q.entries[n:]
	q.sending = true
	if data := s.entries[0].Data; n == 1 && len(data) > 0 && data[0] != magic[0] {
		s.data = append([]byte(nil), data...)
		return s
	}
	entries := make([]stream.Entry, n)
	for i := range s.entries {
		entries[i] = s.entries[i].Entry
	}
	s.data = appendAggregated(nil, entries)
	return s
}

// send puts records, and then what waits by then.
func (w *writer) send(batch []sent) {
	for len(batch) > 0 {
		results, err := w.request(batch)
		w.mu.Lock()
		for i := range batch {
			var result *types.PutRecordsResultEntry
			if err == nil {
				result = &results[i]
			}
			w.settle(&batch[i], result, err)
		}
		batch = nil
		if !w.closed {
			var next time.Time
			if batch, next = w.gather(time.Now()); len(batch) == 0 {
				w.kickAt(next)
			}
		}
		if len(batch) == 0 {
			w.sending--
		}
		w.mu.Unlock()
	}
}

// request puts records once. The shards that took them are all in the list of
// shards when it returns.
func (w *writer) request(batch []sent) ([]types.PutRecordsResultEntry, error) {
	in := &kinesis.PutRecordsInput{StreamName: &w.s.cfg.Stream}
	for i := range batch {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: batch[i].data, PartitionKey: aws.String(partitionKey(batch[i].hash)),
			ExplicitHashKey: aws.String(hashKey(batch[i].hash).String()),
		})
	}
	// What fails is tried again here, record by record.
	out, err := w.s.cfg.Client.PutRecords(w.ctx, in, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return nil, fmt.Errorf("put into %s: %w", w.s.cfg.Stream, err)
	}
	if len(out.Records) != len(batch) {
		return nil, fmt.Errorf("put into %s: %d records were answered by %d", w.s.cfg.Stream, len(batch), len(out.Records))
	}
	for i := range out.Records {
		if name := out.Records[i].ShardId; out.Records[i].ErrorCode == nil && aws.ToString(name) != shardName(batch[i].queue.shard) {
			// Split or merged meanwhile.
			if _, err := w.s.shards(w.ctx, 0); err != nil {
				return nil, err
			}
			break
		}
	}
	return out.Records, nil
}

// settle notes what became of a record. What is to be put again goes before what
// waits. w.mu is held.
func (w *writer) settle(r *sent, result *types.PutRecordsResultEntry, err error) {
	q := r.queue
	q.sending = false
	switch {
	case err != nil && (w.closed || w.ctx.Err() != nil):
		w.fail(r.entries, stream.ErrClosed)
	case err != nil && !passes(err):
		w.fail(r.entries, err)
	case err != nil || result.ErrorCode != nil:
		q.failures++
		if err != nil && q.failures%failuresTold == 0 {
			w.s.cfg.Logger.Warn("records wait to be put", "stream", w.s.cfg.Stream, "shard", uint64(q.shard), "failures", q.failures, "err", err)
		}
		q.after = time.Now().Add(pauseAfter(q.failures))
		q.entries = append(r.entries, q.entries...)
		w.s.counted(q.shard, Usage{Throttled: 1})
	default:
		q.failures, q.after = 0, time.Time{}
		w.placeAll(r, result)
	}
}

// placeAll notes where a record's entries went. Those that do not belong to the
// shard which took the record, because it covers less than its parent, are not
// read there, and are put again. w.mu is held.
func (w *writer) placeAll(r *sent, result *types.PutRecordsResultEntry) {
	id, err := ParseShardID(aws.ToString(result.ShardId))
	if err != nil {
		w.fail(r.entries, err)
		return
	}
	var shards []shard
	var took *shard
	if id != r.queue.shard {
		w.s.listing.mu.Lock()
		shards = w.s.listing.shards
		w.s.listing.mu.Unlock()
		for i := range shards {
			if shards[i].ID == id {
				took = &shards[i]
			}
		}
		if took == nil {
			w.fail(r.entries, fmt.Errorf("put into shard %d: %w", id, errUnplaced))
			return
		}
	}
	var last stream.Sequence
	for i := range r.entries {
		e := &r.entries[i]
		if took != nil && len(r.entries) > 1 && !took.holds(hashKey(e.Hash)) {
			to, err := open(shards, e.Hash)
			if err != nil {
				w.finish(e.call, err)
				continue
			}
			again := w.queue(to.ID)
			again.entries = append(again.entries, *e)
			continue
		}
		seq, err := sequenceOf(aws.ToString(result.SequenceNumber), i)
		if err != nil {
			w.finish(e.call, err)
			continue
		}
		w.place(e, stream.Placed{Shard: id, Seq: seq})
		last = seq
	}
	if took != nil {
		w.moveOn(r.queue, shards)
	}
	w.s.wrote(id, last)
	w.s.counted(id, Usage{Records: 1, Bytes: uint64(len(r.data))})
}

// moveOn has what waits for a shard that is closed by now wait for those that have
// taken its place, behind what was put again: entries of one hash keep their order.
// w.mu is held.
func (w *writer) moveOn(q *queue, shards []shard) {
	waiting := q.entries
	q.entries = nil
	for _, e := range waiting {
		to, err := open(shards, e.Hash)
		if err != nil {
			w.finish(e.call, err)
			continue
		}
		next := w.queue(to.ID)
		next.entries = append(next.entries, e)
	}
}
