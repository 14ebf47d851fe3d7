package record

import (
	"bytes"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
)

// ownID is the one name beginning with an underscore that an event may have at its top level.
const ownID = "_id"

// kindNone marks, while an event is flattened, a member that gives no field: a null, or an object whose members give
// their own. It takes part in the search for names given twice.
const kindNone schema.Kind = 0

// shapePrime is FNV-1a's, for 64 bits.
const shapePrime = 0x100000001b3

// Flattener turns the JSON of events into values. The zero Flattener is ready. It is for one goroutine and remembers
// names and shapes, so that events that look alike cost little; keep it from event to event.
type Flattener struct {
	names  names
	shapes shapes
	event  name // stands for the object that an event is, which has no name

	// Of the event at hand: its members in the order sent, what was unescaped or compacted, a dotted name being made, the
	// keys of the objects inside an array.
	data    []byte
	members []schema.Value
	arena   []byte
	path    []byte
	keys    [][]byte
	shape   uint64   // a hash of the members' names
	bad     []string // reserved names
	badID   bool     // _id is neither text nor a number
	err     *Malformed
}

// Flatten appends the values of an event to dst, sorted by name. What cannot be a row is a *Malformed; if its names
// alone forbid that, they being reserved, the values are given as well.
//
// The Text of the values lies in event or in the Flattener: it stays until event changes or Flatten is called again.
// Names may be kept.
func (f *Flattener) Flatten(dst []schema.Value, event []byte) ([]schema.Value, error) {
	f.data, f.err, f.badID, f.shape = event, nil, false, 0
	f.members, f.arena, f.keys, f.bad = f.members[:0], f.arena[:0], f.keys[:0], f.bad[:0]
	i := skipSpace(event, 0)
	if i == len(event) || event[i] != '{' {
		return dst, malformed(faultObject)
	}
	if i = f.object(i+1, 1, &f.event); f.err == nil {
		if i = skipSpace(event, i); i < len(event) {
			f.fault(i, faultTrailing)
		}
	}
	if f.err != nil {
		return dst, f.err
	}
	shape, err := f.shapes.find(f.shape, f.members)
	if err == nil {
		for _, from := range shape.order {
			if m := &f.members[from]; m.Kind != kindNone {
				dst = append(dst, *m)
			}
		}
	}
	if len(f.bad) > 0 {
		slices.Sort(f.bad)
		return dst, malformed("reserved name %s: only _id may begin with an underscore", strings.Join(slices.Compact(f.bad), ", "))
	}
	if f.badID {
		return dst, malformed("_id is neither text nor a number")
	}
	return dst, err
}

// fault notes that the event is not JSON, and where. It returns the end of the data, so that every loop ends.
func (f *Flattener) fault(at int, reason string) int {
	if f.err == nil {
		f.err = malformed("%s at byte %d", reason, at)
	}
	return len(f.data)
}

// object reads the members of an object up to its closing brace, and gives the index after it. within is the object's
// dotted name, of number 0 for the event itself.
func (f *Flattener) object(i, depth int, within *name) int {
	if depth > MaxDepth {
		return f.fault(i, depthFault())
	}
	data := f.data
	if i = skipSpace(data, i); i < len(data) && data[i] == '}' {
		return i + 1
	}
	for {
		// Nearly every member follows the one that it followed in the event before: then its key need not be read, which
		// saves a third of what flattening takes.
		name := f.names.follows(data, i, within.number)
		if name != nil {
			i += len(name.key) + len(`"":`)
		} else if name, i = f.key(i, within); name == nil {
			return i
		}
		i = skipSpace(data, i)
		if depth == 1 && len(name.text) > 0 && name.text[0] == '_' {
			f.reserved(name.text, i)
		}
		at := len(f.members)
		f.shape = (f.shape ^ name.number) * shapePrime
		f.members = append(f.members, schema.Value{Name: name.text})
		i = f.member(at, i, depth, name)
		if f.err != nil {
			return i
		}
		if i = skipSpace(data, i); i == len(data) {
			return f.fault(i, faultEnd)
		}
		switch data[i] {
		case ',':
			i = skipSpace(data, i+1)
		case '}':
			return i + 1
		default:
			return f.fault(i, faultMember)
		}
	}
}

// key reads a member's key and the colon after it, the key being at i, and gives the member's dotted name and the index
// after the colon; nil after a fault.
func (f *Flattener) key(i int, within *name) (*name, int) {
	data := f.data
	if i == len(data) || data[i] != '"' {
		return nil, f.fault(i, faultOr(data, i, faultKey))
	}
	key, end := f.text(i + 1)
	if f.err != nil {
		return nil, end
	}
	escaped := len(key) < end-i-len(`""`)
	if i = skipSpace(data, end); i == len(data) || data[i] != ':' {
		return nil, f.fault(i, faultOr(data, i, faultColon))
	}
	f.path = f.path[:0]
	if within.number != 0 {
		f.path = append(append(f.path, within.text...), '.')
	}
	f.path = append(f.path, key...)
	name := f.names.find(f.path)
	name.within, name.key = within.number, ""
	if !escaped {
		name.key = name.text[len(name.text)-len(key):]
	}
	return name, i + 1
}

// reserved notes a top-level key that begins with an underscore, whose value begins at i.
func (f *Flattener) reserved(key string, i int) {
	if key != ownID {
		f.bad = append(f.bad, quoted(key))
		return
	}
	if i < len(f.data) {
		switch f.data[i] {
		case '{', '[', 't', 'f':
			f.badID = true
		}
	}
}

