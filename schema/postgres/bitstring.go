package postgres

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jackc/pgerrcode"
)

// parseBits reads a bit string: binary digits, behind a b if there is one, or hexadecimal ones behind an x. A modifier
// cuts it, and pads a bit, as an explicit cast does.
func parseBits(oid OID, typmod int32, text string) (string, error) {
	digits := text
	if digits != "" && (digits[0]|0x20 == 'b' || digits[0]|0x20 == 'x') {
		digits = digits[1:]
	}
	var bits strings.Builder
	hexadecimal := text != "" && text[0]|0x20 == 'x'
	for _, r := range digits {
		switch {
		case hexadecimal && r < 0x80 && isHexDigit(byte(r)):
			fmt.Fprintf(&bits, "%04b", strings.IndexByte(hexDigits, byte(r)|0x20))
		case hexadecimal:
			return "", errorf(pgerrcode.InvalidTextRepresentation, `"%c" is not a valid hexadecimal digit`, r)
		case r == '0' || r == '1':
			bits.WriteRune(r)
		default:
			return "", errorf(pgerrcode.InvalidTextRepresentation, `"%c" is not a valid binary digit`, r)
		}
	}
	out := bits.String()
	if n := int(typmod); typmod > 0 {
		if oid == BitOID && len(out) < n {
			out += strings.Repeat("0", n-len(out))
		}
		out = out[:min(n, len(out))]
	}
	return out, nil
}

// appendBinaryBits appends a bit string: its length in bits, then its bytes.
func appendBinaryBits(dst []byte, bits string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(bits)))
	for i := 0; i < len(bits); i += 8 {
		b := byte(0)
		for j := i; j < min(i+8, len(bits)); j++ {
			b |= (bits[j] - '0') << (7 - (j - i))
		}
		dst = append(dst, b)
	}
	return dst
}

func (r *binaryReader) bits() (Datum, error) {
	n := int(r.int32())
	if n < 0 {
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "invalid length in external bit string")
	}
	bytes := r.take((n + 7) / 8)
	if r.short {
		return Datum{}, nil
	}
	bits := make([]byte, n)
	for i := range bits {
		bits[i] = '0' + bytes[i/8]>>(7-i%8)&1
	}
	return TextDatum(string(bits)), nil
}
