package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// QuoteIdentifier is quote_ident: the name as SQL reads it back, in quotes unless it is plain and no keyword.
func QuoteIdentifier(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for i := range len(name) {
		c := name[i]
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if plain {
		if _, keyword := catalog().quotedKeywords[name]; !keyword {
			return name
		}
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// maxIdentifier is how many bytes of a name the parser keeps (NAMEDATALEN - 1).
const maxIdentifier = 63

// CutIdentifier is a name as the parser would hand it over: its first 63 bytes, less what would be a part of a character.
func CutIdentifier(name string) string {
	if len(name) <= maxIdentifier {
		return name
	}
	n := maxIdentifier
	for n > 0 && name[n]&0xC0 == 0x80 {
		n--
	}
	return name[:n]
}

// SplitIdentifier takes a.b."C" apart, folding what is not quoted and cutting what is too long; not ok: it is none.
func SplitIdentifier(text string) ([]string, bool) {
	var parts []string
	for {
		text = strings.TrimSpace(text)
		var part string
		if strings.HasPrefix(text, `"`) {
			end := 1
			var b strings.Builder
			for {
				i := strings.IndexByte(text[end:], '"')
				if i < 0 {
					return nil, false
				}
				b.WriteString(text[end : end+i])
				end += i + 1
				if end < len(text) && text[end] == '"' {
					b.WriteByte('"')
					end++
					continue
				}
				break
			}
			part, text = b.String(), text[end:]
		} else {
			end := strings.IndexAny(text, ". \t\n\"")
			if end < 0 {
				end = len(text)
			}
			part, text = strings.ToLower(text[:end]), text[end:]
		}
		if part == "" {
			return nil, false
		}
		parts = append(parts, CutIdentifier(part))
		text = strings.TrimSpace(text)
		if text == "" {
			return parts, true
		}
		if text[0] != '.' {
			return nil, false
		}
		text = text[1:]
	}
}

// ParseIdent is parse_ident: the parts of a qualified name, folded where they are not quoted. Not strict, it takes what
// follows the name.
func ParseIdent(text string, strict bool) ([]string, error) {
	invalid := func(detail string) *Error {
		return &Error{Code: pgerrcode.InvalidParameterValue, Message: `string is not a valid identifier: "` + text + `"`, Detail: detail}
	}
	var parts []string
	rest := strings.TrimLeft(text, identSpace)
	for {
		part, after, ok := quotedPart(rest)
		switch {
		case ok && after == rest:
			return nil, invalid("String has unclosed double quotes.")
		case ok && part == "":
			return nil, invalid("Quoted identifier must not be empty.")
		case !ok:
			n := identLength(rest)
			if n == 0 && len(parts) > 0 {
				return nil, invalid(`No valid identifier after ".".`)
			}
			if n == 0 {
				if strings.HasPrefix(rest, ".") {
					return nil, invalid(`No valid identifier before ".".`)
				}
				return nil, invalid("")
			}
			part, after = lowerASCII(rest[:n]), rest[n:]
		}
		parts = append(parts, part)
		rest = strings.TrimLeft(after, identSpace)
		if !strings.HasPrefix(rest, ".") {
			if rest != "" && strict {
				return nil, invalid("")
			}
			return parts, nil
		}
		rest = strings.TrimLeft(rest[1:], identSpace)
	}
}

// identSpace is what scanner_isspace takes for space.
const identSpace = " \t\n\r\f"

// quotedPart takes a quoted name off a text; after is the whole text if its quotes do not close.
func quotedPart(text string) (part, after string, quoted bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", text, false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 == len(text) || text[i+1] != '"' {
			return b.String(), text[i+1:], true
		}
		b.WriteByte('"')
		i++
	}
	return "", text, true
}

// identLength is how much of a text is a name without quotes.
func identLength(text string) int {
	n := 0
	for n < len(text) {
		c := text[n]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
		if !letter && (n == 0 || c != '$' && (c < '0' || c > '9')) {
			break
		}
		n++
	}
	return n
}

// AppendRegistered appends an OID as its type prints it if the objects of that are all known here: those of
// regtype, regproc, regconfig and regdictionary.
// What is none of them prints as the number.
func AppendRegistered(dst []byte, typ, oid OID) []byte {
	if oid == 0 {
		return append(dst, '-')
	}
	if typ == RegtypeOID {
		if _, ok := TypeByOID(oid); ok {
			return append(dst, oid.String()...)
		}
	}
	if typ == RegprocOID {
		if p, ok := ProcByOID(oid); ok {
			if len(ProcsByName(p.Name)) > 1 {
				dst = append(dst, "pg_catalog."...) // regproc would not read the name alone
			}
			return append(dst, QuoteIdentifier(p.Name)...)
		}
	}
	if typ == RegconfigOID {
		if c, ok := TSConfigByOID(oid); ok {
			return append(dst, c.Name...)
		}
	}
	if typ == RegdictionaryOID {
		if d, ok := TSDictionaryByOID(oid); ok {
			return append(dst, d.Name...)
		}
	}
	return strconv.AppendUint(dst, uint64(oid), 10)
}

// quotedKeywords are the keywords of PostgreSQL 15 that are not "unreserved" (parser/kwlist.h).
const quotedKeywords = ` all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast ` +
	`char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date ` +
	`current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else ` +
	`end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in ` +
	`initially inner inout int integer intersect interval into is isnull join lateral leading least left like limit localtime ` +
	`localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer ` +
	`overlaps overlay placing position precision primary real references returning right row select session_user setof ` +
	`similar smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union unique ` +
	`user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest ` +
	`xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable `
