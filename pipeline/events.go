package pipeline

import (
	"log/slog"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/stream"
)

// Events are called as the stages work, from the goroutine that works, so they
// must be quick. Any may be nil.
type Events struct {
	// Staged: the raw stage has put a batch into the staged and error logs.
	Staged func(StagedInfo)
	// Stored: the staging stage has written a batch into nearline.
	Stored func(StoredInfo)
	// Delivered: an object of the archive is durable, and its checkpoint saved.
	Delivered func(DeliveredInfo)
	// Standing: a shard waits because something failed that may pass.
	Standing func(StandingInfo)
	// Refused: an event became an error row because a store would not take it.
	Refused func(RefusedInfo)
}

// StagedInfo is about a batch of the raw stage.
type StagedInfo struct {
	Shard                     stream.ShardID
	Records, Events, Rejected int
}

// StoredInfo is about a batch of the staging stage.
type StoredInfo struct {
	Log                         string
	Shard                       stream.ShardID
	Rows, Duplicates, Conflicts int
}

// DeliveredInfo is about an object of the archive, which holds the records of
// (After, Through].
type DeliveredInfo struct {
	Log            string
	Shard          stream.ShardID
	Key            string
	After, Through stream.Sequence
	Records        int
	// Bytes are the object's.
	Bytes int
	// Again: the object was there already.
	Again bool
}

// StandingInfo is about a shard that stands.
type StandingInfo struct {
	Stage, Log string
	Shard      stream.ShardID
	// Doing is what failed, Attempt counts from 1, and Pause is until the next.
	Doing   string
	Attempt int
	Pause   time.Duration
	Err     error
}

// RefusedInfo is about an event that a store would not take.
type RefusedInfo struct {
	Stage string
	Shard stream.ShardID
	Err   error
}

// LogEvents makes log lines of what an operator wants to see.
func LogEvents(log *slog.Logger) Events {
	return Events{
		Delivered: func(i DeliveredInfo) {
			log.Debug("delivered", "log", i.Log, "shard", uint64(i.Shard), "key", i.Key, "records", i.Records, "bytes", i.Bytes)
		},
		Standing: func(i StandingInfo) {
			log.Warn("shard stands", "stage", i.Stage, "log", i.Log, "shard", uint64(i.Shard), "doing", i.Doing,
				"attempt", i.Attempt, "pause", i.Pause, "err", i.Err)
		},
		Refused: func(i RefusedInfo) {
			log.Warn("event became an error row", "stage", i.Stage, "shard", uint64(i.Shard), "err", i.Err)
		},
	}
}

// withDefaults makes every callback callable.
func (e Events) withDefaults() Events {
	if e.Staged == nil {
		e.Staged = func(StagedInfo) {}
	}
	if e.Stored == nil {
		e.Stored = func(StoredInfo) {}
	}
	if e.Delivered == nil {
		e.Delivered = func(DeliveredInfo) {}
	}
	if e.Standing == nil {
		e.Standing = func(StandingInfo) {}
	}
	if e.Refused == nil {
		e.Refused = func(RefusedInfo) {}
	}
	return e
}
