package duckdb

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A JSON value is read as text, and a part of it is a part of the text: json
// keeps what was written, jsonb is in its normal form already. All texts here
// are known to be JSON.

// skipSpace is the place of the next byte that is no white space.
func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString is the place behind the string that begins at i.
func skipString(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return i
}

// skipJSON is the place behind the value that begins at i.
func skipJSON(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = skipString(s, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default:
			for i < len(s) && !strings.ContainsRune(",:]} \t\r\n", rune(s[i])) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// members calls yield with the members of an object: keys as written, values.
func members(s string, yield func(key, value string) bool) {
	i := skipSpace(s, 0)
	if i >= len(s) || s[i] != '{' {
		return
	}
	for i = skipSpace(s, i+1); i < len(s) && s[i] == '"'; i = skipSpace(s, i+1) {
		end := skipString(s, i)
		key := s[i:end]
		from := skipSpace(s, skipSpace(s, end)+1)
		i = skipJSON(s, from)
		if !yield(key, s[from:i]) {
			return
		}
		if i = skipSpace(s, i); i >= len(s) || s[i] != ',' {
			return
		}
	}
}

// elements calls yield with the elements of an array.
func elements(s string, yield func(value string) bool) {
	i := skipSpace(s, 0)
	if i >= len(s) || s[i] != '[' {
		return
	}
	for i = skipSpace(s, i+1); i < len(s) && s[i] != ']'; i = skipSpace(s, i+1) {
		end := skipJSON(s, i)
		if !yield(s[i:end]) {
			return
		}
		if i = skipSpace(s, end); i >= len(s) || s[i] != ',' {
			return
		}
	}
}

// unquoteJSON is the text of a string as written.
func unquoteJSON(s string) string {
	if !strings.Contains(s, `\`) {
		return s[1 : len(s)-1]
	}
	var out string
	if json.Unmarshal([]byte(s), &out) != nil {
		return s
	}
	return out
}

// member finds a member; of several with one key the last counts.
func member(s, key string) (value string, ok bool) {
	members(s, func(k, v string) bool {
		if unquoteJSON(k) == key {
			value, ok = v, true
		}
		return true
	})
	return value, ok
}

// element finds an element, counted from 0, or from the end if i is negative.
func element(s string, i int) (value string, ok bool) {
	if i < 0 {
		n, isArray := arrayLength(s)
		if i += n; !isArray || i < 0 {
			return "", false
		}
	}
	elements(s, func(v string) bool {
		if i == 0 {
			value, ok = v, true
		}
		i--
		return !ok
	})
	return value, ok
}

func arrayLength(s string) (n int, isArray bool) {
	if kindOfJSON(s) != "array" {
		return 0, false
	}
	elements(s, func(string) bool { n++; return true })
	return n, true
}

// jsonbElement is element for jsonb, where a scalar is like an array of itself.
func jsonbElement(s string, i int) (value string, ok bool) {
	if kind := kindOfJSON(s); kind != "array" && kind != "object" {
		return s, i == 0 || i == -1
	}
	return element(s, i)
}

// kindOfJSON is json_typeof.
func kindOfJSON(s string) string {
	i := skipSpace(s, 0)
	if i >= len(s) {
		return ""
	}
	switch s[i] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// follow goes down a path of keys and positions.
func follow(s string, path [][]byte) (value string, ok bool) {
	for _, step := range path {
		if step == nil {
			return "", false
		}
		switch kindOfJSON(s) {
		case "object":
			s, ok = member(s, string(step))
		case "array":
			i, err := strconv.Atoi(string(step))
			if err != nil {
				return "", false
			}
			s, ok = element(s, i)
		default:
			return "", false
		}
		if !ok {
			return "", false
		}
	}
	return s, true
}

// contains is jsonb's @>. Top level arrays contain their elements bare.
func contains(a, b string, top bool) bool {
	ka, kb := kindOfJSON(a), kindOfJSON(b)
	switch {
	case ka == "array" && kb != "array" && kb != "object" && top:
		return anyElement(a, func(e string) bool { return contains(e, b, false) })
	case ka != kb:
		return false
	case ka == "object":
		all := true
		members(b, func(k, v string) bool {
			own, ok := member(a, unquoteJSON(k))
			all = ok && contains(own, v, false)
			return all
		})
		return all
	case ka == "array":
		all := true
		elements(b, func(v string) bool {
			all = anyElement(a, func(e string) bool { return contains(e, v, false) })
			return all
		})
		return all
	case ka == "number":
		return parseDecimal(a).cmp(parseDecimal(b)) == 0 // jsonb has no exponents
	}
	return a == b
}

func anyElement(s string, test func(e string) bool) (found bool) {
	elements(s, func(e string) bool {
		found = test(e)
		return !found
	})
	return found
}

// hasJSONKey is jsonb's ?: a key of an object, or a string in an array or alone.
func hasJSONKey(s, key string) bool {
	switch kindOfJSON(s) {
	case "object":
		_, ok := member(s, key)
		return ok
	case "array":
		return anyElement(s, func(e string) bool { return kindOfJSON(e) == "string" && unquoteJSON(e) == key })
	case "string":
		return unquoteJSON(strings.TrimSpace(s)) == key
	}
	return false
}
