package duckdb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// engineError is an error as DuckDB tells it.
type engineError struct {
	class   bindings.ErrorType
	message string
	sql     string // the statement, where it may be at fault
}

func (e *engineError) Error() string {
	if e.sql == "" {
		return e.message
	}
	return e.message + "\n" + e.sql
}

// Errors that our functions raise pass through DuckDB as text: FG, the SQLSTATE,
// a colon, the message, and behind raisedDetail and raisedHint what there is of
// them.
const (
	raisedPrefix = "FG"
	raisedDetail = "\x1e"
	raisedHint   = "\x1f"
)

var raisedPattern = regexp.MustCompile(`(?s)^[A-Za-z ]+ Error: FG([0-9A-Z]{5}):(.*)$`)

// raised is the text of an error of one of our functions.
func raised(err error) string {
	e := asError(err)
	return raisedPrefix + e.Code + ":" + raisedMessage(e)
}

// raisedMessage is the message of an error with its detail and hint.
func raisedMessage(e *planner.Error) string {
	message := e.Message
	if e.Detail != "" {
		message += raisedDetail + e.Detail
	}
	if e.Hint != "" {
		message += raisedHint + e.Hint
	}
	return message
}

// asError is the error for the client behind any error of ours.
func asError(err error) *planner.Error {
	var ours *planner.Error
	if errors.As(err, &ours) {
		return ours
	}
	var typed *postgres.Error
	if errors.As(err, &typed) {
		return &planner.Error{Code: typed.Code, Message: typed.Message, Detail: typed.Detail, Hint: typed.Hint, Err: err}
	}
	return &planner.Error{Code: pgerrcode.InternalError, Message: internalMessage, Err: err}
}

const internalMessage = "the query engine failed"

func errorf(code, format string, args ...any) *planner.Error {
	return &planner.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) *planner.Error {
	return errorf(pgerrcode.FeatureNotSupported, format+" is not supported", args...)
}

func tooLarge() *planner.Error {
	return errorf(pgerrcode.ProgramLimitExceeded, "the result of a function is too large")
}

