package vfstest

import (
	"io/fs"
	"path/filepath"
)

// Op is a kind of call that a rule can match.
type Op string

// The kinds of calls. A Rename is matched by its new name, a directory made counts as Create, reads of any kind as Open.
const (
	Open     Op = "open"
	Create   Op = "create"
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Rename   Op = "rename"
	Remove   Op = "remove"
	SyncDir  Op = "syncdir"
)

// AnyOp matches every kind of call that changes something: all but Open.
const AnyOp Op = "any"

type rule struct {
	op      Op
	pattern string
	left    int // matching calls until it strikes
	err     error
	cut     bool
}

// Fail makes the n-th matching call from now on, 1 being the next, fail once with err, ErrInjected if nil. The pattern
// is that of filepath.Match, held against the base name and against the path below the root. A failed write has
// written a random part of its bytes; a failed sync has lost for good what it was to keep, though reads still show it.
func (f *Faults) Fail(op Op, pattern string, n int, err error) {
	if err == nil {
		err = ErrInjected
	}
	f.add(&rule{op: op, pattern: pattern, left: n, err: err})
}

// CutPower makes the n-th matching call, and all calls after it, give ErrPowerOff. The call itself is not done, but for
// a part of its bytes if it is a write. Crash then shows what is left.
func (f *Faults) CutPower(op Op, pattern string, n int) {
	f.add(&rule{op: op, pattern: pattern, left: n, err: ErrPowerOff, cut: true})
}

func (f *Faults) add(r *rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
}

// check gives the error that the call is to fail with, if any. f.mu is held.
func (f *Faults) check(op Op, name string) error {
	if f.off {
		return &fs.PathError{Op: string(op), Path: name, Err: ErrPowerOff}
	}
	for i, r := range f.rules {
		if !r.matches(f.root, op, name) {
			continue
		}
		r.left--
		if r.left > 0 {
			continue
		}
		f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
		f.off = f.off || r.cut
		return &fs.PathError{Op: string(op), Path: name, Err: r.err}
	}
	return nil
}

func (r *rule) matches(root string, op Op, name string) bool {
	if r.op != op && (r.op != AnyOp || op == Open) {
		return false
	}
	if ok, err := filepath.Match(r.pattern, filepath.Base(name)); ok && err == nil {
		return true
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return false
	}
	ok, err := filepath.Match(r.pattern, rel)
	return ok && err == nil
}
