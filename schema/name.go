package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxName is PostgreSQL's longest identifier, NAMEDATALEN - 1.
	maxName = 63
	// maxSentName is the longest flattened name that an event may have.
	maxSentName = 1024
	// maxConvert bounds the text of one conversion.
	maxConvert = 4096
	// maxPattern bounds the text of one timestamp pattern.
	maxPattern = 256
	// maxComment bounds one comment.
	maxComment = 8192
)

// TimestampField is the name of the column that every metric has first.
const TimestampField = "timestamp"

// IDField is the one sent name with a leading underscore that an event may have.
const IDField = "_id"

// CheckTenant says why name cannot be a tenant's: it is a database name, a part
// of keys and of object names, so it is 1 to 63 lower-case letters, digits,
// underscores and hyphens and begins with a letter or digit.
func CheckTenant(name string) error {
	where := fmt.Sprintf("tenant %q", name)
	if name == "" || len(name) > maxName {
		return &Invalid{Where: where, Reason: fmt.Sprintf("a tenant's name has 1 to %d bytes", maxName)}
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '_' && c != '-') {
			return &Invalid{
				Where:  where,
				Reason: "a tenant's name has only lower-case letters, digits, underscores and hyphens, and begins with a letter or digit",
			}
		}
	}
	return nil
}

// checkText refuses what PostgreSQL could not hold as text, or what is empty or
// longer than limit bytes.
func checkText(where, what, text string, limit int) error {
	switch {
	case text == "":
		return &Invalid{Where: where, Reason: what + " is empty"}
	case len(text) > limit:
		return &Invalid{Where: where, Reason: fmt.Sprintf("%s is longer than %d bytes", what, limit)}
	case !utf8.ValidString(text):
		return &Invalid{Where: where, Reason: what + " is not valid UTF-8"}
	case strings.IndexByte(text, 0) >= 0:
		return &Invalid{Where: where, Reason: what + " has a zero byte"}
	}
	return nil
}

// CanBeNamed says that SQL can name what devices sent under a name: no identifier of
// PostgreSQL has U+0000.
func CanBeNamed(sent string) bool { return strings.IndexByte(sent, 0) < 0 }

func checkFieldName(where, name string) error {
	if err := checkText(where, "the name", name, maxName); err != nil {
		return err
	}
	if name[0] == '_' {
		return &Invalid{Where: where, Reason: "names that begin with an underscore are reserved"}
	}
	return nil
}

// checkSentField checks a name as devices send it in an event.
func checkSentField(where, name string) error {
	if err := checkText(where, "a sent name", name, maxSentName); err != nil {
		return err
	}
	if name[0] == '_' && name != IDField {
		return &Invalid{
			Where:  where,
			Reason: fmt.Sprintf("no event can have a field %q", name),
			Hint:   "Names that begin with an underscore are reserved; only _id may be sent.",
		}
	}
	return nil
}

// checkList checks an ordered list of distinct texts.
func checkList(where, what string, list []string, check func(where, item string) error) error {
	seen := make(map[string]struct{}, len(list))
	for _, item := range list {
		if err := check(where, item); err != nil {
			return err
		}
		if _, twice := seen[item]; twice {
			return &Invalid{Where: where, Reason: fmt.Sprintf("%s %q is listed twice", what, item)}
		}
		seen[item] = struct{}{}
	}
	return nil
}
