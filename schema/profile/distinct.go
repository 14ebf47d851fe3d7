package profile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// distinct estimates how many different hashes it was given. Up to exactHashes
// they are kept and the answer is exact. Beyond, it is an ExaLogLog sketch (Ertl,
// "ExaLogLog: Space-Efficient and Practical Approximate Distinct Counting up to
// the Exa-Scale", 2024) with t = 2, d = 20 and 2^10 registers of 28 bits: 3,584
// bytes and a standard error of 1.13 %, where HyperLogLog's 4,096 bytes have 1.6 %.
// It does not depend on order, and sketches merge.
type distinct struct {
	// hashes is an open-addressed table; 0 is an empty place.
	hashes []uint64
	held   int
	// registers has two registers in each 7 bytes; nil while hashes are kept.
	registers []byte
}

const (
	exactHashes = 192
	minTable    = 8

	sketchBits    = 10 // p
	sketchSize    = 1 << sketchBits
	sketchT       = 2
	sketchD       = 20
	registerBits  = 8 + sketchD
	sketchBytes   = sketchSize * registerBits / 8
	registerMask  = 1<<registerBits - 1
	windowMask    = 1<<sketchD - 1
	levels        = 64 - sketchBits - sketchT
	maxUpdate     = (levels + 1) << sketchT
	maxExponent   = 64 - sketchBits
	bisections    = 100
	bisectionBase = 1e-9
)

// add takes a hash; 0, which is that of the integer 0, counts as 1 before and after
// hashes are given up.
func (d *distinct) add(h uint64) {
	if h == 0 {
		h = 1
	}
	if d.registers != nil {
		d.update(h)
		return
	}
	if 2*d.held >= len(d.hashes) {
		d.grow()
	}
	mask := uint64(len(d.hashes) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch d.hashes[i] {
		case h:
			return
		case 0:
			d.hashes[i] = h
			d.held++
			if d.held > exactHashes {
				d.condense()
			}
			return
		}
	}
}

func (d *distinct) grow() {
	old := d.hashes
	d.hashes, d.held = make([]uint64, max(minTable, 2*len(old))), 0
	for _, h := range old {
		if h != 0 {
			d.add(h)
		}
	}
}

// condense gives up the hashes for the sketch.
func (d *distinct) condense() {
	d.registers = make([]byte, sketchBytes)
	for _, h := range d.hashes {
		if h != 0 {
			d.update(h)
		}
	}
	d.hashes, d.held = nil, 0
}

// update enters a hash into its register: the greatest update value in the high
// bits, and which of the 20 below it have occurred in the low ones.
func (d *distinct) update(h uint64) {
	i := int(h>>sketchT) & (sketchSize - 1)
	zeros := bits.LeadingZeros64(h | (1<<(sketchBits+sketchT) - 1))
	k := uint32(zeros)<<sketchT | uint32(h)&(1<<sketchT-1)
	k++
	r := d.register(i)
	u := r >> sketchD
	switch {
	case k > u:
		window := r&windowMask | 1<<sketchD
		if delta := k - u; delta <= sketchD {
			window >>= delta
		} else {
			window = 0
		}
		d.set(i, k<<sketchD|window)
	case k < u && u-k <= sketchD:
		if next := r | 1<<(sketchD-(u-k)); next != r {
			d.set(i, next)
		}
	}
}

// register reads one of 28 bits: it begins at a byte or in the middle of one.
func (d *distinct) register(i int) uint32 {
	return readUint32(d.registers[i*registerBits/8:]) >> (i % 2 * 4) & registerMask
}

func (d *distinct) set(i int, r uint32) {
	place, shift := d.registers[i*registerBits/8:], i%2*4
	binary.LittleEndian.PutUint32(place, readUint32(place)&^(registerMask<<shift)|r<<shift)
}

// merge takes what another was given as well.
func (d *distinct) merge(o *distinct) {
	for _, h := range o.hashes {
		if h != 0 {
			d.add(h)
		}
	}
	if o.registers == nil {
		return
	}
	if d.registers == nil {
		d.condense()
	}
	for i := range sketchSize {
		d.set(i, joinRegisters(d.register(i), o.register(i)))
	}
}

// joinRegisters is the register that both sets of hashes together would give.
func joinRegisters(a, b uint32) uint32 {
	if a>>sketchD < b>>sketchD {
		a, b = b, a
	}
	if b == 0 {
		return a
	}
	window := b&windowMask | 1<<sketchD
	if delta := a>>sketchD - b>>sketchD; delta <= sketchD {
		return a | window>>delta&windowMask
	}
	return a
}

// exponent says that an update value comes with probability 2^-exponent.
func exponent(k uint32) int {
	return min(sketchT+1+int(k-1)>>sketchT, maxExponent)
}

// estimate is how many different hashes there were: exact while they are kept,
// and else the count under which the registers are most likely.
func (d *distinct) estimate() int64 {
	if d.registers == nil {
		return int64(d.held)
	}
	// Under n hashes in m registers, a register has seen an update value of
	// probability q with probability 1 - exp(-q n/m). missed sums q over the values
	// that were not seen, seen counts those that were by exponent.
	var seen [maxExponent + 1]float64
	missed := 0.0
	for i := range sketchSize {
		r := d.register(i)
		u := r >> sketchD
		for k := u + 1; k <= maxUpdate; k++ {
			missed += math.Ldexp(1, -exponent(k))
		}
		if u == 0 {
			continue
		}
		seen[exponent(u)]++
		for below := uint32(1); below <= sketchD && below < u; below++ {
			if r>>(sketchD-below)&1 != 0 {
				seen[exponent(u-below)]++
			} else {
				missed += math.Ldexp(1, -exponent(u-below))
			}
		}
	}
	slope := func(x float64) float64 { // of the likelihood's logarithm, falling in x
		s := -missed
		for e, n := range seen {
			if n > 0 {
				q := math.Ldexp(1, -e)
				s += n * q / math.Expm1(x*q)
			}
		}
		return s
	}
	low, high := math.Log(bisectionBase), math.Log(math.Exp2(maxExponent))
	for range bisections {
		if mid := (low + high) / 2; slope(math.Exp(mid)) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return int64(math.Round(sketchSize * math.Exp(low)))
}

// bytes is what the sketch takes.
func (d *distinct) bytes() int { return 8*len(d.hashes) + len(d.registers) }

// marshal writes the hashes, 8 bytes each in order of their places, or the registers.
func (d *distinct) marshal() []byte {
	if d.registers != nil {
		return append([]byte(nil), d.registers...)
	}
	out := make([]byte, 0, 8*d.held)
	for _, h := range d.hashes {
		if h != 0 {
			out = appendUint64(out, h)
		}
	}
	return out
}

func unmarshalDistinct(data []byte) (d distinct, err error) {
	switch {
	case len(data) == sketchBytes:
		d.registers = append([]byte(nil), data...)
	case len(data)%8 == 0 && len(data) <= 8*exactHashes:
		for ; len(data) > 0; data = data[8:] {
			d.add(readUint64(data))
		}
	default:
		err = fmt.Errorf("sketch of %d bytes", len(data))
	}
	return d, err
}
