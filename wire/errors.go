package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// Why a statement, or the connection with it, was stopped: the causes of
// cancelled contexts.
var (
	errCancelRequest    = errors.New("cancelled by the client")
	errStatementTimeout = errors.New("statement timeout")
	errShutdown         = errors.New("server stops")
	errClientGone       = errors.New("client is gone")
)

// errHangup ends a connection without a word to the client.
var errHangup = errors.New("connection ends")

// errorf makes an error for the client.
func errorf(code, format string, args ...any) error {
	return &planner.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// fatalError is told to the client and ends the connection.
type fatalError struct{ err *planner.Error }

func (e *fatalError) Error() string { return e.err.Error() }

func (e *fatalError) Unwrap() error { return e.err }

func fatalf(code, format string, args ...any) error {
	return &fatalError{err: &planner.Error{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// fatal makes err, of a step that a connection cannot do without, end it.
func fatal(err error) error {
	var known *planner.Error
	if errors.As(err, &known) {
		return &fatalError{err: known}
	}
	return &fatalError{err: internalError(err)}
}

func internalError(err error) *planner.Error {
	return &planner.Error{Code: pgerrcode.InternalError, Message: "internal error; the server's log has the cause", Err: err}
}

// connectionError is what a failed read or write means.
func connectionError(err error, t *transport) error {
	var known *fatalError
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return err
	case ended(t.draining) || ended(t.stopping):
		return errAdminShutdown()
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed):
		return errHangup
	case errors.As(err, &timeout) && timeout.Timeout():
		return errHangup
	}
	return fmt.Errorf("%w: %w", errHangup, err)
}

func errAdminShutdown() error {
	return fatalf(pgerrcode.AdminShutdown, "terminating connection due to administrator command")
}

// statementError is what an error of a statement that ran under ctx is for the
// client. An error that says the statement was stopped becomes the reason why.
func statementError(ctx context.Context, err error) error {
	var known *planner.Error
	is := errors.As(err, &known)
	if is && known.Code != pgerrcode.QueryCanceled {
		return err
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errClientGone):
		return errHangup
	case errors.Is(cause, errShutdown):
		return errAdminShutdown()
	case errors.Is(cause, errStatementTimeout):
		return errorf(pgerrcode.QueryCanceled, "canceling statement due to statement timeout")
	case cause != nil || errors.Is(err, context.Canceled):
		return errorf(pgerrcode.QueryCanceled, "canceling statement due to user request")
	case errors.Is(err, context.DeadlineExceeded):
		return errorf(pgerrcode.QueryCanceled, "canceling statement due to statement timeout")
	}
	return err
}

// asPlannerError is the one place that decides what a client sees of an error.
func asPlannerError(err error) *planner.Error {
	var known *planner.Error
	if errors.As(err, &known) {
		return known
	}
	var undecoded *decodeError
	if errors.As(err, &undecoded) {
		return &planner.Error{Code: pgerrcode.ProtocolViolation, Message: undecoded.fault, Err: err}
	}
	return internalError(err)
}

// errorResponse is e as a message.
func errorResponse(severity string, e *planner.Error) *pgproto3.ErrorResponse {
	m := &pgproto3.ErrorResponse{
		Severity:            severity,
		SeverityUnlocalized: severity,
		Code:                e.Code,
		Message:             e.Message,
		Detail:              e.Detail,
		Hint:                e.Hint,
		Position:            e.Position,
	}
	if e.Code == pgerrcode.FeatureNotSupported && e.Message == planChanged {
		m.Routine = "RevalidateCachedQuery" // what pgjdbc looks at before it prepares anew
	}
	return m
}

// planChanged is PostgreSQL's message for a prepared statement whose result
// would differ from what Describe said.
const planChanged = "cached plan must not change result type"

// validText says that text from a client is what PostgreSQL accepts as UTF8.
func validText(b []byte) bool { return utf8.Valid(b) }

// checkText refuses text that is not UTF-8 or, where a length and not a zero byte
// ends it, has a zero byte.
func checkText(text []byte) error {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == 0 || r == utf8.RuneError && size <= 1 {
			return errorf(pgerrcode.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s", hexBytes(text[i:]))
		}
		i += size
	}
	return nil
}

// hexBytes prints the bytes of one bad sequence as PostgreSQL does: as many as
// the first announces.
func hexBytes(b []byte) string {
	n := 1
	switch c := b[0]; {
	case c&0xe0 == 0xc0:
		n = 2
	case c&0xf0 == 0xe0:
		n = 3
	case c&0xf8 == 0xf0:
		n = 4
	}
	return fmt.Sprintf("% #x", b[:min(n, len(b))])
}