// member reads the value of f.members[at], which has the name and begins at i, and gives the index after it.
func (f *Flattener) member(at, i, depth int, name *name) int {
	data := f.data
	if i == len(data) {
		return f.fault(i, faultEnd)
	}
	var end int
	var fault string
	switch c := data[i]; c {
	case '"':
		text, end := f.text(i + 1)
		m := &f.members[at]
		m.Kind, m.Text = schema.KindText, text
		return end
	case '{':
		if end = skipSpace(data, i+1); end < len(data) && data[end] == '}' {
			m := &f.members[at]
			m.Kind, m.Text = schema.KindJSON, []byte("{}")
			return end + 1
		}
		return f.object(i+1, depth+1, name)
	case '[':
		text, end := f.array(i, depth+1)
		m := &f.members[at]
		m.Kind, m.Text = schema.KindJSON, text
		return end
	case 't', 'f':
		if end, fault = scanLiteral(data, i); fault == "" {
			m := &f.members[at]
			m.Kind = schema.KindBool
			if c == 't' {
				m.Int = 1
			}
		}
	case 'n':
		end, fault = scanLiteral(data, i)
	default:
		if c != '-' && c-'0' > 9 {
			return f.fault(i, faultValue)
		}
		end, fault = readNumber(&f.members[at], data, i)
	}
	if fault != "" {
		return f.fault(end, fault)
	}
	return end
}

// text reads the string whose first byte after the quote is at i: what it stands for, and the index after its closing
// quote.
func (f *Flattener) text(i int) (text []byte, end int) {
	end, escaped, fault := scanString(f.data, i)
	if fault != "" {
		return nil, f.fault(end, fault)
	}
	if !escaped {
		return f.data[i:end:end], end + 1
	}
	from := len(f.arena)
	f.arena = appendUnescaped(f.arena, f.data[i:end])
	return f.arena[from:len(f.arena):len(f.arena)], end + 1
}

// array reads the array or object inside an array that begins at i, and gives it as compact JSON text.
func (f *Flattener) array(i, depth int) (text []byte, end int) {
	clean := true
	end = f.element(i, depth, &clean)
	if f.err != nil {
		return nil, end
	}
	if clean {
		return f.data[i:end:end], end
	}
	from := len(f.arena)
	f.arena = appendCompact(f.arena, f.data[i:end])
	return f.arena[from:len(f.arena):len(f.arena)], end
}

// element passes over the value that begins at i, inside of an array, and gives the index after it. clean is left true
// if the value has no white space and no escapes.
func (f *Flattener) element(i, depth int, clean *bool) int {
	data := f.data
	if i == len(data) {
		return f.fault(i, faultEnd)
	}
	var end int
	var fault string
	switch c := data[i]; c {
	case '"':
		var escaped bool
		if end, escaped, fault = scanString(data, i+1); fault == "" {
			*clean = *clean && !escaped
			return end + 1
		}
	case '[', '{':
		if depth > MaxDepth {
			return f.fault(i, depthFault())
		}
		return f.elements(i, depth, clean)
	case 't', 'f', 'n':
		end, fault = scanLiteral(data, i)
	default:
		if c != '-' && c-'0' > 9 {
			return f.fault(i, faultValue)
		}
		end, _, fault = scanNumber(data, i)
	}
	if fault != "" {
		return f.fault(end, fault)
	}
	return end
}

// elements passes over the array or object that begins at i.
func (f *Flattener) elements(i, depth int, clean *bool) int {
	data := f.data
	object := data[i] == '{'
	closing, missing := byte(']'), faultElement
	if object {
		closing, missing = '}', faultMember
	}
	base := len(f.keys)
	i = f.space(i+1, clean)
	if i < len(data) && data[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i == len(data) || data[i] != '"' {
				return f.fault(i, faultOr(data, i, faultKey))
			}
			from := len(f.arena)
			key, end := f.text(i + 1)
			if f.err != nil {
				return end
			}
			*clean = *clean && len(f.arena) == from
			f.keys = append(f.keys, key)
			if i = f.space(end, clean); i == len(data) || data[i] != ':' {
				return f.fault(i, faultOr(data, i, faultColon))
			}
			i = f.space(i+1, clean)
		}
		if i = f.element(i, depth+1, clean); f.err != nil {
			return i
		}
		if i = f.space(i, clean); i == len(data) {
			return f.fault(i, faultEnd)
		}
		switch data[i] {
		case ',':
			i = f.space(i+1, clean)
		case closing:
			f.checkKeys(base)
			return i + 1
		default:
			return f.fault(i, missing)
		}
	}
}

func (f *Flattener) space(i int, clean *bool) int {
	next := skipSpace(f.data, i)
	*clean = *clean && next == i
	return next
}

// checkKeys looks for a key given twice among f.keys[base:], those of one object inside an array, and takes them off.
func (f *Flattener) checkKeys(base int) {
	keys := f.keys[base:]
	slices.SortFunc(keys, bytes.Compare)
	for i := 1; i < len(keys); i++ {
		if bytes.Equal(keys[i], keys[i-1]) && f.err == nil {
			f.err = malformed("name %s given twice in an object within %s", quoted(keys[i]), quoted(f.members[len(f.members)-1].Name))
		}
	}
	f.keys = f.keys[:base]
}

// faultOr is the fault at i: the end of the text, or else what was expected there.
func faultOr(data []byte, i int, expected string) string {
	if i >= len(data) {
		return faultEnd
	}
	return expected
}
