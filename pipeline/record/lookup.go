package record

import "github.com/fieldgate/fieldgate/schema"

// lookup finds the value of one name in event after event. Most have it, or lack it, where the event before did, so that
// is looked at first. It is for one goroutine.
type lookup struct {
	name string
	at   int // where the name was, or would have been
}

func lookupsOf(names []string) []lookup {
	list := make([]lookup, len(names))
	for i, name := range names {
		list[i].name = name
	}
	return list
}

// in gives the value of the name among values sorted by name, or nil.
func (l *lookup) in(values []schema.Value) *schema.Value {
	if l.at >= len(values) || values[l.at].Name != l.name {
		if l.isAbsent(values) {
			return nil
		}
		l.at = search(values, l.name)
	}
	if l.at < len(values) && values[l.at].Name == l.name {
		return &values[l.at]
	}
	return nil
}

// isAbsent says that the names before and from l.at on are those between which the name would be.
func (l *lookup) isAbsent(values []schema.Value) bool {
	return l.at <= len(values) && (l.at == len(values) || values[l.at].Name > l.name) && (l.at == 0 || values[l.at-1].Name < l.name)
}

// find gives the value of a name among values sorted by name, or nil.
func find(values []schema.Value, name string) *schema.Value {
	if at := search(values, name); at < len(values) && values[at].Name == name {
		return &values[at]
	}
	return nil
}

// search gives the index of the first of values, sorted by name, whose name is not less.
func search(values []schema.Value, name string) int {
	low, high := 0, len(values)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if values[mid].Name < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}
