package duckdb

import (
	"math/big"
	"net/netip"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Values of inet, cidr, macaddr and macaddr8 are their own texts. MAC addresses order as those do; the others have a key.

func (c *call) inet(i int) (postgres.Inet, error) {
	return postgres.ParseInet(postgres.InetOID, c.text(i))
}

func (c *call) setInet(n postgres.Inet) {
	c.isSet, c.result.text = true, n.Append(c.result.text, postgres.InetOID)
}

func (c *call) setCidr(n postgres.Inet) {
	c.isSet, c.result.text = true, n.Append(c.result.text, postgres.CidrOID)
}

// ofInet uses the address that is argument 0.
func ofInet(use func(c *call, n postgres.Inet) error) func(c *call) error {
	return func(c *call) error {
		n, err := c.inet(0)
		if err == nil {
			err = use(c, n)
		}
		return err
	}
}

// ofInets uses two addresses.
func ofInets(use func(c *call, a, b postgres.Inet) error) func(c *call) error {
	return ofInet(func(c *call, a postgres.Inet) error {
		b, err := c.inet(1)
		if err == nil {
			err = use(c, a, b)
		}
		return err
	})
}

// inetBits combines two addresses of one size bit by bit.
func inetBits(verb string, combine func(a, b byte) byte) func(c *call) error {
	return ofInets(func(c *call, a, b postgres.Inet) error {
		if a.Width() != b.Width() {
			return errorf(pgerrcode.InvalidParameterValue, "cannot %s inet values of different sizes", verb)
		}
		c.setInet(postgres.Inet{Addr: a.Map(b.Addr, combine), Bits: max(a.Bits, b.Bits)})
		return nil
	})
}

// setMaskLength is set_masklen; a network loses the bits behind its length.
func setMaskLength(network bool) func(c *call) error {
	return ofInet(func(c *call, n postgres.Inet) error {
		bits := int(c.int4(1))
		if bits == -1 {
			bits = n.Width()
		}
		if bits < 0 || bits > n.Width() {
			return errorf(pgerrcode.InvalidParameterValue, "invalid mask length: %d", bits)
		}
		n.Bits = bits
		if network {
			c.setCidr(n.Network())
		} else {
			c.setInet(n)
		}
		return nil
	})
}

// mergeNetworks is inet_merge: the smallest network with both.
func mergeNetworks(c *call, a, b postgres.Inet) error {
	if a.Width() != b.Width() {
		return errorf(pgerrcode.InvalidParameterValue, "cannot merge addresses from different families")
	}
	n := postgres.Inet{Addr: a.Addr, Bits: min(a.Bits, b.Bits)}
	for !n.Contains(postgres.Inet{Addr: b.Addr, Bits: n.Bits}, false) {
		n.Bits--
	}
	c.setCidr(n.Network())
	return nil
}

// inetFunctions are those of inet and cidr.
func inetFunctions() definitions {
	address := func(get func(n postgres.Inet) netip.Addr) func(c *call) error {
		return ofInet(func(c *call, n postgres.Inet) error {
			c.setInet(postgres.Inet{Addr: get(n), Bits: n.Width()})
			return nil
		})
	}
	contains := func(strictly, either bool) func(c *call) error {
		return ofInets(func(c *call, a, b postgres.Inet) error {
			c.setBool(a.Contains(b, strictly) || either && b.Contains(a, strictly))
			return nil
		})
	}
	plus := func(sign int64) func(c *call) error {
		return ofInet(func(c *call, n postgres.Inet) error {
			sum, err := n.Plus(new(big.Int).Mul(big.NewInt(sign), big.NewInt(c.int8(1))))
			if err == nil {
				c.setInet(sum)
			}
			return err
		})
	}
	return definitions{
		"fg_inet_key(VARCHAR) VARCHAR":    ofInet(func(c *call, n postgres.Inet) error { c.setText(n.Key()); return nil }),
		"fg_inet_show(VARCHAR) VARCHAR":   ofInet(func(c *call, n postgres.Inet) error { c.setCidr(n); return nil }),
		"fg_inet_host(VARCHAR) VARCHAR":   ofInet(func(c *call, n postgres.Inet) error { c.setText(n.Host()); return nil }),
		"fg_inet_abbrev(VARCHAR) VARCHAR": ofInet(func(c *call, n postgres.Inet) error { c.setInet(n); return nil }),
		"fg_cidr_abbrev(VARCHAR) VARCHAR": ofInet(func(c *call, n postgres.Inet) error {
			if n.Addr.Is6() {
				return unsupported("abbrev of a network of IPv6")
			}
			c.setText(n.Abbreviated(postgres.CidrOID))
			return nil
		}),
		"fg_inet_network(VARCHAR) VARCHAR": ofInet(func(c *call, n postgres.Inet) error { c.setCidr(n.Network()); return nil }),
		"fg_inet_bits(VARCHAR) INTEGER":    ofInet(func(c *call, n postgres.Inet) error { c.setInt4(int32(n.Bits)); return nil }),
		"fg_inet_family(VARCHAR) INTEGER": ofInet(func(c *call, n postgres.Inet) error {
			family := int32(4)
			if n.Addr.Is6() {
				family = 6
			}
			c.setInt4(family)
			return nil
		}),
		"fg_inet_netmask(VARCHAR) VARCHAR": address(postgres.Inet.Mask),
		"fg_inet_hostmask(VARCHAR) VARCHAR": address(func(n postgres.Inet) netip.Addr {
			return postgres.Inet{Addr: n.Mask()}.Map(n.Mask(), func(a, _ byte) byte { return ^a })
		}),
		"fg_inet_broadcast(VARCHAR) VARCHAR": ofInet(func(c *call, n postgres.Inet) error {
			c.setInet(postgres.Inet{Addr: n.Map(n.Mask(), func(a, m byte) byte { return a | ^m }), Bits: n.Bits})
			return nil
		}),
		"fg_inet_set_bits(VARCHAR, INTEGER) VARCHAR": setMaskLength(false),
		"fg_cidr_set_bits(VARCHAR, INTEGER) VARCHAR": setMaskLength(true),
		"fg_inet_contains(VARCHAR, VARCHAR) BOOLEAN": contains(true, false),
		"fg_inet_covers(VARCHAR, VARCHAR) BOOLEAN":   contains(false, false),
		"fg_inet_overlaps(VARCHAR, VARCHAR) BOOLEAN": contains(false, true),
		"fg_inet_not(VARCHAR) VARCHAR": ofInet(func(c *call, n postgres.Inet) error {
			c.setInet(postgres.Inet{Addr: n.Map(n.Addr, func(a, _ byte) byte { return ^a }), Bits: n.Bits})
			return nil
		}),
		"fg_inet_and(VARCHAR, VARCHAR) VARCHAR":  inetBits("AND", func(a, b byte) byte { return a & b }),
		"fg_inet_or(VARCHAR, VARCHAR) VARCHAR":   inetBits("OR", func(a, b byte) byte { return a | b }),
		"fg_inet_plus(VARCHAR, BIGINT) VARCHAR":  plus(1),
		"fg_inet_minus(VARCHAR, BIGINT) VARCHAR": plus(-1),
		"fg_inet_distance(VARCHAR, VARCHAR) BIGINT": ofInets(func(c *call, a, b postgres.Inet) error {
			n, err := a.Minus(b)
			c.setInt8(n)
			return err
		}),
		"fg_inet_same_family(VARCHAR, VARCHAR) BOOLEAN": ofInets(func(c *call, a, b postgres.Inet) error {
			c.setBool(a.Width() == b.Width())
			return nil
		}),
		"fg_inet_merge(VARCHAR, VARCHAR) VARCHAR": ofInets(mergeNetworks),
	}
}

// macFunctions are those of macaddr and macaddr8.
func macFunctions() definitions {
	use := func(oid postgres.OID, change func(b []byte) ([]byte, error)) func(c *call) error {
		return func(c *call) error {
			b, err := postgres.ParseMAC(oid, c.text(0))
			if err == nil {
				b, err = change(b)
			}
			if err == nil {
				c.setBytes(postgres.AppendMAC(nil, b))
			}
			return err
		}
	}
	bits := func(combine func(a, b byte) byte) func(c *call) error {
		return func(c *call) error {
			oid := postgres.MACAddrOID
			if len(c.text(0)) > len("00:00:00:00:00:00") {
				oid = postgres.MACAddr8OID
			}
			other, err := postgres.ParseMAC(oid, c.text(1))
			if err != nil {
				return err
			}
			return use(oid, func(b []byte) ([]byte, error) {
				for i := range b {
					b[i] = combine(b[i], other[i])
				}
				return b, nil
			})(c)
		}
	}
	return definitions{
		"fg_mac_and(VARCHAR, VARCHAR) VARCHAR": bits(func(a, b byte) byte { return a & b }),
		"fg_mac_or(VARCHAR, VARCHAR) VARCHAR":  bits(func(a, b byte) byte { return a | b }),
		"fg_mac_not(VARCHAR, VARCHAR) VARCHAR": bits(func(a, _ byte) byte { return ^a }),
		"fg_macaddr_trunc(VARCHAR) VARCHAR": use(postgres.MACAddrOID, func(b []byte) ([]byte, error) {
			return append(b[:3], 0, 0, 0), nil
		}),
		"fg_macaddr8_trunc(VARCHAR) VARCHAR": use(postgres.MACAddr8OID, func(b []byte) ([]byte, error) {
			return append(b[:3], 0, 0, 0, 0, 0), nil
		}),
		"fg_macaddr8_set7bit(VARCHAR) VARCHAR": use(postgres.MACAddr8OID, func(b []byte) ([]byte, error) {
			b[0] |= 2
			return b, nil
		}),
		"fg_macaddr_of(VARCHAR) VARCHAR": use(postgres.MACAddr8OID, func(b []byte) ([]byte, error) {
			if b[3] != 0xff || b[4] != 0xfe {
				e := errorf(pgerrcode.NumericValueOutOfRange, "macaddr8 data out of range to convert to macaddr")
				e.Hint = "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr."
				return nil, e
			}
			return append(b[:3], b[5:]...), nil
		}),
	}
}
