package suggest

import (
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/profile"
)

// readable is the share of values that a type must read to be the best one.
const readable = 0.98

// textTypes are the types that texts are read as, the first that reads them.
var textTypes = []string{"bigint", "double precision", "numeric", "boolean", "uuid", "timestamptz", "date", "time", "interval", "jsonb"}

// bestType is the type that reads nearly all values of a field, and loses least.
func bestType(f *profile.Field) schema.Type {
	total, casts := int64(0), map[string]int64{}
	var kinds []schema.Kind
	for i := range f.Kinds {
		k := &f.Kinds[i]
		total += k.Events
		kinds = append(kinds, k.Kind)
		for t, n := range k.Castable() {
			casts[t] += n
		}
	}
	reads := func(name string) bool { return float64(casts[name]) >= readable*float64(total) }
	only := func(list ...schema.Kind) bool {
		return !slices.ContainsFunc(kinds, func(k schema.Kind) bool { return !slices.Contains(list, k) })
	}
	switch {
	case only(schema.KindInt):
		return schema.Type{Name: "bigint"}
	case only(schema.KindInt, schema.KindNumber):
		return schema.Type{Name: "double precision"}
	case only(schema.KindBool):
		return schema.Type{Name: "boolean"}
	case slices.Contains(kinds, schema.KindJSON):
		return schema.Type{Name: "jsonb"}
	}
	for _, name := range textTypes {
		if reads(name) && suits(f, name) {
			if name == "timestamptz" && reads("date") && onlyDates(f) {
				name = "date"
			}
			return schema.Type{Name: name}
		}
	}
	return schema.Type{Name: "text"}
}

// suits says that texts lose nothing that they seem to mean as a type: 007 is no
// number, digits alone are no time, and jsonb is for texts that begin as documents do.
func suits(f *profile.Field, name string) bool {
	if name == "bigint" && f.Kind(schema.KindNumber) != nil {
		return false // it would be rounded
	}
	k := f.Kind(schema.KindText)
	if k == nil {
		return true
	}
	switch name {
	case "bigint", "double precision", "numeric":
		return len(k.Min) < 2 || k.Min[0] != '0' || k.Min[1] < '0' || k.Min[1] > '9'
	case "timestamptz", "date", "time", "interval":
		return strings.Trim(k.Min, "0123456789") != ""
	case "jsonb":
		return k.Min != "" && (k.Min[0] == '{' || k.Min[0] == '[')
	}
	return true
}

func onlyDates(f *profile.Field) bool {
	const form = len("2006-01-02")
	k := f.Kind(schema.KindText)
	return k != nil && len(k.Min) == form && len(k.Max) == form
}