// statusOf turns an error of DuckDB into one for the client. If ctx has ended,
// that is the error.
func statusOf(ctx context.Context, e *engineError) error {
	if m := raisedPattern.FindStringSubmatch(e.message); m != nil {
		text, hint, _ := strings.Cut(m[2], raisedHint)
		message, detail, _ := strings.Cut(text, raisedDetail)
		out := &planner.Error{Code: m[1], Message: message, Detail: detail, Hint: hint}
		if out.Code == pgerrcode.InternalError {
			out.Err = e
		}
		return out
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	out := &planner.Error{Err: e}
	if what, ok := strings.CutPrefix(e.message, "Not implemented Error: "); ok {
		// A plan that DuckDB cannot make: most often of a correlated subquery.
		what, _, _ = strings.Cut(what, "\n")
		if strings.Contains(what, "join on subquery") {
			return &planner.Error{Code: pgerrcode.FeatureNotSupported, Message: "a subquery over both sides in the condition of a full join is not supported", Err: e}
		}
		out.Code, out.Message = pgerrcode.FeatureNotSupported, "the query cannot be planned: "+what
		return out
	}
	if strings.HasPrefix(e.message, "Binder Error: window expression is not supported here") {
		out.Code, out.Message = pgerrcode.FeatureNotSupported, "a window function over columns of an outer query is not supported"
		return out
	}
	if strings.HasPrefix(e.message, "Parser Error: Max expression depth") {
		out.Code, out.Message = pgerrcode.StatementTooComplex, "stack depth limit exceeded"
		out.Hint = "An expression nests too deeply; write it in smaller parts."
		return out
	}
	switch e.class {
	case bindings.ErrorTypeOutOfRange, bindings.ErrorTypeDecimal:
		out.Code, out.Message = pgerrcode.NumericValueOutOfRange, rangeMessage(e.message)
	case bindings.ErrorTypeDivideByZero:
		out.Code, out.Message = pgerrcode.DivisionByZero, "division by zero"
	case bindings.ErrorTypeConversion:
		if strings.Contains(e.message, "DATE to TIMESTAMP") || strings.Contains(e.message, "date to timestamp") {
			out.Code, out.Message = pgerrcode.DatetimeFieldOverflow, "date out of range for timestamp"
			break
		}
		out.Code, out.Message = conversionStatus(e.message)
	case bindings.ErrorTypeOutOfMemory:
		out.Code, out.Message = memoryStatus(e.message)
	case bindings.ErrorTypeInterrupt:
		out.Code, out.Message = pgerrcode.QueryCanceled, "canceling statement due to user request"
	case bindings.ErrorTypeInvalidInput:
		out.Code, out.Message = inputStatus(e.message)
	case bindings.ErrorTypeErrorIO:
		out.Code, out.Message = fileStatus(e.message)
	default:
		out.Code, out.Message = pgerrcode.InternalError, internalMessage
	}
	return out
}

// inputStatus tells apart what DuckDB has one class for.
func inputStatus(message string) (code, text string) {
	switch {
	case strings.Contains(message, "More than one row returned by a subquery"):
		return pgerrcode.CardinalityViolation, "more than one row returned by a subquery used as an expression"
	case strings.Contains(message, "Lists larger than"):
		return tooLarge().Code, tooLarge().Message
	case dataFile.MatchString(message):
		return pgerrcode.DataCorrupted, fmt.Sprintf("file %q is damaged", dataFile.FindStringSubmatch(message)[1])
	}
	return pgerrcode.InternalError, internalMessage
}

// dataFile finds the name of a file of the lake in a message. Where it lies is for the log.
var dataFile = regexp.MustCompile(`([^/'"]+\.parquet)['"]`)

// fileStatus tells what failed about a file: one of the lake, or one in the temporary directory.
func fileStatus(message string) (code, text string) {
	file := dataFile.FindStringSubmatch(message)
	switch {
	case strings.Contains(message, "No space left on device"), strings.Contains(message, "Disk quota exceeded"):
		return pgerrcode.DiskFull, "could not write a temporary file: no space left on device"
	case file == nil:
		return pgerrcode.IOError, "could not read or write a file"
	case strings.Contains(message, "No files found"), strings.Contains(message, "No such file"):
		return pgerrcode.UndefinedFile, fmt.Sprintf("could not open file %q: it is missing", file[1])
	}
	return pgerrcode.IOError, fmt.Sprintf("could not read file %q", file[1])
}

// rangeMessage is PostgreSQL's text for an overflow that DuckDB found, which
// names the type by its width.
func rangeMessage(message string) string {
	for _, t := range []struct{ duckdb, postgres string }{
		{"INT16", "smallint"},
		{"INT32", "integer"},
		{"INT64", "bigint"},
		{"SMALLINT", "smallint"},
		{"INTEGER", "integer"},
		{"BIGINT", "bigint"},
		{"TIMESTAMP", "timestamp"},
		{"imestamp", "timestamp"},
		{"INTERVAL", "interval"},
		{"nterval", "interval"},
		{"DATE", "date"},
		{"date", "date"},
		// The least value of a type is the only one without an absolute one.
		{"abs(-32768)", "smallint"},
		{"abs(-2147483648)", "integer"},
		{"abs(-9223372036854775808)", "bigint"},
	} {
		if strings.Contains(message, t.duckdb) {
			return t.postgres + " out of range"
		}
	}
	return "value out of range"
}

// conversionStatus tells an overflowing cast from one that cannot read its
// input; DuckDB has one class for both.
func conversionStatus(message string) (code, text string) {
	if strings.Contains(message, "out of range") || strings.Contains(message, "can't be cast because the value is") {
		return pgerrcode.NumericValueOutOfRange, rangeMessage(message)
	}
	return pgerrcode.InvalidTextRepresentation, "invalid input for a conversion"
}

// memoryStatus tells memory from the temporary directory; DuckDB has one class
// for both.
func memoryStatus(message string) (code, text string) {
	if strings.Contains(message, "max_temp_directory_size") {
		return pgerrcode.ConfigurationLimitExceeded, "the query needs more temporary space than it may have"
	}
	return pgerrcode.OutOfMemory, "the query needs more memory than it may have"
}
