package profile

import (
	"math"
	"strings"
	"unicode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// castTypes are the types for which it is counted how many values cast to them,
// in an order that is stored. Every value casts to text and varchar, but a text with
// U+0000, which is none in PostgreSQL.
var castTypes = [...]string{
	"smallint", "integer", "bigint", "real", "double precision", "numeric", "boolean", "timestamptz", "timestamp", "date",
	"time", "interval", "uuid", "bytea", "json", "jsonb",
}

// castSet is a set of castTypes, a bit each.
type castSet uint32

// The sets that need no parser.
const (
	castSmallint  castSet = 1
	castInteger   castSet = 1 << 1
	castBigint    castSet = 1 << 2
	castReal      castSet = 1 << 3
	castNumeric   castSet = 1 << 5
	castNumbers   castSet = 1<<6 - 1
	castBoolean   castSet = 1 << 6
	castTimes     castSet = 1<<12 - 1<<7
	castUUID      castSet = 1 << 12
	castBytea     castSet = 1 << 13
	castDocuments castSet = 1<<14 | 1<<15
	// castNoText stands for no type: the value is no text either.
	castNoText castSet = 1 << 16
)

// castCache remembers what texts cast to: devices send few different ones, or
// different ones of one shape.
type castCache struct {
	places [cachedCasts / castWays]castPlace
	env    postgres.Env
	// shape is a text with its digits masked.
	shape []byte
}

// castPlace has the latest of the texts whose hashes share it, the newest first.
type castPlace struct {
	keys  [castWays]uint64
	casts [castWays]casts
}

// casts are what a value casts to, and how large it is as a number.
type casts struct {
	set       castSet
	magnitude magnitude
}

const (
	// cachedCasts is several times what a metric has of devices, stations or
	// firmware versions: a text that is not there costs as much as all else that
	// becomes of its event.
	cachedCasts = 1 << 13
	// castWays is how many texts share a place. Of a thousand texts, 28 find no room in
	// places of two and would be parsed whenever they come; in places of four it is 2.
	castWays = 4
	// maxCastText is the longest text that is tried; none of the types but bytea and
	// the documents has longer ones.
	maxCastText = 4 << 10
)

func newCastCache() *castCache { return &castCache{env: postgres.DefaultEnv()} }

// castsOf are the types that PostgreSQL would cast a text to, whose hash is given.
func (c *castCache) castsOf(text []byte, hash uint64) casts {
	key := hash
	if isMoment(text) {
		c.shape = c.shape[:0]
		for _, b := range text {
			if b >= '0' && b <= '9' {
				b = '0'
			}
			c.shape = append(c.shape, b)
		}
		v := schema.Value{Kind: schema.KindText, Text: c.shape}
		key = ^hashOf(&v)
	}
	p := &c.places[key%uint64(len(c.places))]
	for i := range p.keys {
		if p.keys[i] == key {
			return p.casts[i]
		}
	}
	copy(p.keys[1:], p.keys[:])
	copy(p.casts[1:], p.casts[:])
	p.keys[0], p.casts[0] = key, parseCasts(string(text), c.env)
	return p.casts[0]
}

// isMoment says that a text begins YYYY-MM-DD?HH:MM:SS with parts that are valid
// in every month, so that it casts as all texts do that differ in digits alone.
func isMoment(text []byte) bool {
	const form = "0000-00-00?00:00:00"
	if len(text) < len(form) || len(text) > maxCastText {
		return false
	}
	for i := range len(form) {
		switch c := text[i]; {
		case form[i] == '0' && (c < '0' || c > '9'):
			return false
		case form[i] != '0' && form[i] != '?' && form[i] != c:
			return false
		}
	}
	if text[10] != 'T' && text[10] != ' ' {
		return false
	}
	part := func(i, low, high int) bool {
		n := int(text[i]-'0')*10 + int(text[i+1]-'0')
		return n >= low && n <= high
	}
	if !part(0, 10, 99) || !part(5, 1, 12) || !part(8, 1, 28) || !part(11, 0, 23) || !part(14, 0, 59) || !part(17, 0, 59) {
		return false
	}
	rest := text[len(form):]
	if len(rest) > 0 && rest[0] == '.' {
		rest = rest[1:]
		for len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
			rest = rest[1:]
		}
	}
	if len(rest) == 0 || len(rest) == 1 && rest[0] == 'Z' {
		return true
	}
	// +HH:MM, of which PostgreSQL takes hours up to 15 (MAX_TZDISP_HOUR).
	return len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' && rest[1] == '0' && rest[4] >= '0' && rest[4] <= '5'
}

