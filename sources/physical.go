package sources

import (
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
	b := make([]byte, 0, len(column)-2)
	for i := 2; i < len(column); i++ {
		c := column[i]
		if c != '$' {
			b = append(b, c)
			continue
		}
		if i+2 >= len(column) {
			return "", 0, fmt.Errorf("physical column %q: cut escape", column)
		}
		hi := strings.IndexByte(hexDigits, column[i+1])
		lo := strings.IndexByte(hexDigits, column[i+2])
		if hi < 0 || lo < 0 {
			return "", 0, fmt.Errorf("physical column %q: bad escape", column)
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	sent = string(b)
	if PhysicalName(sent, schema.Kind(column[0])) != column {
		return "", 0, fmt.Errorf("physical column %q: not in canonical form", column)
	}
	return sent, schema.Kind(column[0]), nil
}
