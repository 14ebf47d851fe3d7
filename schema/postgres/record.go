package postgres

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Record is a row as a value, of type record: it says itself of what its fields are.
type Record struct {
	Fields []RecordField
}

// RecordField is a field of a Record.
type RecordField struct {
	Name  string
	Type  OID
	Value Datum
}

// keptParts are the texts that a field of a record is kept in: type, name, value.
const keptParts = 3

// ParseKept reads the text that a value is kept in where it has to be text: what the
// type's output prints when nothing is set, of elements that name a type, a function or
// a text search object the number, and of a record, which cannot be read from
// that, the array of its fields' types, names and values.
func ParseKept(oid OID, text string) (Datum, error) {
	env := DefaultEnv()
	if oid == RecordOID {
		return parseKeptRecord(text)
	}
	if ElemOf(oid) == RecordOID {
		return parseArray(text, RecordOID, ',', parseKeptRecord)
	}
	switch elem := ElemOf(oid); elem {
	case RegtypeOID, RegprocOID, RegconfigOID, RegdictionaryOID:
		return parseArray(text, elem, ',', func(item string) (Datum, error) {
			n, err := parseOID(item)
			return IntDatum(n), err
		})
	}
	return parseLiteral(BaseOf(oid), -1, text, &env)
}

func parseKeptRecord(text string) (Datum, error) {
	parts, err := parseArray(text, TextOID, ',', func(item string) (Datum, error) { return TextDatum(item), nil })
	if err != nil {
		return Datum{}, err
	}
	items := parts.Array.Items
	r := &Record{Fields: make([]RecordField, len(items)/keptParts)}
	for i := range r.Fields {
		f, kept := &r.Fields[i], items[i*keptParts:]
		n, err := strconv.ParseUint(kept[0].Str, 10, 32)
		if err != nil {
			return Datum{}, errorf("XX000", "the type of a record's field is %q", kept[0].Str)
		}
		f.Type, f.Name = OID(n), kept[1].Str
		if kept[2].Kind == NullKind {
			continue
		}
		if f.Value, err = ParseKept(f.Type, kept[2].Str); err != nil {
			return Datum{}, err
		}
	}
	return Datum{Kind: RecordKind, Record: r}, nil
}

// appendRecord appends a record as record_out does: fields between commas, those that
// are NULL left out, others quoted where they could be read as something else.
func appendRecord(dst []byte, r *Record, env *Env) []byte {
	dst = append(dst, '(')
	for i := range r.Fields {
		f := &r.Fields[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if f.Value.Kind == NullKind {
			continue
		}
		dst = appendRecordText(dst, string(appendText(nil, BaseOf(f.Type), &f.Value, env)))
	}
	return append(dst, ')')
}

func appendRecordText(dst []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, "\"\\(),"+spaces) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, text[i])
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

// appendBinaryRecord appends a record as record_send does: each field with its type
// and length.
func appendBinaryRecord(dst []byte, r *Record) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Fields)))
	for i := range r.Fields {
		f := &r.Fields[i]
		dst = binary.BigEndian.AppendUint32(dst, uint32(f.Type))
		if f.Value.Kind == NullKind {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		at := len(dst)
		dst = appendBinary(append(dst, 0, 0, 0, 0), BaseOf(f.Type), &f.Value)
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst
}
