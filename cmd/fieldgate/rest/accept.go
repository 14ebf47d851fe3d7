package rest

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/ingest"
)

// format is how a result is written.
type format int

const (
	ndjson format = iota
	jsonArray
	csv
)

// mediaTypes are what Accept can ask for, what is preferred first.
func mediaTypes() []struct {
	name   string
	format format
} {
	return []struct {
		name   string
		format format
	}{
		{"application/x-ndjson", ndjson},
		{"application/ndjson", ndjson},
		{"application/jsonl", ndjson},
		{"application/json", jsonArray},
		{"text/csv", csv},
	}
}

func (f format) contentType() string {
	switch f {
	case jsonArray:
		return "application/json"
	case csv:
		return "text/csv; charset=utf-8; header=present"
	case ndjson:
	}
	return "application/x-ndjson"
}

// negotiate chooses the format that the client prefers (RFC 9110, 12.5.1); of
// equals the first in its list.
func negotiate(accept []string) (format, error) {
	ranges := strings.Split(strings.Join(accept, ","), ",")
	best, bestQ := ndjson, 0.0
	given := false
	for _, text := range ranges {
		if strings.TrimSpace(text) == "" {
			continue
		}
		given = true
		name, params, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		q := 1.0
		if text, has := params["q"]; has {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		if f, ok := formatOf(name); ok && q > bestQ {
			best, bestQ = f, q
		}
	}
	if given && bestQ == 0 {
		return 0, &ingest.Problem{
			Status: http.StatusNotAcceptable,
			Detail: fmt.Sprintf("a result is %s, %s or %s", ndjson.contentType(), jsonArray.contentType(), "text/csv"),
		}
	}
	return best, nil
}

// formatOf is the first format in a range of media types.
func formatOf(mediaRange string) (format, bool) {
	for _, t := range mediaTypes() {
		kind, _, _ := strings.Cut(t.name, "/")
		if mediaRange == t.name || mediaRange == kind+"/*" || mediaRange == "*/*" {
			return t.format, true
		}
	}
	return 0, false
}
