package planner

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// What EXPLAIN tells is a tree of named properties, which JSON, XML and YAML write in
// PostgreSQL's layout.

// property is one thing told: its value is a string, an int64, milliseconds, a bool,
// a list of strings, a group, or a list of groups.
type property struct {
	name  string
	value any
}

// group is several properties; of a list of them each has the name item.
type group []property

// groups is a list of groups, each called item where a format needs a name.
type groups struct {
	item string
	list []group
}

func (g *group) add(name string, value any) { *g = append(*g, property{name, value}) }

// scalar is a value that is one, as JSON and YAML write it.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // never fails
		return strings.TrimSuffix(b.String(), "\n")
	case int64:
		return strconv.FormatInt(v, 10)
	case millisValue:
		return v.String()
	case costValue:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// millisValue is a time in milliseconds.
type millisValue float64

func (m millisValue) String() string { return strconv.FormatFloat(float64(m), 'f', 3, 64) }

// costValue is a cost in PostgreSQL's units.
type costValue float64

func (c costValue) String() string { return strconv.FormatFloat(float64(c), 'f', 2, 64) }

// explainJSON writes the one statement's group.
func explainJSON(g group) string {
	var b strings.Builder
	b.WriteString("[\n  ")
	writeJSON(&b, g, 1)
	b.WriteString("\n]")
	return b.String()
}

func writeJSON(b *strings.Builder, v any, depth int) {
	indent := "\n" + strings.Repeat("  ", depth+1)
	last := "\n" + strings.Repeat("  ", depth)
	switch v := v.(type) {
	case group:
		b.WriteByte('{')
		for i, p := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(indent + scalar(p.name) + ": ")
			writeJSON(b, p.value, depth+1)
		}
		b.WriteString(last + "}")
	case groups:
		b.WriteByte('[')
		for i, g := range v.list {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(indent)
			writeJSON(b, g, depth+1)
		}
		b.WriteString(last + "]")
	case []string:
		b.WriteByte('[')
		for i, s := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSON(b, s, depth)
		}
		b.WriteByte(']')
	default:
		b.WriteString(scalar(v))
	}
}

// explainYAML writes the one statement's group.
func explainYAML(g group) string {
	var b strings.Builder
	b.WriteString("- ")
	writeYAML(&b, g, 1)
	return strings.TrimSuffix(b.String(), "\n")
}

// writeYAML writes a group whose first line is indented already.
func writeYAML(b *strings.Builder, g group, depth int) {
	indent := strings.Repeat("  ", depth)
	for i, p := range g {
		if i > 0 {
			b.WriteString(indent)
		}
		b.WriteString(p.name + ": ")
		switch v := p.value.(type) {
		case group:
			b.WriteString("\n" + indent + "  ")
			writeYAML(b, v, depth+1)
		case groups:
			b.WriteByte('\n')
			for _, g := range v.list {
				b.WriteString(indent + "  - ")
				writeYAML(b, g, depth+2)
			}
		case []string:
			b.WriteByte('\n')
			for _, s := range v {
				b.WriteString(indent + "  - " + scalar(s) + "\n")
			}
		default:
			b.WriteString(scalar(v) + "\n")
		}
	}
}

// explainXML writes the one statement's group.
func explainXML(g group) string {
	var b strings.Builder
	b.WriteString("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n")
	writeXML(&b, property{"Query", g}, 1)
	b.WriteString("</explain>")
	return b.String()
}

func writeXML(b *strings.Builder, p property, depth int) {
	indent := strings.Repeat("  ", depth)
	tag := xmlTag(p.name)
	open := func(inside func()) {
		b.WriteString(indent + "<" + tag + ">\n")
		inside()
		b.WriteString(indent + "</" + tag + ">\n")
	}
	switch v := p.value.(type) {
	case group:
		open(func() {
			for _, member := range v {
				writeXML(b, member, depth+1)
			}
		})
	case groups:
		open(func() {
			for _, g := range v.list {
				writeXML(b, property{v.item, g}, depth+1)
			}
		})
	case []string:
		open(func() {
			for _, s := range v {
				writeXML(b, property{"Item", s}, depth+1)
			}
		})
	default:
		text, ok := v.(string)
		if !ok {
			text = scalar(v)
		}
		var escaped strings.Builder
		_ = xml.EscapeText(&escaped, []byte(text)) // never fails
		fmt.Fprintf(b, "%s<%s>%s</%s>\n", indent, tag, escaped.String(), tag)
	}
}

// xmlTag is a property's name as a tag.
func xmlTag(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, name)
}
