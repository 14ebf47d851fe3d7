package duckdb

import "encoding/binary"

// The bytes before a value in the key of a jsonb, in the order of its kinds (compareJsonbContainers in jsonb_util.c).
const (
	jsonKeyNull   = 1
	jsonKeyString = 2
	jsonKeyNumber = 3
	jsonKeyFalse  = 4
	jsonKeyTrue   = 5
	jsonKeyArray  = 6
	jsonKeyObject = 7
)

// appendJSONKey writes jsonb so that keys order as the values do. What is no array or object counts as an array of one
// element, before those of one, so that an empty array is the least of all.
func appendJSONKey(dst []byte, s string) []byte {
	if kind := kindOfJSON(s); kind != "array" && kind != "object" {
		dst = binary.BigEndian.AppendUint32(append(dst, jsonKeyArray), 1)
		return appendJSONValueKey(append(dst, 0), s)
	}
	dst = appendJSONHeadKey(dst, s)
	if kindOfJSON(s) == "array" {
		dst = append(dst, 1)
	}
	return appendJSONPartKeys(dst, s)
}

// appendJSONHeadKey begins the key of an array or an object: the longer ones come later.
func appendJSONHeadKey(dst []byte, s string) []byte {
	kind := byte(jsonKeyArray)
	if kindOfJSON(s) == "object" {
		kind = jsonKeyObject
	}
	return binary.BigEndian.AppendUint32(append(dst, kind), uint32(len(jsonParts(s))))
}

func appendJSONPartKeys(dst []byte, s string) []byte {
	object := kindOfJSON(s) == "object"
	for _, part := range jsonParts(s) {
		if object {
			dst = append(append(dst, part.key...), 0)
		}
		dst = appendJSONValueKey(dst, part.value)
	}
	return dst
}

func appendJSONValueKey(dst []byte, s string) []byte {
	switch kind := kindOfJSON(s); kind {
	case "null":
		return append(dst, jsonKeyNull)
	case "string":
		return append(append(append(dst, jsonKeyString), unquoteJSON(s)...), 0)
	case "boolean":
		if s == "true" {
			return append(dst, jsonKeyTrue)
		}
		return append(dst, jsonKeyFalse)
	case "number":
		return append(parseDecimal(s).key(append(dst, jsonKeyNumber)), 0)
	}
	return appendJSONPartKeys(appendJSONHeadKey(dst, s), s)
}
