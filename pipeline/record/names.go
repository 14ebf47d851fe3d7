package record

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
	number uint64   // no other name of the names had it
	next   [2]*name // those that followed last
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
