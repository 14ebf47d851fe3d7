package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/pipeline/stream"
	"github.com/fieldgate/fieldgate/schema"
)

func addEvents(f *testing.F) {
	for _, event := range plainEvents(3) {
		f.Add(event)
	}
	for _, event := range []string{
		`{}`, `[]`, `{"a":[1,{"b":null}],"c":{"d":{}}}`, `{"a":1,"a":2}`, `{"_id":"x","_b":1}`, `{"a":"\ud83d\ude00\u0000"}`,
		`{"a":1e400,"b":-0,"c":9007199254740993,"d":0.1000000000000000055511151231257827}`, `[{"a":[1,2},{"b":1}]`, "{\"a\":1}\r\n\n{\"b\":",
		`{"a":"` + "\xff" + `"}`, `{"timestamp":"2026-11-23T10:00:00Z","metrictype":"m"}`,
	} {
		f.Add([]byte(event))
	}
}

// Whatever the body, splitting it does not panic, takes nothing but valid JSON within the limits, rejects nothing that
// another parser would take, and every event is taken or rejected once, in order.
func FuzzSplit(f *testing.F) {
	addEvents(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var s record.Splitter
		limits := record.StreamingLimits()
		if err := s.Split(body, limits); err != nil {
			return
		}
		for i, event := range s.Events {
			if !json.Valid(event) || event[0] != '{' {
				t.Errorf("took %q", event)
			}
			if i > 0 && s.Indexes[i] <= s.Indexes[i-1] {
				t.Errorf("indexes %v", s.Indexes)
			}
			if _, err := record.Flatten(nil, event); err != nil && bytes.Contains([]byte(err.Error()), []byte("at byte")) {
				t.Errorf("took %q, which cannot be flattened: %v", event, err)
			}
		}
		seen := map[uint32]bool{}
		for _, i := range s.Indexes {
			seen[i] = true
		}
		for _, r := range s.Rejected {
			if seen[r.Index] || r.Reason == "" {
				t.Errorf("rejected %+v, taken %v", r, s.Indexes)
			}
			seen[r.Index] = true
		}
		for i := range len(seen) {
			if !seen[uint32(i)] {
				t.Errorf("event %d is neither taken nor rejected", i)
			}
		}
	})
}

// Whatever the event, flattening it does not panic, depends on nothing before it, and writing its values as JSON and
// flattening that gives the same values and identity.
func FuzzFlatten(f *testing.F) {
	addEvents(f)
	var used record.Flattener
	binder := record.NewBinder(plainSnapshot())
	f.Fuzz(func(t *testing.T, event []byte) {
		values, err := record.Flatten(nil, event)
		again, errAgain := used.Flatten(nil, event)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || printed(values) != printed(again) {
			t.Fatalf("%q flattens to\n%s%v\nand\n%s%v", event, printed(values), err, printed(again), errAgain)
		}
		if err != nil {
			return
		}
		for i := 1; i < len(values); i++ {
			if values[i].Name <= values[i-1].Name {
				t.Fatalf("names of %q out of order", event)
			}
		}
		bound, err := binder.Bind(values, "m", 0)
		fresh, errFresh := record.NewBinder(plainSnapshot()).Bind(values, "m", 0)
		if bound != fresh || fmt.Sprint(err) != fmt.Sprint(errFresh) {
			t.Fatalf("%q is bound to %+v, %v and anew to %+v, %v", event, bound, err, fresh, errFresh)
		}
		text := record.AppendEvent(nil, values)
		second, err := record.Flatten(nil, text)
		if err != nil || printed(second) != printed(values) {
			t.Fatalf("%q flattens to\n%sand %q to\n%s%v", event, printed(values), text, printed(second), err)
		}
		id, hash := record.Identify(values, true, "", 0)
		id2, hash2 := record.Identify(second, true, "", 0)
		if id != id2 || hash != hash2 {
			t.Fatalf("%q and %q have two identities", event, text)
		}
	})
}

func FuzzDecodeRaw(f *testing.F) {
	f.Add(record.AppendRaw(nil, sampleRaw()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again record.Raw
		if record.DecodeRaw(data, &r) != nil {
			return
		}
		if err := record.DecodeRaw(record.AppendRaw(nil, &r), &again); err != nil || len(again.Events) != len(r.Events) {
			t.Errorf("%+v is not decoded again: %v", r, err)
		}
	})
}

func FuzzDecodeStaged(f *testing.F) {
	var s record.StagedEncoder
	for _, e := range sampleEvents(f) {
		s.Add(&e)
	}
	f.Add(bytes.Clone(s.Bytes()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s record.StagedEncoder
		n := 0
		err := record.DecodeStaged(data, func(_ uint32, e *schema.Event) bool {
			s.Add(e)
			n++
			return true
		})
		if err != nil {
			return
		}
		again := 0
		if err := record.DecodeStaged(s.Bytes(), func(uint32, *schema.Event) bool { again++; return true }); err != nil || again != n {
			t.Errorf("%d of %d events decoded again: %v", again, n, err)
		}
	})
}

func FuzzStagedReader(f *testing.F) {
	w, err := record.NewStagedWriter()
	if err != nil {
		f.Fatal(err)
	}
	object, _ := stagedObject(f, w, samplePlaced(f))
	f.Add(object)
	f.Fuzz(func(_ *testing.T, data []byte) {
		r, err := record.NewStagedReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		defer r.Close()
		_ = r.Read(func(stream.Position, *schema.Event) bool { return true }) // must not panic
	})
}
