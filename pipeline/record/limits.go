package record

import "fmt"

// MaxDepth is how deep containers may nest in an event, the event itself being the first.
const MaxDepth = 32

// Limits are what an event, and a request, may be at most. They are judged before anything is built.
type Limits struct {
	Events     int // events in a request
	EventBytes int // bytes of one event, as sent
	Fields     int // fields of one event, null ones among them
	NameBytes  int // bytes of one flattened name
	NamesBytes int // bytes of the flattened names of one event together
}

// StreamingLimits are those of streaming requests in design section 3.
func StreamingLimits() Limits {
	return Limits{Events: 500, EventBytes: 1 << 20, Fields: 2000, NameBytes: 1 << 10, NamesBytes: 64 << 10}
}

// depthFault is why an event that goes deeper than MaxDepth is refused.
func depthFault() string { return fmt.Sprintf("nested deeper than %d", MaxDepth) }
