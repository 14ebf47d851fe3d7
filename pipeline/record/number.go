package record

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/fieldgate/fieldgate/schema"
)

// Up to maxExactDigits significant digits distinct decimals are distinct doubles (DBL_DIG of C), so that such a decimal
// is its own shortest form; and a double holds powers of ten exactly up to the 22nd.
const maxExactDigits = 15

var powersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// readNumber gives v the kind and value of the number that begins at data[i], and gives the index after it, or a fault
// and where.
func readNumber(v *schema.Value, data []byte, i int) (end int, fault string) {
	if end = readShort(v, data, i); end > 0 {
		return end, ""
	}
	end, integer, fault := scanNumber(data, i)
	if fault == "" {
		setNumber(v, data[i:end], integer)
	}
	return end, fault
}

// readShort is readNumber for numbers of few digits without exponent: nearly all that devices send, which it reads in
// one go. It gives 0 if the number is another, or none.
func readShort(v *schema.Value, data []byte, i int) (end int) {
	negative := data[i] == '-'
	if negative {
		i++
	}
	first := i
	var mantissa uint64 // of too many digits it is wrong, and not used
	for ; i < len(data) && data[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(data[i]-'0')
	}
	digits := i - first
	point := i < len(data) && data[i] == '.'
	if digits == 0 || data[first] == '0' && (digits > 1 || negative && !point) {
		return 0
	}
	fraction := 0
	if point {
		from := i + 1
		for i = from; i < len(data) && data[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(data[i]-'0')
		}
		fraction = i - from
	}
	switch {
	case i < len(data) && data[i]|0x20 == 'e', digits+fraction > maxExactDigits, point && fraction == 0:
		return 0
	case point:
		v.Kind, v.Num = schema.KindNumber, float64(mantissa)/powersOfTen[fraction]
		if negative {
			v.Num = -v.Num
		}
	default:
		v.Kind, v.Int = schema.KindInt, int64(mantissa)
		if negative {
			v.Int = -v.Int
		}
	}
	return i
}

// setNumber gives v the kind and value of the number that text is. text passed scanNumber, which said whether it is
// an integer.
func setNumber(v *schema.Value, text []byte, integer bool) {
	if integer {
		if n, ok := parseInt(text); ok {
			v.Kind, v.Int = schema.KindInt, n
			return
		}
	}
	f, err := strconv.ParseFloat(textOf(text), 64)
	if err == nil && isShortest(text, f) {
		v.Kind, v.Num = schema.KindNumber, f
		return
	}
	v.Kind, v.Text = schema.KindText, text
}

// parseInt reads an integer of 64 bits. Minus zero is none: it would lose its sign.
func parseInt(text []byte) (int64, bool) {
	negative := text[0] == '-'
	digits := text
	if negative {
		digits = text[1:]
	}
	if len(digits) > 19 || negative && digits[0] == '0' {
		return 0, false
	}
	var n uint64 // 19 digits fit
	for _, c := range digits {
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n <= math.MaxInt64
}

// isShortest says whether the number as written has exactly the value of the shortest decimal that stands for f.
func isShortest(text []byte, f float64) bool {
	var written, shortest decimal
	var form [32]byte
	written.parse(text)
	shortest.parse(strconv.AppendFloat(form[:0], f, 'e', -1, 64))
	return written.equal(&shortest)
}

// decimal is a number as the digits of 0.d1d2d3… times a power of ten. It lies in the text it was read from: the digits
// are those of head and then of tail. They begin and end with another digit than 0; zero has none.
type decimal struct {
	negative   bool
	head, tail []byte
	exponent   int
}

// maxExponent is far beyond any double's and keeps sums of exponents and lengths in range.
const maxExponent = 1 << 40

func (d *decimal) parse(text []byte) {
	if text[0] == '-' {
		d.negative = true
		text = text[1:]
	}
	i := skipDigits(text, 0)
	d.head = text[:i]
	if i < len(text) && text[i] == '.' {
		end := skipDigits(text, i+1)
		d.tail = text[i+1 : end]
		i = end
	}
	if i < len(text) {
		d.exponent = parseExponent(text[i+1:])
	}
	d.exponent += len(d.head)
	for len(d.head) > 0 && d.head[0] == '0' {
		d.head = d.head[1:]
		d.exponent--
	}
	if len(d.head) == 0 {
		for len(d.tail) > 0 && d.tail[0] == '0' {
			d.tail = d.tail[1:]
			d.exponent--
		}
	}
	d.tail = trimZeros(d.tail)
	if len(d.tail) == 0 {
		d.head = trimZeros(d.head)
	}
	if len(d.head)+len(d.tail) == 0 {
		d.exponent = 0
	}
}

func parseExponent(text []byte) int {
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	n := 0
	for _, c := range text {
		n = min(n*10+int(c-'0'), maxExponent)
	}
	if negative {
		return -n
	}
	return n
}

func trimZeros(digits []byte) []byte {
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}

func (d *decimal) digit(i int) byte {
	if i < len(d.head) {
		return d.head[i]
	}
	return d.tail[i-len(d.head)]
}

func (d *decimal) equal(o *decimal) bool {
	n := len(d.head) + len(d.tail)
	if d.negative != o.negative || d.exponent != o.exponent || n != len(o.head)+len(o.tail) {
		return false
	}
	for i := range n {
		if d.digit(i) != o.digit(i) {
			return false
		}
	}
	return true
}

// textOf is b as a string for as long as nobody changes b.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
