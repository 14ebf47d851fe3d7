package duckdb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// The functions that look something up in the catalog, by what they return. Their
// arguments are the number under which the statement has put the lookup, its
// integers and its texts.
const (
	lookupText = "fg_catalog_text"
	lookupInt  = "fg_catalog_int"
	lookupArgs = "(BIGINT, BIGINT, BIGINT, BIGINT, VARCHAR, VARCHAR, VARCHAR, VARCHAR) "
)

// lookups are those functions, over the registry of one instance.
func (r *registry) lookups() ([]*function, error) {
	text, err := parseFunction("="+lookupText+lookupArgs+"VARCHAR", func(c *call) error {
		result, err := r.lookUp(c)
		if err == nil && !result.Null {
			c.setText(result.Text)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	number, err := parseFunction("="+lookupInt+lookupArgs+"BIGINT", func(c *call) error {
		result, err := r.lookUp(c)
		if err == nil && !result.Null {
			c.setInt8(result.Int)
		}
		return err
	})
	return []*function{text, number}, err
}

// lookUp calls the lookup of a row. Its number is the same for all rows of a
// vector: it is a constant in the statement.
func (r *registry) lookUp(c *call) (sources.CatalogResult, error) {
	f, ok := c.memo.value.(sources.CatalogFunction)
	if !ok {
		if f = r.findLookup(c.int8(0)); f == nil {
			return sources.CatalogResult{}, fmt.Errorf("no catalog function %d", c.int8(0))
		}
		c.memo.value = f
	}
	var args sources.CatalogArgs
	for i := range args.Ints {
		args.Ints[i] = c.int8(1 + i)
	}
	for i := range args.Texts {
		args.Texts[i] = c.text(1 + len(args.Ints) + i)
	}
	return f(args)
}

// registerLookup puts a lookup into the registry while the statement runs.
func (p *printer) registerLookup(f sources.CatalogFunction) int64 {
	n := p.number()
	p.rows.addLookup(n, f)
	return n
}

// catalogCall prints a call that looks something up.
func (p *printer) catalogCall(e *planner.CatalogCall) printed {
	const none = "0"
	var args sources.CatalogArgs
	ints, texts := 0, 0
	list := []string{strconv.FormatInt(p.registerLookup(e.Function), 10)}
	for range args.Ints {
		list = append(list, none)
	}
	for range args.Texts {
		list = append(list, "''")
	}
	for _, arg := range e.Args {
		sql := p.expr(arg).sql
		if category, _ := postgres.CategoryOf(arg.Type().OID); category == postgres.StringCategory || arg.Type().OID == postgres.CStringOID {
			list[1+len(args.Ints)+texts] = sql
			texts++
			continue
		}
		list[1+ints] = "CAST(" + sql + " AS BIGINT)"
		ints++
	}
	call := "(" + strings.Join(list, ", ") + ")"
	if physical(e.T.OID) == "VARCHAR" {
		return printed{sql: lookupText + call}
	}
	return printed{sql: "CAST(" + lookupInt + call + " AS " + physical(e.T.OID) + ")"}
}
