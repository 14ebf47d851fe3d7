package sources

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
)

// The physical columns that every file and table of events has, and the JSON
// column of the names that have no column of their own in a file.
const (
	ColumnTS         = "_ts"
	ColumnID         = "_id"
	ColumnHash       = "_hash"
	ColumnReceivedAt = "_received_at"
	ColumnMore       = "_more"
)

const hexDigits = "0123456789abcdef"

// PhysicalName is the column of one (sent field name, kind): the kind, an
// underscore, and the name with every byte but lower-case letters, digits and
// underscore written as a dollar sign and two hexadecimal digits. The result is
// distinct for distinct pairs even where an engine ignores case.
func PhysicalName(sent string, kind schema.Kind) string {
	b := make([]byte, 0, len(sent)+2)
	return string(appendEscaped(append(b, byte(kind), '_'), sent))
}

// EscapeName writes a name with lower-case letters, digits, underscore and
// dollar sign only, as PhysicalName does: for object keys and file names.
func EscapeName(name string) string {
	return string(appendEscaped(make([]byte, 0, len(name)), name))
}

func appendEscaped(dst []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '$', hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// ParsePhysicalName is the inverse of PhysicalName.
func ParsePhysicalName(column string) (sent string, kind schema.Kind, err error) {
	if len(column) < 2 || column[1] != '_' || !strings.ContainsRune("inbsj", rune(column[0])) {
		return "", 0, fmt.Errorf("physical column %q: no kind", column)
	}
	if sent, err = UnescapeName(column[2:]); err != nil {
		return "", 0, fmt.Errorf("physical column %q: %w", column, err)
	}
	if PhysicalName(sent, schema.Kind(column[0])) != column {
		return "", 0, fmt.Errorf("physical column %q: not in canonical form", column)
	}
	return sent, schema.Kind(column[0]), nil
}

// UnescapeName is the inverse of EscapeName.
func UnescapeName(escaped string) (string, error) {
	b := make([]byte, 0, len(escaped))
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		if c != '$' {
			b = append(b, c)
			continue
		}
		if i+2 >= len(escaped) {
			return "", errors.New("cut escape")
		}
		hi := strings.IndexByte(hexDigits, escaped[i+1])
		lo := strings.IndexByte(hexDigits, escaped[i+2])
		if hi < 0 || lo < 0 {
			return "", errors.New("bad escape")
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	return string(b), nil
}
