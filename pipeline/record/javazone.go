package record

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// zoneAbbreviations are the short names that zzz reads: those that mean one zone everywhere, as Java's English has
// them. IST, BST and their like mean several, and do not match.
var zoneAbbreviations = map[string]string{
	"EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York",
	"CST": "America/Chicago", "CDT": "America/Chicago", "CT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
	"AKST": "America/Juneau", "AKDT": "America/Juneau", "HST": "Pacific/Honolulu",
	"AST": "America/Halifax", "ADT": "America/Halifax", "NST": "America/St_Johns", "NDT": "America/St_Johns",
	"BRT": "America/Sao_Paulo", "ART": "America/Argentina/Buenos_Aires", "COT": "America/Bogota", "PET": "America/Lima",
	"WET": "WET", "WEST": "WET", "CET": "Europe/Paris", "CEST": "Europe/Paris", "EET": "Europe/Bucharest", "EEST": "Europe/Bucharest",
	"MSK": "Europe/Moscow", "CAT": "Africa/Maputo", "EAT": "Africa/Nairobi", "SAST": "Africa/Johannesburg",
	"PKT": "Asia/Karachi", "HKT": "Asia/Hong_Kong", "SGT": "Asia/Singapore", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
	"AWST": "Australia/Perth", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "ACDT": "Australia/Adelaide",
	"NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
}

// utcZone is a zone written as its distance from UTC: UTC+1, GMT+01:30, +0100, Z.
var utcZone = regexp.MustCompile(`^(?:(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?|UTC|GMT|UT|Z)$`)

// zoneOf finds the zone that a pattern names after its @.
func zoneOf(name string) (*time.Location, bool) {
	if m := utcZone.FindStringSubmatch(name); m != nil {
		offset := 0
		for i, unit := range []int{3600, 60, 1} {
			n, _ := strconv.Atoi("0" + m[i+2]) // digits, by the expression
			if i > 0 && n > 59 {
				return nil, false
			}
			offset += n * unit
		}
		if m[1] == "-" {
			offset = -offset
		}
		return time.FixedZone(name, offset), offset >= -18*3600 && offset <= 18*3600
	}
	return regionOf(name)
}

// regionOf finds a zone of the zone database by its exact name, which is not every path to its file: Asia//Tokyo is none.
func regionOf(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+-") != "" || path.Clean(name) != name {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// zoneName reads a zone by its name (VV), or by its name or abbreviation (z), as the longest text that is one.
func (v *javaValues) zoneName(e *javaElement, text []byte, at int) (int, bool) {
	end := at
	for end < len(text) && isZoneByte(text[end]) {
		end++
	}
	word := string(text[at:end])
	for _, prefix := range []string{"UTC", "GMT", "UT", ""} {
		rest := at + len(prefix)
		if !strings.HasPrefix(word, prefix) || rest >= len(text) || text[rest] != '+' && text[rest] != '-' {
			continue
		}
		if seconds, end, ok := readOffset(text, rest, 2, 1, true); ok {
			v.zone = time.FixedZone("", int(seconds))
			return end, true
		}
	}
	for ; word != ""; word = word[:len(word)-1] {
		if loc, ok := v.zoneCalled(e, word); ok {
			v.zone = loc
			return at + len(word), true
		}
	}
	return at, false
}

func (v *javaValues) zoneCalled(e *javaElement, word string) (*time.Location, bool) {
	switch word {
	case "UTC", "GMT", "UT", "Z":
		return time.UTC, true
	}
	if region, ok := zoneAbbreviations[word]; ok && e.field == fieldZoneName {
		v.name = word
		return regionOf(region)
	}
	return regionOf(word)
}

func isZoneByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '/' || c == '+' || c == '-'
}

// localOffset is a zone's offset at a local time in seconds since 1970. A time that a change skips is taken by the
// offset before it, one that a change repeats by the offset of the name, else by the one before.
func localOffset(loc *time.Location, local int64, name string) int64 {
	if loc == time.UTC {
		return 0
	}
	earlier := time.Unix(local-secondsPerDay, 0).In(loc)
	_, before := earlier.Zone()
	_, change := earlier.ZoneBounds()
	if change.IsZero() {
		return int64(before)
	}
	abbreviation, after := change.Zone()
	boundary := change.Unix()
	isBefore, isAfter := local-int64(before) < boundary, local-int64(after) >= boundary
	if isAfter && (!isBefore || name != "" && name == abbreviation) {
		return int64(after)
	}
	return int64(before)
}
