package faultproxy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// refuse answers with an error of the request's protocol: JSON of Kinesis and
// DynamoDB, which name their action in a header, or XML of S3.
func refuse(w http.ResponseWriter, r *http.Request, kind Kind) {
	status, code, message := http.StatusInternalServerError, "InternalFailure", "something went wrong here"
	switch kind {
	case Throttled:
		status, code, message = http.StatusBadRequest, "ProvisionedThroughputExceededException", "rate exceeded"
	case ExpiredIterator:
		status, code, message = http.StatusBadRequest, "ExpiredIteratorException", "the iterator is older than five minutes"
	case LimitExceeded:
		status, code, message = http.StatusBadRequest, "LimitExceededException", "a quota of the account is reached"
	case SlowDown:
		status, code, message = http.StatusServiceUnavailable, "SlowDown", "reduce your request rate"
	}
	if r.Header.Get("X-Amz-Target") == "" {
		if kind == InternalError {
			code = "InternalError"
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
}

// answer is a server's, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request on, with another body if one is given. A server that does
// not answer is a cut connection.
func (p *Proxy) ask(r *http.Request, body io.Reader, length int64) answer {
	response := p.open(r, body, length)
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return answer{status: response.StatusCode, header: response.Header, body: all}
}

// open sends a request on; the caller closes the answer's body.
func (p *Proxy) open(r *http.Request, body io.Reader, length int64) *http.Response {
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", p.target.Scheme, p.target.Host
	out.Body, out.ContentLength = io.NopCloser(body), length
	response, err := p.client.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return response
}

// send gives a client an answer of which the body may have changed: then its
// length and checksum have, too.
func (a answer) send(w http.ResponseWriter) {
	a.header.Del("Content-Length")
	a.header.Del("X-Amz-Crc32")
	a.pass(w)
}

// pass gives a client an answer as the server did.
func (a answer) pass(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// cut lets the server do the work and closes the connection, before or amid the
// answer.
func (p *Proxy) cut(w http.ResponseWriter, r *http.Request, kind Kind) {
	a := p.ask(r, r.Body, r.ContentLength)
	if kind == CutAnswer && len(a.body) > 1 {
		a.half(w)
	}
	panic(http.ErrAbortHandler)
}

// halt lets the server do the work and gives the second half of the answer after a
// delay.
func (p *Proxy) halt(w http.ResponseWriter, r *http.Request, delay time.Duration) {
	a := p.ask(r, r.Body, r.ContentLength)
	if len(a.body) < 2 {
		a.pass(w)
		return
	}
	rest := a.half(w)
	pause(r.Context(), delay)
	_, _ = w.Write(rest)
}

// half gives a client the first half of an answer, and returns the other.
func (a answer) half(w http.ResponseWriter) (rest []byte) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:len(a.body)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	return a.body[len(a.body)/2:]
}

// subscribe passes the events of a shard on, after the message by which AWS
// begins them and without which its SDK reads none.
func (p *Proxy) subscribe(w http.ResponseWriter, r *http.Request) {
	response := p.open(r, r.Body, r.ContentLength)
	defer func() { _ = response.Body.Close() }()
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if response.StatusCode == http.StatusOK {
		first := eventstream.Message{Payload: []byte("{}")}
		first.Headers.Set(":message-type", eventstream.StringValue("event"))
		first.Headers.Set(":event-type", eventstream.StringValue("initial-response"))
		first.Headers.Set(":content-type", eventstream.StringValue("application/x-amz-json-1.1"))
		if err := eventstream.NewEncoder().Encode(w, first); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	flush := http.NewResponseController(w)
	for buffer := make([]byte, 64<<10); ; {
		n, err := response.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return
			}
			_ = flush.Flush()
		}
		if err != nil {
			return
		}
	}
}
