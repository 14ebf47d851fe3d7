package postgres

import "fmt"

// Error is what PostgreSQL would answer: an SQLSTATE and the texts that go with it.
type Error struct {
	Code    string // SQLSTATE
	Message string
	Detail  string
	Hint    string
	Arg     int // which of several arguments is at fault, where that decides the position; 0 otherwise
}

// Error is the message alone, as clients show it.
func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) withHint(hint string) *Error {
	e.Hint = hint
	return e
}

func (e *Error) withDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}
