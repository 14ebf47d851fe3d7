package postgres

import (
	"strconv"
	"strings"
)

// QuoteIdentifier is quote_ident: the name as SQL reads it back, in quotes unless it is plain and no keyword.
func QuoteIdentifier(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for i := range len(name) {
		c := name[i]
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if plain && !strings.Contains(quotedKeywords, " "+name+" ") {
		return name
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

// AppendRegistered appends an OID as its type prints it if that is regtype or regproc, whose objects are all known here.
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
