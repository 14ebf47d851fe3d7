package planner

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// systemColumns are the hidden columns that PostgreSQL gives every table, with what
// they hold here: rows that were there before every transaction and that none
// changes. The value of tableoid is the table's number.
var systemColumns = map[string]Const{
	"tableoid": {T: plainType(postgres.OIDOID)},
	"xmin":     {T: plainType(postgres.XIDOID), Value: postgres.IntDatum(frozenTransaction)},
	"xmax":     {T: plainType(postgres.XIDOID), Value: postgres.IntDatum(0)},
	"cmin":     {T: plainType(postgres.CIDOID), Value: postgres.IntDatum(0)},
	"cmax":     {T: plainType(postgres.CIDOID), Value: postgres.IntDatum(0)},
}

// ctid is the system column that has no value here: rows move from memory to files and
// from file to file, so none has a place by which it could be found again.
const ctid = "ctid"

// frozenTransaction is the number that PostgreSQL gives to what is older than all
// transactions (FrozenTransactionId).
const frozenTransaction = 2

// systemColumn is a system column of an item that is a table; nil: it has none of
// that name. It is NULL where an outer join has no row of the table. A metric that
// nobody declared has its fields as columns, and those come before it: devices send
// the corners of a box as xmin and xmax.
func (b *binder) systemColumn(it *item, name string, at int32) (Expr, error) {
	value, ok := systemColumns[name]
	oid, isTable := it.table()
	if !ok && name != ctid || !isTable || len(it.columns) == 0 {
		return nil, nil
	}
	if name == "tableoid" {
		value.Value = postgres.IntDatum(int64(oid))
	}
	if it.metric != nil && it.metric.metric == nil {
		if sent, err := beyondIn(it, name); err != nil || len(sent) > 0 {
			if err != nil {
				return nil, err
			}
			return b.only(sent, name, nowhere)
		}
	}
	if name == ctid {
		return nil, unsupported(at, "the system column ctid")
	}
	value.at = nowhere
	// The first column of a table of the catalog is never NULL, nor is a timestamp.
	first, err := b.column(it, 0)
	if err != nil {
		return nil, err
	}
	return &Case{T: value.T, Whens: []When{{Cond: &IsNull{Arg: first, Not: true}, Result: &value}}}, nil
}

// table is the number of the table that an item is.
func (it *item) table() (oid uint32, ok bool) {
	switch r := it.relation.(type) {
	case *CatalogScan:
		return r.Relation.OID(), r.Relation.IsTable()
	case *MetricScan:
		return r.OID, true
	}
	return 0, false
}

// unqualifiedSystemColumn finds a system column among the items of the innermost
// scope that has it; nil: none has.
func (b *binder) unqualifiedSystemColumn(sc *scope, name string, at int32) (Expr, error) {
	if _, ok := systemColumns[name]; !ok && name != ctid {
		return nil, nil
	}
	for s := sc; s != nil; s = s.outer {
		var found Expr
		for _, it := range s.items {
			if !it.nameVisible || !it.reachable(s) {
				continue
			}
			e, err := b.systemColumn(it, name, at)
			if err != nil {
				return nil, err
			}
			if e != nil && found != nil {
				return nil, errorAt(at, pgerrcode.AmbiguousColumn, "column reference %q is ambiguous", name)
			}
			if e != nil {
				found = e
			}
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}
