package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// inputBuffer is the size of the read buffer; messages of pipelines share it.
	inputBuffer = 8 << 10
	// bodyStep is what a message's announced length alone may make us allocate;
	// keptBody is the largest body buffer kept for the next message.
	bodyStep = 64 << 10
	keptBody = 64 << 10
	// smallMessage bounds the messages that carry no data
	// (PQ_SMALL_MESSAGE_LIMIT of PostgreSQL's libpq.h).
	smallMessage = 10_000
	// postgresMessage is the longest body that PostgreSQL takes
	// (PQ_LARGE_MESSAGE_LIMIT).
	postgresMessage = 0x3fffffff - 1
)

// input reads what a client sends, message by message.
type input struct {
	r    *bufio.Reader
	max  int
	body []byte
}

func newInput(r io.Reader, limit int) *input {
	return &input{r: bufio.NewReaderSize(r, inputBuffer), max: limit}
}

// next reads one message. The body is valid until the following call. A length that
// no message has ends the connection without a word, as PostgreSQL ends it; other
// errors are fatal, or come from the connection.
func (in *input) next() (kind byte, body []byte, err error) {
	var header [5]byte
	if _, err := io.ReadFull(in.r, header[:]); err != nil {
		return 0, nil, err
	}
	kind = header[0]
	limit := messageLimit(kind, in.max)
	if limit < 0 {
		return 0, nil, fatalf(pgerrcode.ProtocolViolation, "invalid frontend message type %d", kind)
	}
	length := int64(binary.BigEndian.Uint32(header[1:])) - 4
	switch {
	case length < 0 || length > postgresMessage || length > smallMessage && limit <= smallMessage:
		return 0, nil, fmt.Errorf("%w: message %q of %d bytes", errGarbage, kind, length)
	case length > int64(limit):
		return 0, nil, fatalf(pgerrcode.ProgramLimitExceeded, "message of %d bytes is longer than the %d that this server takes", length, limit)
	}
	body, err = in.readBody(int(length))
	return kind, body, err
}

// messageLimit is the longest body of a kind of message, -1 for no kind of the
// protocol.
func messageLimit(kind byte, large int) int {
	switch kind {
	case 'Q', 'P', 'B', 'F', 'd':
		return large
	case 'C', 'D', 'E', 'H', 'S', 'X', 'c', 'f', 'p':
		return min(smallMessage, large)
	}
	return -1
}

// readBody reads n bytes. A long body grows as it arrives, so that a length
// alone costs no memory.
func (in *input) readBody(n int) ([]byte, error) {
	if cap(in.body) > keptBody {
		in.body = nil
	}
	in.body = in.body[:0]
	for len(in.body) < n {
		if len(in.body) == cap(in.body) {
			grown := make([]byte, len(in.body), min(n, max(bodyStep, 2*cap(in.body))))
			copy(grown, in.body)
			in.body = grown
		}
		step := in.body[len(in.body):min(n, cap(in.body))]
		read, err := io.ReadFull(in.r, step)
		in.body = in.body[:len(in.body)+read]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return in.body, nil
}

// decode parses a message's body. Strings are copied; the parameters of a Bind
// point into body.
func decode(kind byte, body []byte) (pgproto3.FrontendMessage, error) {
	var m pgproto3.FrontendMessage
	switch kind {
	case 'Q':
		m = &pgproto3.Query{}
	case 'P':
		m = &pgproto3.Parse{}
	case 'B':
		m = &pgproto3.Bind{}
	case 'D':
		m = &pgproto3.Describe{}
	case 'E':
		m = &pgproto3.Execute{}
	case 'C':
		m = &pgproto3.Close{}
	case 'H':
		m = &pgproto3.Flush{}
	case 'S':
		m = &pgproto3.Sync{}
	case 'X':
		return &pgproto3.Terminate{}, nil
	case 'F':
		m = &pgproto3.FunctionCall{}
	case 'd':
		return &pgproto3.CopyData{}, nil
	case 'c':
		return &pgproto3.CopyDone{}, nil
	case 'f':
		return &pgproto3.CopyFail{}, nil
	default:
		// A password message where none was asked for.
		return nil, fatalf(pgerrcode.ProtocolViolation, "invalid frontend message type %d", kind)
	}
	if err := m.Decode(body); err != nil {
		return nil, &decodeError{kind: kind, fault: faultOf(kind, body), err: err}
	}
	if n := len(body) - bodyBytes(m, len(body)); n > 0 {
		return nil, &decodeError{kind: kind, fault: badFormat, err: fmt.Errorf("%d bytes behind its end", n)}
	}
	return m, nil
}

// What PostgreSQL calls the faults of a message (pqformat.c).
const (
	badFormat   = "invalid message format"
	badString   = "invalid string in message"
	missingData = "insufficient data left in message"
)

// faultOf says what is wrong with a body that could not be decoded: a string without
// its end, bytes behind the end, or too few.
func faultOf(kind byte, body []byte) string {
	if kind == 'D' || kind == 'C' {
		if len(body) == 0 {
			return missingData
		}
		body = body[1:] // of what kind the object is
	}
	strs := map[byte]int{'Q': 1, 'P': 2, 'B': 2, 'E': 1, 'D': 1, 'C': 1}[kind]
	switch zeros := bytes.Count(body, []byte{0}); {
	case zeros < strs:
		return badString
	case kind == 'P' || kind == 'B' || kind == 'E' || kind == 'F':
		return missingData
	}
	return badFormat
}

// bodyBytes is how much of a body of so many bytes belongs to a message, of those
// whose decoding passes over what is left.
func bodyBytes(m pgproto3.FrontendMessage, body int) int {
	switch m := m.(type) {
	case *pgproto3.Parse:
		return len(m.Name) + 1 + len(m.Query) + 1 + 2 + 4*len(m.ParameterOIDs)
	case *pgproto3.Bind:
		n := len(m.DestinationPortal) + 1 + len(m.PreparedStatement) + 1 + 6 + 4*len(m.Parameters) + 2*(len(m.ParameterFormatCodes)+len(m.ResultFormatCodes))
		for _, p := range m.Parameters {
			n += len(p)
		}
		return n
	case *pgproto3.Execute:
		return len(m.Portal) + 1 + 4
	}
	return body
}

// decodeError says that a whole message was read but its body makes no sense.
type decodeError struct {
	kind  byte
	fault string // as PostgreSQL calls it
	err   error
}

func (e *decodeError) Error() string { return fmt.Sprintf("decode message %q: %v", e.kind, e.err) }

func (e *decodeError) Unwrap() error { return e.err }
