package profile

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"

	"github.com/fieldgate/fieldgate/schema"
)

// hashOf is the same for equal values of a kind, in every process.
func hashOf(v *schema.Value) uint64 {
	if v.Kind == schema.KindText || v.Kind == schema.KindJSON {
		return xxh3.Hash(v.Text)
	}
	return mix(wordOf(v))
}

// wordOf has the bits of a number or a bool; 0 of texts.
func wordOf(v *schema.Value) uint64 {
	if v.Kind == schema.KindNumber {
		return math.Float64bits(v.Num)
	}
	return uint64(v.Int)
}

// mix is the finalizer of MurmurHash3, with the constants of SplitMix64's.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func appendUint64(b []byte, x uint64) []byte { return binary.LittleEndian.AppendUint64(b, x) }

func readUint64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func appendUint32(b []byte, x uint32) []byte { return binary.LittleEndian.AppendUint32(b, x) }

func readUint32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
