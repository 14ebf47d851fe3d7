package schema

import (
	"errors"
	"fmt"
)

var (
	// ErrExists says that a name is taken.
	ErrExists = errors.New("already exists")
	// ErrFieldExists is ErrExists of a field, for callers that tell a column from
	// its table.
	ErrFieldExists error = fieldError{ErrExists}
	// ErrFieldNotFound is ErrNotFound of a field.
	ErrFieldNotFound error = fieldError{ErrNotFound}
	// ErrUnknownType says that a type has a name that no field can have.
	ErrUnknownType = errors.New("unknown type")
)

// fieldError is a sentinel said of a field. It reads as the sentinel does: what
// was not found is said by who wraps it.
type fieldError struct {
	sentinel error
}

func (e fieldError) Error() string { return e.sentinel.Error() }

func (e fieldError) Unwrap() error { return e.sentinel }

// Invalid is a declaration that cannot be made. It wraps one of the sentinels
// where one says more than "invalid".
type Invalid struct {
	// Where names what was declared: metric "m", field "f".
	Where  string
	Reason string
	// Hint says what to do instead, or is empty.
	Hint string
	Err  error
}

func (e *Invalid) Error() string { return e.Where + ": " + e.Reason }

func (e *Invalid) Unwrap() error { return e.Err }

func whereMetric(metric string) string { return fmt.Sprintf("metric %q", metric) }

func whereField(metric, field string) string {
	return fmt.Sprintf("metric %q: field %q", metric, field)
}
