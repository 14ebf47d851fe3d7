package planner

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Error is an error for the client, as PostgreSQL would send it.
type Error struct {
	Code    string // SQLSTATE
	Message string
	Detail  string
	Hint    string
	// Position counts characters of the statement's text from 1; 0: none.
	Position int32
	Err      error // the cause, for the log

	// offset is where in the text the fault lies, in bytes from 1, until
	// placeError makes Position of it; 0: nowhere.
	offset int32
	// inner: Position counts in a conversion's own text. named: the message says
	// which conversion that is.
	inner, named bool
	// missed is the name that was asked for in vain, if that is the error.
	missed *missedColumn
}

func (e *Error) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code) }

func (e *Error) Unwrap() error { return e.Err }

// Notice is a message that goes beside a result.
type Notice struct {
	Severity string // NOTICE or WARNING
	Code     string
	Message  string
	Detail   string
	Hint     string
}

// nowhere is the place of a fault that no part of the text stands for.
const nowhere int32 = -1

// errorAt makes an error whose fault lies at a byte of the text.
func errorAt(at int32, code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), offset: at + 1}
}

// errorf makes an error that no part of the text stands for.
func errorf(code, format string, args ...any) *Error {
	return errorAt(nowhere, code, format, args...)
}

// unsupported refuses a construct by its name.
func unsupported(at int32, format string, args ...any) *Error {
	return errorAt(at, pgerrcode.FeatureNotSupported, "%s is not supported", fmt.Sprintf(format, args...))
}

func (e *Error) withHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) withDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// faultAt places what package postgres says of a type, function or value.
func faultAt(at int32, err error) error {
	var known *postgres.Error
	if !errors.As(err, &known) {
		return err
	}
	if known.Code == pgerrcode.DatatypeMismatch && strings.HasPrefix(known.Message, "could not determine polymorphic type") {
		at = nowhere // PostgreSQL does not know either
	}
	e := errorAt(at, known.Code, "%s", known.Message)
	e.Detail, e.Hint = known.Detail, known.Hint
	return e
}

// placeError gives an error its position in characters of the text.
func placeError(err error, text string) error {
	var e *Error
	if errors.As(err, &e) && e.offset > 0 && e.Position == 0 {
		e.Position = int32(utf8.RuneCountInString(text[:min(int(e.offset)-1, len(text))])) + 1
	}
	return err
}

// isCode says that err is for the client, with that SQLSTATE.
func isCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
