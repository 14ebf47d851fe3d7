package record

import "unsafe"

// maxNames bounds how many names a names remembers. Names come from outside, so that without a bound a sender could
// fill the memory; past it everything is forgotten and learnt anew.
const maxNames = 1 << 16

// names turns bytes into strings and gives the same string for the same bytes, without an allocation once it knows them.
// It expects that one of the two names that followed a name last follow it again, which holds from event to event, also
// where two kinds of device take turns, and saves the hashing. The zero names is ready; it is for one goroutine.
type names struct {
	byText map[string]*name
	last   *name
	count  uint64 // of all names ever made
}

type name struct {
	text   string
	number uint64   // from 1 on; no other name of the names had it
	next   [2]*name // those that followed last

	// How a member of this name stood in an event when it was last read there: the number of the name of the object that
	// it is in, and its key as sent; "" if that has escapes.
	within uint64
	key    string
}

func (n *names) intern(text []byte) string { return n.find(text).text }

func (n *names) find(text []byte) *name {
	if n.last != nil {
		for _, next := range n.last.next {
			if next != nil && next.text == string(text) {
				n.last = next
				return next
			}
		}
	}
	found, ok := n.byText[string(text)]
	if !ok {
		if n.byText == nil || len(n.byText) >= maxNames {
			n.byText = make(map[string]*name)
			n.last = nil
		}
		n.count++
		found = &name{text: string(text), number: n.count}
		n.byText[found.text] = found
	}
	if n.last != nil {
		n.last.next = [2]*name{found, n.last.next[0]}
	}
	n.last = found
	return found
}

// follows gives the name whose key, with the colon after it, stands in data at i, if it is one of the two that followed
// the name last given and was last in the same object. Else nil, and nothing has happened.
func (n *names) follows(data []byte, i int, within uint64) *name {
	if n.last == nil {
		return nil
	}
	for _, next := range n.last.next {
		if next != nil && next.within == within && next.isAt(data, i) {
			n.last = next
			return next
		}
	}
	return nil
}

// isAt says that data has the key at i, in quotes, and a colon after it.
func (n *name) isAt(data []byte, i int) bool {
	end := i + 1 + len(n.key)
	return n.key != "" && end+1 < len(data) && data[end+1] == ':' && data[end] == '"' && data[i] == '"' && string(data[i+1:end]) == n.key
}

// sameText is a == b. Names are mostly the same string, not only an equal one, and then no byte is looked at, nor a
// function called: comparing the names of an event with those of a shape takes a fifth of the time.
func sameText(a, b string) bool {
	return len(a) == len(b) && (unsafe.StringData(a) == unsafe.StringData(b) || a == b)
}
