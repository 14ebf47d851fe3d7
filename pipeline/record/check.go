package record

import "fmt"

// check judges one event: whether it is JSON and within the limits. Flattened names are only counted, not built. Its
// methods give the index after what they passed over, or -1 once fault says what is wrong at at.
type check struct {
	data   []byte
	limits *Limits
	fields int
	names  int // bytes of all flattened names
	fault  string
	at     int
}

// event checks the event that begins at data[i].
func (c *check) event(data []byte, i int, limits *Limits) int {
	*c = check{data: data, limits: limits}
	if i >= len(data) || data[i] != '{' {
		return c.expected(i, faultObject)
	}
	return c.object(i+1, 1, 0)
}

func (c *check) fail(at int, fault string) int {
	c.fault, c.at = fault, at
	return -1
}

// expected fails because another thing was expected at i, or the text ends there.
func (c *check) expected(i int, fault string) int {
	if i >= len(c.data) {
		return c.fail(i, faultEnd)
	}
	return c.fail(i, fault)
}

// object passes over the members of an object, whose members' names begin with prefix bytes.
func (c *check) object(i, depth, prefix int) int {
	if depth > MaxDepth {
		return c.fail(i-1, depthFault())
	}
	data := c.data
	if i = skipSpace(data, i); i < len(data) && data[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(data) || data[i] != '"' {
			return c.expected(i, faultKey)
		}
		end, escaped, fault := scanString(data, i+1)
		if fault != "" {
			return c.fail(end, fault)
		}
		name := prefix + end - i - 1
		if escaped {
			name = prefix + unescapedLen(data[i+1:end])
		}
		if i = skipSpace(data, end+1); i >= len(data) || data[i] != ':' {
			return c.expected(i, faultColon)
		}
		if i = c.member(skipSpace(data, i+1), depth, name); i < 0 {
			return i
		}
		if i = skipSpace(data, i); i >= len(data) {
			return c.fail(i, faultEnd)
		}
		switch data[i] {
		case ',':
			i = skipSpace(data, i+1)
		case '}':
			return i + 1
		default:
			return c.fail(i, faultMember)
		}
	}
}

// member passes over the value of a member whose flattened name has name bytes.
func (c *check) member(i, depth, name int) int {
	if name > c.limits.NameBytes {
		return c.fail(i, fmt.Sprintf("a flattened name has more than %d bytes", c.limits.NameBytes))
	}
	data := c.data
	if i < len(data) && data[i] == '{' {
		if next := skipSpace(data, i+1); next >= len(data) || data[next] != '}' {
			return c.object(i+1, depth+1, name+1)
		}
	}
	if c.fields++; c.fields > c.limits.Fields {
		return c.fail(i, fmt.Sprintf("more than %d fields", c.limits.Fields))
	}
	if c.names += name; c.names > c.limits.NamesBytes {
		return c.fail(i, fmt.Sprintf("flattened names have more than %d bytes together", c.limits.NamesBytes))
	}
	return c.value(i, depth)
}

// value passes over a value inside a container of the given depth.
func (c *check) value(i, depth int) int {
	data := c.data
	if i >= len(data) {
		return c.fail(i, faultEnd)
	}
	var end int
	var fault string
	switch first := data[i]; first {
	case '"':
		if end, _, fault = scanString(data, i+1); fault == "" {
			return end + 1
		}
	case '[', '{':
		return c.elements(i, depth+1)
	case 't', 'f', 'n':
		end, fault = scanLiteral(data, i)
	default:
		if first != '-' && first-'0' > 9 {
			return c.fail(i, faultValue)
		}
		end, _, fault = scanNumber(data, i)
	}
	if fault != "" {
		return c.fail(end, fault)
	}
	return end
}

// elements passes over an array, or an object inside an array, that begins at i.
func (c *check) elements(i, depth int) int {
	if depth > MaxDepth {
		return c.fail(i, depthFault())
	}
	data := c.data
	object := data[i] == '{'
	closing, missing := byte(']'), faultElement
	if object {
		closing, missing = '}', faultMember
	}
	if i = skipSpace(data, i+1); i < len(data) && data[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i >= len(data) || data[i] != '"' {
				return c.expected(i, faultKey)
			}
			end, _, fault := scanString(data, i+1)
			if fault != "" {
				return c.fail(end, fault)
			}
			if i = skipSpace(data, end+1); i >= len(data) || data[i] != ':' {
				return c.expected(i, faultColon)
			}
			i = skipSpace(data, i+1)
		}
		if i = c.value(i, depth); i < 0 {
			return i
		}
		if i = skipSpace(data, i); i >= len(data) {
			return c.fail(i, faultEnd)
		}
		switch data[i] {
		case ',':
			i = skipSpace(data, i+1)
		case closing:
			return i + 1
		default:
			return c.fail(i, missing)
		}
	}
}
