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

// elsewhere has requests for the paths, and what is below them, answered as misdirected
// (RFC 9110, 15.5.20): the processes that have the role serve them.
func elsewhere(mux *http.ServeMux, role string, paths ...string) {
	answer := func(w http.ResponseWriter, _ *http.Request) {
		ingest.WriteProblem(w, &ingest.Problem{
			Status: http.StatusMisdirectedRequest, Detail: "this process does not have the role " + role + ": send the request to one that has",
		})
	}
	for _, path := range paths {
		mux.HandleFunc(path, answer)
		mux.HandleFunc(path+"/", answer)
	}
}

// refusal takes the status and the headers of an answer and leaves its text.
type refusal struct {
	http.ResponseWriter
	status int
}

func (r *refusal) WriteHeader(status int) { r.status = status }

func (*refusal) Write(text []byte) (int, error) { return len(text), nil }
