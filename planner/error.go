package planner

import "fmt"

// Error is an error for the client, as PostgreSQL would send it.
type Error struct {
	Code    string // SQLSTATE
	Message string
	Detail  string
	Hint    string
	// Position counts characters of the statement's text from 1; 0: none.
	Position int32
	Err      error // the cause, for the log
}

func (e *Error) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code) }

func (e *Error) Unwrap() error { return e.Err }
