package main

import (
	"net/http"

	"github.com/fieldgate/fieldgate/ingest"
)

// problems answers what no route of mux takes as a problem document, like every
// other error: 404, or 405 with the methods that the path has.
func problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r) // not h: this sets the path's values
			return
		}
		refused := refusal{ResponseWriter: w, status: http.StatusNotFound}
		h.ServeHTTP(&refused, r)
		detail := "there is nothing at this path; a slash in a name is written %2F"
		if refused.status == http.StatusMethodNotAllowed {
			detail = "this path knows " + w.Header().Get("Allow")
		}
		ingest.WriteProblem(w, &ingest.Problem{Status: refused.status, Detail: detail})
	})
}

// refusal takes the status and the headers of an answer and leaves its text.
type refusal struct {
	http.ResponseWriter
	status int
}

func (r *refusal) WriteHeader(status int) { r.status = status }

func (*refusal) Write(text []byte) (int, error) { return len(text), nil }
