package postgres

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
)

// Inet is a host address with the length of its network, or a network: a value of type inet or cidr. IPv4 addresses in IPv6's
// form stay of IPv6.
type Inet struct {
	Addr netip.Addr
	Bits int
}

// Network is the network of the address, whose other bits are zero.
func (n Inet) Network() Inet { return Inet{netip.PrefixFrom(n.Addr, n.Bits).Masked().Addr(), n.Bits} }

// Width is how many bits its addresses have.
func (n Inet) Width() int { return n.Addr.BitLen() }

// ParseInet reads an inet, or a cidr, as its input function does.
func ParseInet(oid OID, text string) (Inet, error) {
	bad := errorf(pgerrcode.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", oid, text)
	address, length, hasLength := strings.Cut(text, "/")
	n := Inet{Bits: -1}
	if hasLength {
		var err error
		if n.Bits, err = strconv.Atoi(length); err != nil || strings.Trim(length, "0123456789") != "" {
			return Inet{}, bad
		}
	}
	full := address
	if oid == CidrOID && !strings.Contains(address, ":") {
		var bits int
		if full, bits = wholeNetwork(address); n.Bits < 0 {
			n.Bits = bits
		}
	}
	var err error
	if n.Addr, err = netip.ParseAddr(withoutZeros(full)); err != nil || n.Addr.Zone() != "" {
		return Inet{}, bad
	}
	if n.Bits < 0 {
		n.Bits = n.Width()
	}
	if n.Bits > n.Width() {
		return Inet{}, bad
	}
	if oid == CidrOID && n.Network() != n {
		return Inet{}, errorf(pgerrcode.InvalidTextRepresentation, "invalid cidr value: \"%s\"", text).withDetail("Value has bits set to right of mask.")
	}
	return n, nil
}

// withoutZeros writes the octets of an IPv4 address without zeros in front, which are decimal to PostgreSQL.
func withoutZeros(address string) string {
	if strings.Contains(address, ":") {
		return address
	}
	octets := strings.Split(address, ".")
	for i, o := range octets {
		if trimmed := strings.TrimLeft(o, "0"); trimmed != "" || o == "" {
			octets[i] = trimmed
		} else {
			octets[i] = "0"
		}
	}
	return strings.Join(octets, ".")
}

// wholeNetwork fills up the address of an IPv4 network of which the last octets are left out, and guesses its length by its
// class (inet_cidr_pton_ipv4 in inet_net_pton.c).
func wholeNetwork(address string) (full string, bits int) {
	octets := strings.Split(address, ".")
	first, err := strconv.Atoi(octets[0])
	if err != nil || len(octets) > 4 {
		return address, -1
	}
	bits = 8
	switch {
	case first >= 240:
		bits = 32
	case first >= 224:
	case first >= 192:
		bits = 24
	case first >= 128:
		bits = 16
	}
	bits = max(bits, 8*len(octets))
	if bits == 8 && first == 224 {
		bits = 4
	}
	return address + strings.Repeat(".0", 4-len(octets)), bits
}

// Append appends the value as an inet prints, or a cidr, which never leaves its length out.
func (n Inet) Append(dst []byte, oid OID) []byte {
	dst = append(dst, n.Host()...)
	if oid == CidrOID || n.Bits != n.Width() {
		dst = strconv.AppendInt(append(dst, '/'), int64(n.Bits), 10)
	}
	return dst
}

// Host is the address alone. Of IPv6 addresses those of the first 96 bits zero end in the form of IPv4 (inet_net_ntop.c).
func (n Inet) Host() string {
	if b := n.Addr.As16(); n.Addr.Is6() && !n.Addr.Is4In6() && [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return n.Addr.String()
}

// Abbreviated is the network without the octets behind its length, or an address without a length that is the whole.
func (n Inet) Abbreviated(oid OID) string {
	if oid != CidrOID || n.Addr.Is6() {
		return string(n.Append(nil, InetOID))
	}
	octets := strings.Split(n.Addr.String(), ".")
	return strings.Join(octets[:max(1, (n.Bits+7)/8)], ".") + "/" + strconv.Itoa(n.Bits)
}

// Key is a text that orders as PostgreSQL orders addresses: by family, network, its length, and address.
func (n Inet) Key() string {
	family := 4
	if n.Addr.Is6() {
		family = 6
	}
	return fmt.Sprintf("%d%x%02x%x", family, n.Network().Addr.AsSlice(), n.Bits, n.Addr.AsSlice())
}

// Contains says that another value lies in the network; strictly: and is no network of the same length.
func (n Inet) Contains(other Inet, strictly bool) bool {
	return n.Width() == other.Width() && (n.Bits < other.Bits || n.Bits == other.Bits && !strictly) &&
		Inet{other.Addr, n.Bits}.Network() == n.Network()
}

// Mask has ones where the network has its bits.
func (n Inet) Mask() netip.Addr {
	ones, _ := netip.AddrFromSlice(filled(n.Width()/8, 0xff))
	return Inet{ones, n.Bits}.Network().Addr
}

func filled(n int, b byte) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// Map combines the bytes of two addresses of one family.
func (n Inet) Map(other netip.Addr, combine func(a, b byte) byte) netip.Addr {
	a, b := n.Addr.AsSlice(), other.AsSlice()
	for i := range a {
		a[i] = combine(a[i], b[i])
	}
	out, _ := netip.AddrFromSlice(a)
	return out
}

// Plus is the address so many further. The error is an [*Error]: 22003 past the ends of the family.
func (n Inet) Plus(by *big.Int) (Inet, error) {
	sum := new(big.Int).Add(new(big.Int).SetBytes(n.Addr.AsSlice()), by)
	if sum.Sign() < 0 || sum.BitLen() > n.Width() {
		return Inet{}, errorf(pgerrcode.NumericValueOutOfRange, "result is out of range")
	}
	n.Addr, _ = netip.AddrFromSlice(sum.FillBytes(make([]byte, n.Width()/8)))
	return n, nil
}

// Minus is how many addresses lie between two. The error is an [*Error]: 22023 for different families, 22003 for more than an int8.
func (n Inet) Minus(other Inet) (int64, error) {
	if n.Width() != other.Width() {
		return 0, errorf(pgerrcode.InvalidParameterValue, "cannot subtract inet values of different sizes")
	}
	d := new(big.Int).Sub(new(big.Int).SetBytes(n.Addr.AsSlice()), new(big.Int).SetBytes(other.Addr.AsSlice()))
	if !d.IsInt64() {
		return 0, errorf(pgerrcode.NumericValueOutOfRange, "result is out of range")
	}
	return d.Int64(), nil
}

// The families of the binary form (utils/inet.h).
const (
	inetFamily4 = 2
	inetFamily6 = 3
)

// appendBinaryInet appends the form of inet_send and cidr_send.
func appendBinaryInet(dst []byte, oid OID, text string) []byte {
	n, err := ParseInet(oid, text)
	if err != nil {
		return dst // what the server itself printed
	}
	family, isCidr := byte(inetFamily4), byte(0)
	if n.Addr.Is6() {
		family = inetFamily6
	}
	if oid == CidrOID {
		isCidr = 1
	}
	b := n.Addr.AsSlice()
	return append(append(dst, family, byte(n.Bits), isCidr, byte(len(b))), b...)
}

// inet reads the form of inet_recv and cidr_recv.
func (r *binaryReader) inet(oid OID) (Datum, error) {
	head := r.take(4)
	family, bits, size := head[0], int(head[1]), int(head[3])
	if r.short {
		return Datum{}, nil
	}
	bad := func(what string) (Datum, error) {
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "invalid %s in external \"%s\" value", what, oid)
	}
	width := map[byte]int{inetFamily4: 4, inetFamily6: 16}[family]
	switch {
	case width == 0:
		return bad("address family")
	case bits > 8*width:
		return bad("bits")
	case size != width:
		return bad("length")
	}
	b := r.take(size)
	if r.short {
		return Datum{}, nil
	}
	n := Inet{Bits: bits}
	n.Addr, _ = netip.AddrFromSlice(b)
	if oid == CidrOID && n.Network() != n {
		return Datum{}, errorf(pgerrcode.InvalidBinaryRepresentation, "invalid external \"cidr\" value").withDetail("Value has bits set to right of mask.")
	}
	return TextDatum(string(n.Append(nil, oid))), nil
}

// macForms are the forms of a macaddr: six numbers, or twelve digits together, in halves or in thirds.
var macForms = []*regexp.Regexp{
	regexp.MustCompile(`^([[:xdigit:]]+):([[:xdigit:]]+):([[:xdigit:]]+):([[:xdigit:]]+):([[:xdigit:]]+):([[:xdigit:]]+)$`),
	regexp.MustCompile(`^([[:xdigit:]]+)-([[:xdigit:]]+)-([[:xdigit:]]+)-([[:xdigit:]]+)-([[:xdigit:]]+)-([[:xdigit:]]+)$`),
	regexp.MustCompile(`^([[:xdigit:]]{2})([[:xdigit:]]{2})([[:xdigit:]]{2})[:-]?([[:xdigit:]]{2})([[:xdigit:]]{2})([[:xdigit:]]{2})$`),
	regexp.MustCompile(`^([[:xdigit:]]{2})([[:xdigit:]]{2})\.([[:xdigit:]]{2})([[:xdigit:]]{2})\.([[:xdigit:]]{2})([[:xdigit:]]{2})$`),
	regexp.MustCompile(`^([[:xdigit:]]{2})([[:xdigit:]]{2})-([[:xdigit:]]{2})([[:xdigit:]]{2})-([[:xdigit:]]{2})([[:xdigit:]]{2})$`),
}

// mac8Form is that of a macaddr8: pairs of digits, between which one separator may stand.
var mac8Form = regexp.MustCompile(`^[[:xdigit:]]{2}([:.-]?[[:xdigit:]]{2}){5}(([:.-]?[[:xdigit:]]{2}){2})?$`)

// ParseMAC reads a macaddr, or a macaddr8, as its input function does. Six bytes of a macaddr8 have FF:FE between them.
func ParseMAC(oid OID, text string) ([]byte, error) {
	bad := errorf(pgerrcode.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", oid, text)
	trimmed := strings.Trim(text, spaces)
	if oid == MACAddr8OID {
		kinds, digits := 0, trimmed
		for _, separator := range []string{":", ".", "-"} {
			if strings.Contains(trimmed, separator) {
				kinds++
				digits = strings.ReplaceAll(digits, separator, "")
			}
		}
		if kinds > 1 || !mac8Form.MatchString(trimmed) {
			return nil, bad
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, bad
		}
		return eui64(b), nil
	}
	for _, form := range macForms {
		parts := form.FindStringSubmatch(trimmed)
		if parts == nil {
			continue
		}
		b := make([]byte, 6)
		for i, part := range parts[1:] {
			n, err := strconv.ParseUint(part, 16, 8)
			if err != nil {
				return nil, errorf(pgerrcode.NumericValueOutOfRange, "invalid octet value in \"macaddr\" value: \"%s\"", text)
			}
			b[i] = byte(n)
		}
		return b, nil
	}
	return nil, bad
}

// eui64 is a macaddr8 of six bytes or eight.
func eui64(b []byte) []byte {
	if len(b) == 8 {
		return b
	}
	return []byte{b[0], b[1], b[2], 0xff, 0xfe, b[3], b[4], b[5]}
}

// AppendMAC appends a macaddr or macaddr8 as it prints.
func AppendMAC(dst, b []byte) []byte {
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// appendBinaryMAC appends the form of macaddr_send and macaddr8_send, the bytes.
func appendBinaryMAC(dst []byte, oid OID, text string) []byte {
	b, err := ParseMAC(oid, text)
	if err != nil {
		return dst // what the server itself printed
	}
	return append(dst, b...)
}

// mac reads the form of macaddr_recv and macaddr8_recv, of which the latter takes six bytes too.
func (r *binaryReader) mac(oid OID) Datum {
	size := 6
	if oid == MACAddr8OID && len(r.rest) != size {
		size = 8
	}
	b := r.take(size)[:size]
	if oid == MACAddr8OID {
		b = eui64(b)
	}
	return TextDatum(string(AppendMAC(nil, b)))
}
