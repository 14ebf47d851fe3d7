// Package pipeline carries events from stream to storage, in stages that each
// read a log and are pure functions of its records.
//
//   - Raw reads the raw log, decides metric and time of every event, and puts it
//     into the staged log, or what is wrong with it into the error log.
//   - Staging reads the staged and the error log and writes both into nearline.
//   - Delivery archives all three logs as objects, which compaction reads.
//
// Between stages delivery is at least once: a stage puts, then moves its
// checkpoint, and after a crash puts again what lies between. Every consumer
// drops what it has seen, by the identities of events and the ranges of objects.
//
// What passes (a full disk, a throttled or unavailable store) is waited out
// without bound: the shard stands, and Events tells of it. What does not pass by
// waiting (a log that has failed) ends Run. A record that a store refuses for
// itself is tried a few times and then becomes an error row, so that one bad
// event holds up nobody.
//
// The bytes of records are for package record, logs for package stream.
package pipeline

import "github.com/fieldgate/fieldgate/pipeline/record"

// The stages, as they appear in errors.stream and in figures.
const (
	StageRaw      = "raw"
	StageStaging  = "staging"
	StageDelivery = "delivery"
)

// The names of the logs, which their archives share.
const (
	LogRaw    = record.StageRaw
	LogStaged = record.StageStaged
	LogErrors = record.StageErrors
)

// The consumers whose checkpoints the stages keep. Retention of the raw log waits
// for ConsumerRaw and ConsumerDelivery, that of the staged and error logs for
// ConsumerDelivery and compaction, because the tail is rebuilt from compaction's
// checkpoint on; that of the staged log for ConsumerStaging and ConsumerProfile
// too, which may be behind it.
const (
	ConsumerRaw      = "raw"
	ConsumerStaging  = "staging"
	ConsumerDelivery = "delivery"
	// ConsumerProfile is the staging stage where it profiles values.
	ConsumerProfile = "profile"
)
