package faultproxy

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault.
type Kind int

// The kinds. A kind that an operation cannot meet does nothing to it.
const (
	// None lets the request through.
	None Kind = iota
	// InternalError answers 500; nothing was done.
	InternalError
	// SlowDown is S3's 503; nothing was done.
	SlowDown
	// Throttled is ProvisionedThroughputExceededException of Kinesis and DynamoDB;
	// nothing was done.
	Throttled
	// Partial takes a share of a batch and refuses the rest: PutRecords with failed
	// records, BatchWriteItem with UnprocessedItems, BatchGetItem with
	// UnprocessedKeys.
	Partial
	// CutBefore closes the connection; nothing was done.
	CutBefore
	// CutAfter closes the connection after the work was done.
	CutAfter
	// CutAnswer closes the connection amid the answer.
	CutAnswer
	// Empty answers with status 200 and nothing else; nothing was done.
	Empty
	// Slow lets the request through after a delay.
	Slow
	// Late has the server do the work and holds its answer back for a delay.
	Late
	// Halting sends half of the answer, and the rest after a delay.
	Halting
	// ExpiredIterator is ExpiredIteratorException of GetRecords.
	ExpiredIterator
	// LimitExceeded is LimitExceededException of UpdateTable.
	LimitExceeded
	kinds
)

// Fault is what happens to a request.
type Fault struct {
	Kind  Kind
	Share float64       // of Partial: what is refused, 0 to 1; 0 is a half
	Delay time.Duration // of Slow, Late and Halting
}

// suits says that an operation can meet the kind.
func (k Kind) suits(operation string) bool {
	switch k {
	case SlowDown:
		return isMethod(operation)
	case Throttled:
		return !isMethod(operation)
	case Partial:
		return slices.Contains([]string{"PutRecords", "BatchWriteItem", "BatchGetItem"}, operation)
	case ExpiredIterator:
		return operation == "GetRecords"
	case LimitExceeded:
		return operation == "UpdateTable"
	case Late, Halting:
		return operation != "SubscribeToShard"
	default:
		return true
	}
}

// isMethod says that an operation is an HTTP method, and so one of S3.
func isMethod(operation string) bool {
	return slices.Contains([]string{"GET", "HEAD", "PUT", "POST", "DELETE"}, operation)
}

// Rates are the shares of requests that meet each kind of fault, 0 to 1; those of
// a kind that does not suit a request stay untouched.
type Rates map[Kind]float64

// Storm has a bit of everything: about every fourth request meets something.
func Storm() Rates {
	return Rates{
		InternalError: 0.04, SlowDown: 0.05, Throttled: 0.05, Partial: 0.15,
		CutBefore: 0.03, CutAfter: 0.03, CutAnswer: 0.03, Slow: 0.04, Late: 0.02, ExpiredIterator: 0.05,
	}
}

// Random decides by a seed: the same request number and operation always meet the
// same. Slow and late ones take up to 200 ms more.
func Random(seed uint64, rates Rates) Decide {
	return func(r Request) Fault {
		rng := rand.New(rand.NewPCG(seed, r.Number))
		at := rng.Float64()
		for kind := None + 1; kind < kinds; kind++ {
			rate := rates[kind]
			if !kind.suits(r.Operation) || rate == 0 {
				continue
			}
			if at < rate {
				return Fault{Kind: kind, Share: rng.Float64(), Delay: time.Duration(rng.IntN(200)) * time.Millisecond}
			}
			at -= rate
		}
		return Fault{}
	}
}
