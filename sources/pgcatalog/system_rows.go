package pgcatalog

import (
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// copyNull is NULL in a line of COPY.
const copyNull = `\N`

// copied adds the rows of a relation that are the same in every PostgreSQL 15.
func copied(b *builder) {
	columns := b.relation.columns
	row, escapes := make([]any, 2*len(columns)), copyEscapes()
	for line := range strings.Lines(systemRows[b.relation.schema+"."+b.relation.name]) {
		for i, field := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			row[2*i], row[2*i+1] = columns[i].name, copiedValue(b.relation.forms[i], escapes, field)
		}
		b.add(row...)
	}
}

// copyEscapes reads what COPY writes with a backslash.
func copyEscapes() *strings.Replacer {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r")
}

// copiedValue reads a field of a line of COPY. The generated lines have no lists.
func copiedValue(f form, escapes *strings.Replacer, field string) any {
	if field == copyNull {
		return nil
	}
	if f == integerForm {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			panic(err) // the lines are generated
		}
		return n
	}
	return escapes.Replace(field)
}

// implementation is what pg_proc says of a function beyond package postgres.
type implementation struct {
	language, support        int64
	cost, rows               float64
	leakproof                bool
	parallel, source, binary any // texts
	body, acl                any
}

// implementationsByOID are those that are not what most are.
func implementationsByOID() map[postgres.OID]implementation {
	all, escapes := map[postgres.OID]implementation{}, copyEscapes()
	for line := range strings.Lines(implementations) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		number := func(i int) int64 { n, _ := copiedValue(integerForm, escapes, fields[i]).(int64); return n }
		float := func(i int) float64 {
			n, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				panic(err) // the lines are generated
			}
			return n
		}
		text := func(i int) any { return copiedValue(textForm, escapes, fields[i]) }
		p := implementation{
			language: number(1), cost: float(2), rows: float(3), support: number(4), leakproof: number(5) != 0,
			parallel: text(6), source: text(7), binary: text(8), body: text(10),
		}
		if acl, ok := text(9).(string); ok {
			p.acl = strings.Split(strings.ReplaceAll(acl, "postgres", systemRole), " ")
		}
		all[postgres.OID(number(0))] = p
	}
	return all
}
