package pgcatalog

import (
	"fmt"
	"strconv"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// builder makes the rows of one relation.
type builder struct {
	relation *relation
	rows     [][]any
}

// add appends a row, given as names and values. A column that is not named is
// NULL, or what PostgreSQL has for "none" if it cannot be: 0, false, empty.
func (b *builder) add(namesAndValues ...any) {
	columns := b.relation.columns
	row := make([]any, len(columns))
	for i := range columns {
		if columns[i].notNull {
			row[i] = none(columns[i].typeOID)
		}
	}
	for i := 0; i < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		place, ok := b.relation.places[name]
		if !ok {
			panic(fmt.Sprintf("relation %s has no column %v", b.relation.name, namesAndValues[i]))
		}
		row[place] = value(namesAndValues[i+1])
	}
	b.rows = append(b.rows, row)
}

// none is the value of a column that has none but must not be NULL.
func none(oid postgres.OID) any {
	switch oid {
	case postgres.BoolOID:
		return false
	case postgres.Float4OID, postgres.Float8OID:
		return float64(0)
	case postgres.Int2VectorOID, postgres.OIDVectorOID:
		return []int64{}
	case postgres.TextOID, postgres.NameOID, postgres.CharOID, postgres.PgNodeTreeOID:
		return ""
	case postgres.ByteaOID, postgres.TimestampTZOID:
		return nil
	}
	return int64(0)
}

// value is v as one of the types that sources.CatalogRelation allows.
func value(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case postgres.OID:
		return int64(v)
	case byte:
		if v == 0 {
			return ""
		}
		return string(rune(v))
	}
	return v
}

// oids is a list of object identifiers as a value.
func oids(list []postgres.OID) []int64 {
	out := make([]int64, len(list))
	for i, oid := range list {
		out[i] = int64(oid)
	}
	return out
}

// procOID finds a support function by its name; 0 if that is empty.
func procOID(name string) postgres.OID {
	if procs := postgres.ProcsByName(name); len(procs) > 0 {
		return procs[0].OID
	}
	return 0
}

func decimal(n int) string { return strconv.Itoa(n) }

func yesOrNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}
