package ingest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Problem is why a request is refused, in words for its sender. It is answered as application/problem+json (RFC 9457).
type Problem struct {
	Status     int
	Detail     string
	RetryAfter time.Duration // 0: no word on when to try again
}

func (p *Problem) Error() string { return http.StatusText(p.Status) + ": " + p.Detail }

// WriteProblem answers a request with the *Problem that err is, and with 500 and no detail if it is something else.
// It says whether err was a Problem: what is not belongs into the log.
func WriteProblem(w http.ResponseWriter, err error) (known bool) {
	problem := &Problem{Status: http.StatusInternalServerError, Detail: "the server failed; its log says why"}
	known = errors.As(err, &problem)
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(problem.Status), problem.Status, problem.Detail})
	if err != nil {
		body = nil // cannot be: the struct holds text and a number
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if problem.RetryAfter > 0 {
		seconds := (problem.RetryAfter + time.Second - 1) / time.Second
		header.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if problem.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(problem.Status)
	_, _ = w.Write(body) // the sender may be gone
	return known
}
