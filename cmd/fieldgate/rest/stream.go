package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fieldgate/fieldgate/planner"
)

// flushBytes is how much of a result is gathered before it is sent.
const flushBytes = 64 << 10

// rowWriter appends a result in one format to a buffer.
type rowWriter interface {
	begin(dst []byte) []byte
	row(dst []byte, c *planner.Chunk, row int) []byte
	end(dst []byte) []byte
	// fail appends an error that came after the first row, and says whether the
	// response is whole with it. If it is not, the connection is cut.
	fail(dst []byte, p problem) (out []byte, whole bool)
}

func newRowWriter(f format, columns []planner.ResultColumn) rowWriter {
	switch f {
	case csv:
		return newCSVWriter(columns)
	case jsonArray:
		return &jsonWriter{objects: newObjects(columns)}
	case ndjson:
	}
	return &ndjsonWriter{objects: newObjects(columns)}
}

// stream writes the rows of a result. An error before the first row is returned;
// a later one is written where the format has a place for it, and else cuts the
// connection, so that nobody takes a part for the whole.
func (a *API) stream(ctx context.Context, w http.ResponseWriter, f format, result *planner.Result) error {
	chunk, err := result.Rows.Next(ctx)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.contentType())
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	rows := newRowWriter(f, result.Columns)
	out := &sender{w: w, control: http.NewResponseController(w), timeout: a.cfg.WriteTimeout}
	defer out.release()
	out.buffer = rows.begin(out.buffer)
	for first := true; chunk != nil; first = false {
		for row := range chunk.Rows {
			out.buffer = rows.row(out.buffer, chunk, row)
			if len(out.buffer) >= flushBytes {
				if err := out.send(); err != nil {
					return a.abort(err)
				}
			}
		}
		// The first rows go out at once; later ones as they fill the buffer.
		if first {
			if err := out.send(); err != nil {
				return a.abort(err)
			}
		}
		if chunk, err = result.Rows.Next(ctx); err != nil {
			return a.fail(out, rows, err)
		}
	}
	out.buffer = rows.end(out.buffer)
	if err := out.send(); err != nil {
		return a.abort(err)
	}
	return nil
}

// fail ends a response that has begun.
func (a *API) fail(out *sender, rows rowWriter, err error) error {
	p, told := problemOf(err)
	if !told {
		a.cfg.Logger.Error("query failed", "err", err)
	}
	whole := false
	if out.buffer, whole = rows.fail(out.buffer, p); !whole {
		return a.abort(err)
	}
	if err := out.send(); err != nil {
		return a.abort(err)
	}
	return nil
}

// errAborted ends a response that has begun and cannot be completed: the
// connection is cut.
var errAborted = errors.New("response cut off")

func (a *API) abort(err error) error {
	a.cfg.Logger.Debug("response cut off", "err", err)
	return errAborted
}

// sender sends what its buffer gathers.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	buffer  []byte
}

func (s *sender) send() error {
	err := s.control.SetWriteDeadline(time.Now().Add(s.timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if _, err := s.w.Write(s.buffer); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	s.buffer = s.buffer[:0]
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("flush rows: %w", err)
	}
	return nil
}

// release takes the deadline from the connection, which serves on.
func (s *sender) release() { _ = s.control.SetWriteDeadline(time.Time{}) } // as it was set

// ndjsonWriter writes one object a line.
type ndjsonWriter struct {
	*objects
}

func (*ndjsonWriter) begin(dst []byte) []byte { return dst }

func (w *ndjsonWriter) row(dst []byte, c *planner.Chunk, row int) []byte {
	return append(w.object(dst, c, row), '\n')
}

func (*ndjsonWriter) end(dst []byte) []byte { return dst }

// fail writes the error as the last line.
func (*ndjsonWriter) fail(dst []byte, p problem) (out []byte, whole bool) {
	line, err := json.Marshal(struct {
		Error problem `json:"error"`
	}{p})
	if err != nil {
		return dst, false
	}
	return append(append(dst, line...), '\n'), true
}

// jsonWriter writes one array.
type jsonWriter struct {
	*objects
	rows bool // there was one
}

func (*jsonWriter) begin(dst []byte) []byte { return append(dst, '[') }

func (w *jsonWriter) row(dst []byte, c *planner.Chunk, row int) []byte {
	if w.rows {
		dst = append(dst, ',')
	}
	w.rows = true
	return w.object(append(dst, '\n'), c, row)
}

func (*jsonWriter) end(dst []byte) []byte { return append(dst, "\n]\n"...) }

func (*jsonWriter) fail(dst []byte, _ problem) (out []byte, whole bool) { return dst, false }
