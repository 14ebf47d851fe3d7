package duckdb

import (
	"strings"
)

// A template of to_char, to_date and to_timestamp is a sequence of nodes
// (formatting.c in PostgreSQL, whose DCH_keywords the names are).

// templateNode is a field, or a character that stands for itself.
type templateNode struct {
	// field is the keyword in upper case, "" for a character.
	field string
	// written is the keyword as it stands, or the character.
	written string
	// quoted: the character stood in quotes or behind a backslash.
	quoted        bool
	fill          bool // FM
	ordinal       bool // TH or th
	ordinalLetter string
}

const dateFields = "A.D. A.M. AD AM B.C. BC CC DAY DDD DD DY D FF1 FF2 FF3 FF4 FF5 FF6 FX HH24 HH12 HH IDDD ID IW IYYY IYY IY I J " +
	"MI MM MONTH MON MS OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY YYY YY Y"

// parseTemplate splits a template of dates.
func parseTemplate(template string) ([]templateNode, error) {
	var nodes []templateNode
	for template != "" {
		node := templateNode{}
		for len(template) >= 2 && strings.EqualFold(template[:2], "FM") {
			node.fill = true
			template = template[2:]
		}
		if strings.EqualFold(template[:min(2, len(template))], "TM") {
			return nil, unsupported("the prefix TM in a template")
		}
		if template == "" {
			break
		}
		name, ok := dateField(template)
		if !ok {
			template = literalNodes(template, &nodes)
			continue
		}
		node.field, node.written = strings.ToUpper(name), name
		template = template[len(name):]
		switch suffix := template[:min(2, len(template))]; strings.ToUpper(suffix) {
		case "TH":
			node.ordinal, node.ordinalLetter = true, suffix
			template = template[2:]
		case "SP":
			return nil, unsupported("the suffix SP in a template")
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// literalNodes takes one character, or a quoted run of them, off a template.
func literalNodes(template string, nodes *[]templateNode) (rest string) {
	switch template[0] {
	case '"':
		inside := template[1:]
		for inside != "" && inside[0] != '"' {
			if inside[0] == '\\' && len(inside) > 1 {
				inside = inside[1:]
			}
			n := skip(inside, 1)
			*nodes = append(*nodes, templateNode{written: inside[:n], quoted: true})
			inside = inside[n:]
		}
		return strings.TrimPrefix(inside, `"`)
	case '\\':
		// Outside quotes a backslash matters only before a quote.
		if strings.HasPrefix(template, `\"`) {
			template = template[1:]
		}
	}
	n := skip(template, 1)
	*nodes = append(*nodes, templateNode{written: template[:n]})
	return template[n:]
}

// dateField is the longest keyword that a template begins with. One is written in
// capitals, in small letters or, for names, with one capital.
func dateField(template string) (name string, ok bool) {
	for f := range strings.FieldsSeq(dateFields) {
		if len(f) <= len(template) && len(f) > len(name) && strings.EqualFold(template[:len(f)], f) && isFieldCase(template[:len(f)], f) {
			name = template[:len(f)]
		}
	}
	return name, name != ""
}

func isFieldCase(written, field string) bool {
	switch written {
	case field, strings.ToLower(field):
		return true
	}
	switch field {
	case "DAY", "DY", "MONTH", "MON":
		return written == field[:1]+strings.ToLower(field[1:])
	}
	return false
}
