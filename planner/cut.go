package planner

import (
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// cutNotices tells of the identifiers of a text that were cut.
func cutNotices(text string) []*Notice {
	if !hasLongWord(text) {
		return nil
	}
	scan, err := pgquery.Scan(text)
	if err != nil {
		return nil // it was parsed, so its tokens are known
	}
	var out []*Notice
	for _, token := range scan.Tokens {
		name := text[token.Start:token.End]
		if token.Token != pgquery.Token_IDENT && token.Token != pgquery.Token_UIDENT {
			continue
		}
		if quoted, ok := strings.CutPrefix(name, `"`); ok {
			name = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
		} else {
			name = strings.ToLower(name)
		}
		if len(name) > maxIdentifier {
			out = append(out, cutNotice(name))
		}
	}
	return out
}

// cutNotice tells of an identifier that is cut.
func cutNotice(name string) *Notice {
	return &Notice{
		Severity: "NOTICE", Code: pgerrcode.NameTooLong,
		Message: fmt.Sprintf("identifier \"%s\" will be truncated to \"%s\"", name, cutName(name)),
	}
}

// hasLongWord says that a text may have an identifier that is cut.
func hasLongWord(text string) bool {
	run, quoted := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
			run = 0
		case quoted || c >= 0x80 || c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z':
			if run++; run > maxIdentifier {
				return true
			}
		default:
			run = 0
		}
	}
	return false
}
