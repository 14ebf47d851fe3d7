package record

// maxNames bounds how many names a names remembers. Names come from outside, so that without a bound a sender could
// fill the memory; past it everything is forgotten and learnt anew.
const maxNames = 1 << 16

// names turns bytes into strings and gives the same string for the same bytes, without an allocation once it knows them.
// It expects that the name that followed a name last time follows it again, which holds from event to event and saves
// the hashing. The zero names is ready; it is for one goroutine.
type names struct {
	byText map[string]*name
	last   *name
}

type name struct {
	text string
	next *name
}

func (n *names) intern(text []byte) string {
	if n.last != nil {
		if next := n.last.next; next != nil && next.text == string(text) {
			n.last = next
			return next.text
		}
	}
	found, ok := n.byText[string(text)]
	if !ok {
		if n.byText == nil || len(n.byText) >= maxNames {
			n.byText = make(map[string]*name)
			n.last = nil
		}
		found = &name{text: string(text)}
		n.byText[found.text] = found
	}
	if n.last != nil {
		n.last.next = found
	}
	n.last = found
	return found.text
}
