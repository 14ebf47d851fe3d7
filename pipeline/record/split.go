package record

import (
	"bytes"
	"errors"
	"fmt"
)

var (
	// ErrTooManyEvents means that a body has more events than the limits allow.
	ErrTooManyEvents = errors.New("too many events")

	// ErrNoEvents means that a body is neither a JSON object, nor an array, nor NDJSON.
	ErrNoEvents = errors.New("the body is neither a JSON object, nor an array of them, nor NDJSON")
)

// Rejection says which event of a body was not taken, counted from 0, and why.
type Rejection struct {
	Index  uint32 `json:"index"`
	Reason string `json:"reason"`
}

// Splitter splits a request body into events: a JSON object is one; of an array each element is one; of NDJSON each line
// that is not blank is one. The bytes alone decide which it is. Syntax and limits are judged here and nothing else; an
// event that fails is rejected and its neighbours are taken.
//
// After a fault in an array's element the next one is found by its brackets: the element ends at the first comma, or
// the array's closing bracket, where all brackets and braces opened in it outside of strings are closed; a closing one
// closes whatever stands unclosed within it. If the text ends before, the rest of the array is rejected with the
// element. In NDJSON the next line goes on.
//
// A Splitter is for one goroutine and can be used again; it keeps its slices.
type Splitter struct {
	Events   [][]byte // of the last Split, in the body's bytes
	Indexes  []uint32 // of each of Events in the body
	Rejected []Rejection

	limits Limits
	check  check
	count  int    // events seen, taken or not
	open   []byte // brackets open while an element is skipped
}

// byteOrderMark may stand before JSON text, and means nothing there (RFC 8259, 8.1).
const byteOrderMark = "\uFEFF"

// Split splits a body. The events lie in it. ErrTooManyEvents and ErrNoEvents refuse it as a whole.
func (s *Splitter) Split(body []byte, limits Limits) error {
	s.Events, s.Indexes, s.Rejected = s.Events[:0], s.Indexes[:0], s.Rejected[:0]
	s.limits, s.count = limits, 0
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	i := skipSpace(body, 0)
	if i == len(body) {
		return ErrNoEvents
	}
	if body[i] == '[' {
		return s.array(body, i+1)
	}
	return s.lines(body[i:])
}

// next counts one more event.
func (s *Splitter) next() error {
	if s.count++; s.count > s.limits.Events {
		return fmt.Errorf("%w: more than %d", ErrTooManyEvents, s.limits.Events)
	}
	return nil
}

// take takes an event as the one counted last.
func (s *Splitter) take(event []byte) {
	s.Events = append(s.Events, event)
	s.Indexes = append(s.Indexes, uint32(s.count-1))
}

func (s *Splitter) reject(reason string) {
	s.Rejected = append(s.Rejected, Rejection{Index: uint32(s.count - 1), Reason: reason})
}

// judge checks the event that data is, and gives the reason if it must be rejected.
func (s *Splitter) judge(data []byte) (reason string) {
	if len(data) > s.limits.EventBytes {
		s.check.fault = ""
		return s.tooLarge()
	}
	end := s.check.event(data, 0, &s.limits)
	if end >= 0 && end < len(data) {
		s.check.fail(end, faultTrailing)
	}
	return s.reason(0)
}

func (s *Splitter) tooLarge() string {
	return fmt.Sprintf("larger than %d bytes", s.limits.EventBytes)
}

// reason words the fault of the last check, of an event that begins at start; "" if there was none.
func (s *Splitter) reason(start int) string {
	if s.check.fault == "" || s.check.fault == faultObject {
		return s.check.fault
	}
	return fmt.Sprintf("%s at byte %d", s.check.fault, s.check.at-start)
}

// array splits the elements of an array, the first of which begins at or after i.
func (s *Splitter) array(body []byte, i int) error {
	if i = skipSpace(body, i); i < len(body) && body[i] == ']' {
		s.trailing(body, i+1)
		return nil
	}
	for {
		if err := s.next(); err != nil {
			return err
		}
		end, found := s.element(body, i)
		if !found {
			return nil
		}
		if body[end] == ']' {
			s.trailing(body, end+1)
			return nil
		}
		i = skipSpace(body, end+1)
	}
}

// element takes or rejects the element that begins at i, and finds the comma or bracket after it.
func (s *Splitter) element(body []byte, i int) (end int, found bool) {
	after := s.check.event(body, i, &s.limits)
	if after >= 0 {
		end = skipSpace(body, after)
		if end == len(body) || body[end] == ',' || body[end] == ']' {
			if after-i > s.limits.EventBytes {
				s.reject(s.tooLarge())
			} else {
				s.take(body[i:after])
			}
			if end == len(body) {
				s.cut()
			}
			return end, end < len(body)
		}
		s.check.fail(end, faultElement)
	}
	reason := s.reason(i)
	end, found = s.skip(body, max(i, after))
	switch {
	case !found:
		reason += "; the rest of the array could not be read"
	case end-i > s.limits.EventBytes:
		reason = s.tooLarge()
	}
	s.reject(reason)
	return end, found
}

// cut rejects what should have followed in an array that does not end.
func (s *Splitter) cut() {
	s.count++
	s.reject("unexpected end of the array")
}

// trailing rejects what follows the array's end at i, if anything does.
func (s *Splitter) trailing(body []byte, i int) {
	if skipSpace(body, i) < len(body) {
		s.count++
		s.reject("text after the array")
	}
}

// skip finds the comma or bracket that ends the element in which data[i] stands.
func (s *Splitter) skip(data []byte, i int) (end int, found bool) {
	s.open = s.open[:0]
	for ; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			if i = endOfString(data, i+1); i == len(data) {
				return i, false
			}
		case '{', '[':
			s.open = append(s.open, c)
		case '}', ']':
			opening := byte('{')
			if c == ']' {
				opening = '['
			}
			if at := bytes.LastIndexByte(s.open, opening); at >= 0 {
				s.open = s.open[:at]
			} else if c == ']' {
				return i, true
			}
		case ',':
			if len(s.open) == 0 {
				return i, true
			}
		}
	}
	return i, false
}

// endOfString finds the next quote without a backslash before it, or the end of data.
func endOfString(data []byte, i int) int {
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(data)
}

// lines splits NDJSON, or takes the one object that a body is. body begins with another byte than white space.
func (s *Splitter) lines(body []byte) error {
	whole := "" // why the body is not one object over several lines, if it looked like one
	objects := false
	for rest := body; len(rest) > 0; {
		var line []byte
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else {
			line, rest = rest, nil
		}
		if line = trimSpace(line); len(line) == 0 {
			continue
		}
		if err := s.next(); err != nil {
			if whole != "" && len(s.Events) == 0 {
				break
			}
			return err
		}
		objects = objects || line[0] == '{'
		reason := s.judge(line)
		if reason == "" {
			s.take(line)
			continue
		}
		if s.count == 1 && s.check.fault == faultEnd && len(rest) > 0 {
			event := trimSpace(body)
			if whole = s.judge(event); whole == "" {
				s.take(event)
				return nil
			}
		}
		s.reject(reason)
	}
	switch {
	case len(s.Events) > 0:
	case !objects:
		return ErrNoEvents
	case whole != "":
		s.Rejected, s.count = s.Rejected[:0], 1
		s.reject(whole)
	}
	return nil
}

func trimSpace(line []byte) []byte {
	line = line[skipSpace(line, 0):]
	for len(line) > 0 && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}