// parseCasts tries every type that the text could be.
func parseCasts(text string, env postgres.Env) casts {
	if strings.IndexByte(text, 0) >= 0 {
		return casts{castNoText, noMagnitude}
	}
	var set castSet
	if len(text) <= maxCastText || mayBeDocument(text) {
		for i, name := range castTypes {
			if bit := castSet(1) << i; bit&possibleCasts(text) != 0 && castsTo(name, text, env) {
				set |= bit
			}
		}
	}
	if isBytes(text) {
		set |= castBytea
	}
	if set&castNumeric == 0 {
		return casts{set, noMagnitude}
	}
	return casts{set, magnitudeOfText(text, env)}
}

func castsTo(name, text string, env postgres.Env) bool {
	t := schema.Type{Name: name}
	_, err := postgres.ParseLiteral(t.OID(), -1, text, env)
	return err == nil
}

// possibleCasts are the types that the text's characters do not rule out.
func possibleCasts(text string) castSet {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return 0
	}
	var set castSet
	digits := strings.ContainsAny(trimmed, "0123456789")
	if len(trimmed) <= maxNumberText && (digits && isNumeral(trimmed) || strings.ContainsAny(trimmed, "nN")) {
		set |= castNumbers
	}
	if len(trimmed) <= len("false") {
		set |= castBoolean
	}
	if len(trimmed) <= maxTimeText && (digits || isTimeWord(trimmed) || isPoints(trimmed)) {
		set |= castTimes
	}
	if len(trimmed) >= 32 && len(trimmed) <= 41 {
		set |= castUUID
	}
	if mayBeDocument(trimmed) {
		set |= castDocuments
	}
	return set
}

const (
	// maxNumberText is longer than any number that a numeric field is sent in earnest.
	maxNumberText = 400
	// maxTimeText is PostgreSQL's MAXDATELEN.
	maxTimeText = 128
)

// isNumeral says that a text has no characters but those of numbers, which for
// doubles may be hexadecimal.
func isNumeral(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789abcdefABCDEFxXpP", r) }) < 0
}

// isTimeWord says that a text without digits is a date or time to PostgreSQL.
func isTimeWord(text string) bool {
	switch strings.ToLower(text) {
	case "now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity", "+infinity", "allballs":
		return true
	}
	return false
}

// isPoints says that a text has no letters or digits but a point, which PostgreSQL
// takes for a number.
func isPoints(text string) bool {
	return strings.Contains(text, ".") && strings.IndexFunc(text, func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

func mayBeDocument(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && strings.IndexByte(`{["-0123456789tfn`, text[0]) >= 0
}

// isBytes says that a text reads as bytea: PostgreSQL's hexadecimal, or base64
// as decode(…, 'base64') takes it, which passes over white space.
func isBytes(text string) bool {
	if strings.HasPrefix(text, `\x`) {
		return castsTo("bytea", text, postgres.DefaultEnv())
	}
	n, pads := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c == '=':
			pads++
			n++
		case pads == 0 && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'):
			n++
		default:
			return false
		}
	}
	return n%4 == 0 && pads <= 2
}

// The sets of kinds but text: casts that PostgreSQL has between types, and json,
// which reads the text of anything.
const (
	castsOfBool = castInteger | castBoolean | castDocuments
	castsOfJSON = castDocuments
	anyNumber   = castNumbers | castDocuments
)

// castsOfInt are the types that an integer casts to: one of 32 bits is a truth value
// too.
func castsOfInt(n int64) castSet {
	switch {
	case n == int64(int16(n)):
		return anyNumber | castBoolean
	case n == int64(int32(n)):
		return anyNumber&^castSmallint | castBoolean
	}
	return anyNumber &^ (castSmallint | castInteger)
}

// castsOfDouble are the types that a double casts to: to integers it is rounded
// half to even.
func castsOfDouble(f float64) castSet {
	size := math.Abs(f)
	set := anyNumber
	if f == math.Trunc(f) && f >= math.MinInt32 && f <= math.MaxInt32 {
		set |= castBoolean
	}
	if size < math.MaxInt16 && size > 1e-37 || f == 0 {
		return set
	}
	if r := math.RoundToEven(f); r < math.MinInt16 || r > math.MaxInt16 {
		set &^= castSmallint
		if r < math.MinInt32 || r > math.MaxInt32 {
			set &^= castInteger
		}
		if r < -1<<63 || r >= 1<<63 {
			set &^= castBigint
		}
	}
	if single := float32(f); math.IsInf(float64(single), 0) || single == 0 {
		set &^= castReal
	}
	return set
}

// castCount is how many values cast to exactly one set of types.
type castCount struct {
	set castSet
	n   int64
}

// castPlace is the place of a set's count, which begins at 0.
func (k *kind) castPlace(set castSet) int {
	for i := range k.casts {
		if k.casts[i].set == set {
			return i
		}
	}
	k.casts = append(k.casts, castCount{set: set})
	return len(k.casts) - 1
}
