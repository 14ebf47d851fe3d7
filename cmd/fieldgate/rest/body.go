package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/fieldgate/fieldgate/ingest"
)

// maxBody bounds what a request may say of a schema, or the SQL of a query with
// its parameters.
const maxBody = 4 << 20

// readBody reads a request's body, which is one JSON value in UTF-8.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &ingest.Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	case err != nil:
		return nil, badRequest("the body could not be read whole")
	case !utf8.Valid(data):
		return nil, badRequest("the body is not valid UTF-8")
	case hasLoneSurrogate(data):
		return nil, badRequest("the body has a lone surrogate in a \\u escape")
	}
	return data, nil
}

// decodeStrict reads one JSON value into a struct and refuses members that it
// does not know.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return jsonError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest("the body has more than one JSON value")
	}
	return nil
}

// jsonError says to a client what is wrong with its JSON.
func jsonError(err error) error {
	var known *ingest.Problem
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &known): // of an UnmarshalJSON of ours
		return known
	case errors.As(err, &kind):
		return badRequest(fmt.Sprintf("the member %q cannot be a JSON %s", kind.Field, kind.Value))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("the body is not a whole JSON value")
	}
	return badRequest("the body: " + strings.TrimPrefix(err.Error(), "json: "))
}

// mergePatch applies a JSON merge patch (RFC 7396) to what current is as JSON and
// reads the result into patched, strictly.
func mergePatch(current any, patch []byte, patched any) error {
	var change any
	if err := json.Unmarshal(patch, &change); err != nil {
		return jsonError(err)
	}
	if _, is := change.(map[string]any); !is {
		return badRequest("a merge patch is a JSON object")
	}
	data, err := json.Marshal(current)
	if err != nil {
		return fmt.Errorf("encode resource: %w", err)
	}
	var target any
	if err := json.Unmarshal(data, &target); err != nil {
		return fmt.Errorf("decode resource: %w", err)
	}
	if data, err = json.Marshal(merge(target, change)); err != nil {
		return fmt.Errorf("encode patched resource: %w", err)
	}
	return decodeStrict(data, patched)
}

// merge is MergePatch of RFC 7396, section 2.
func merge(target, patch any) any {
	change, is := patch.(map[string]any)
	if !is {
		return patch
	}
	object, is := target.(map[string]any)
	if !is {
		object = map[string]any{}
	}
	for name, value := range change {
		if value == nil {
			delete(object, name)
			continue
		}
		object[name] = merge(object[name], value)
	}
	return object
}
