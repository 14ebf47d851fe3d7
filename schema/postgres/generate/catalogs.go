package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// typesQuery leaves out what belongs to a relation outside pg_catalog: the row types of information_schema's views and
// the toast tables'. A regproc that is none reads as '-'.
const typesQuery = `
select t.oid, typname::text, case nspname when 'pg_catalog' then '' else nspname::text end, typlen, typbyval, typalign::text, typstorage::text,
       typtype::text, typcategory::text, typispreferred, typdelim::text, typelem, typarray, typbasetype, typtypmod, typnotnull, typcollation,
       array(select case p when '-' then '' else p end from unnest(array[typinput::text, typoutput::text, typreceive::text, typsend::text,
             typmodin::text, typmodout::text, typanalyze::text, typsubscript::text]) with ordinality as u(p, n) order by n)
from pg_type t join pg_namespace n on n.oid = typnamespace
where nspname = 'pg_catalog'
   or nspname = 'information_schema' and (typtype = 'd' or exists (select from pg_type e where e.oid = t.typelem and e.typtype = 'd'))
order by t.oid`

type typeRow struct {
	OID                       uint32
	Name, Namespace           string
	Len                       int16
	ByVal                     bool
	Align, Storage, Kind, Cat string
	Preferred                 bool
	Delim                     string
	Elem, Array, Base         uint32
	BaseTypmod                int32
	NotNull                   bool
	Collation                 uint32
	Procs                     []string
}

func writeTypes(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	err := writeRows(ctx, conn, buf, "typeTable", "Type", typesQuery, func(buf *bytes.Buffer, r typeRow) {
		fmt.Fprintf(buf, "{%d, %q, %q, Layout{%d, %t, %q, %q}, %q, %q, %t, %q, %d, %d, %d, %d, %t, %d, TypeProcs{",
			r.OID, r.Name, r.Namespace, r.Len, r.ByVal, r.Align[0], r.Storage[0], r.Kind[0], r.Cat[0], r.Preferred, r.Delim[0],
			r.Elem, r.Array, r.Base, r.BaseTypmod, r.NotNull, r.Collation)
		writeStrings(buf, r.Procs)
		buf.WriteString("}}")
	})
	if err != nil {
		return err
	}
	type rangeRow struct{ Type, Subtype, Multirange uint32 }
	err = writeRows(ctx, conn, buf, "rangeTable", "Range", `select rngtypid, rngsubtype, rngmultitypid from pg_range order by 1`,
		func(buf *bytes.Buffer, r rangeRow) { fmt.Fprintf(buf, "{%d, %d, %d}", r.Type, r.Subtype, r.Multirange) })
	if err != nil {
		return err
	}
	for _, method := range []string{"btree", "hash"} {
		err := writeRows(ctx, conn, buf, method+"Table", "OID",
			`select opcintype from pg_opclass c join pg_am m on m.oid = opcmethod where opcdefault and amname = '`+method+`' order by 1`,
			func(buf *bytes.Buffer, r struct{ Type uint32 }) { fmt.Fprintf(buf, "%d", r.Type) })
		if err != nil {
			return err
		}
	}
	return nil
}

func writeCasts(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	type castRow struct {
		OID, Source, Target, Func uint32
		Context, Method           string
	}
	contexts := map[string]string{"i": "Implicit", "a": "Assignment", "e": "Explicit"}
	return writeRows(ctx, conn, buf, "castTable", "Cast",
		`select oid, castsource, casttarget, castfunc, castcontext::text, castmethod::text from pg_cast order by castsource, casttarget`,
		func(buf *bytes.Buffer, r castRow) {
			fmt.Fprintf(buf, "{%d, %d, %d, %d, %s, %q}", r.OID, r.Source, r.Target, r.Func, contexts[r.Context], r.Method[0])
		})
}

func writeOperators(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	type operatorRow struct {
		OID                           uint32
		Name, Kind                    string
		Left, Right, Result, Com, Neg uint32
		Code                          uint32
		Merges, Hashes                bool
	}
	return writeRows(ctx, conn, buf, "operatorTable", "Operator", `
select oid, oprname::text, oprkind::text, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode::oid, oprcanmerge, oprcanhash
from pg_operator where oprnamespace = 'pg_catalog'::regnamespace order by oid`,
		func(buf *bytes.Buffer, r operatorRow) {
			fmt.Fprintf(buf, "{%d, %q, %q, %d, %d, %d, %d, %d, %d, %t, %t}", r.OID, r.Name, r.Kind[0], r.Left, r.Right, r.Result, r.Com, r.Neg, r.Code,
				r.Merges, r.Hashes)
		})
}

// procsQuery unnests the defaults by asking for each one: the stored form is one expression list.
const procsQuery = `
select oid, proname::text, prokind::text, provolatile::text, proisstrict, proretset, prorettype, proargtypes::oid[], provariadic,
       coalesce(proallargtypes, '{}'), coalesce(array_to_string(proargmodes, ''), ''), coalesce(proargnames, '{}'),
       array(select pg_get_function_arg_default(oid, n) from generate_series(1, coalesce(cardinality(proallargtypes), pronargs)) n
             where pg_get_function_arg_default(oid, n) is not null order by n),
       coalesce(obj_description(oid, 'pg_proc'), '')
from pg_proc where pronamespace = 'pg_catalog'::regnamespace order by oid`

type procRow struct {
	OID                    uint32
	Name, Kind, Volatility string
	Strict, ReturnsSet     bool
	Ret                    uint32
	Args                   []uint32
	Variadic               uint32
	AllArgs                []uint32
	Modes                  string
	Names, Defaults        []string
	Description            string
}

func writeProcs(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	return writeRows(ctx, conn, buf, "procTable", "Proc", procsQuery, func(buf *bytes.Buffer, r procRow) {
		fmt.Fprintf(buf, "{%d, %q, %q, %q, %t, %t, %d, ", r.OID, r.Name, r.Kind[0], r.Volatility[0], r.Strict, r.ReturnsSet, r.Ret)
		writeOIDs(buf, r.Args)
		if r.Variadic == 0 && len(r.AllArgs) == 0 && len(r.Names) == 0 && len(r.Defaults) == 0 {
			buf.WriteString(", nil, ")
		} else {
			fmt.Fprintf(buf, ", &Signature{%d, ", r.Variadic)
			writeOIDs(buf, r.AllArgs)
			fmt.Fprintf(buf, ", %q, ", r.Modes)
			for _, list := range [][]string{r.Names, r.Defaults} {
				if len(list) == 0 {
					buf.WriteString("nil, ")
					continue
				}
				buf.WriteString("[]string{")
				writeStrings(buf, list)
				buf.WriteString("}, ")
			}
			buf.WriteString("}, ")
		}
		fmt.Fprintf(buf, "%q}", r.Description)
	})
}

func writeAggregates(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	type aggregateRow struct {
		Proc       uint32
		Kind       string
		DirectArgs int16
	}
	return writeRows(ctx, conn, buf, "aggregateTable", "Aggregate",
		`select aggfnoid::oid, aggkind::text, aggnumdirectargs from pg_aggregate order by 1`,
		func(buf *bytes.Buffer, r aggregateRow) {
			fmt.Fprintf(buf, "{%d, %q, %d}", r.Proc, r.Kind[0], r.DirectArgs)
		})
}

func writeOIDs(buf *bytes.Buffer, list []uint32) {
	if len(list) == 0 {
		buf.WriteString("nil")
		return
	}
	buf.WriteString("oids{")
	for i, oid := range list {
		if i > 0 {
			buf.WriteString(", ")
		}
		fmt.Fprintf(buf, "%d", oid)
	}
	buf.WriteString("}")
}

func writeStrings(buf *bytes.Buffer, list []string) {
	for i, s := range list {
		if i > 0 {
			buf.WriteString(", ")
		}
		fmt.Fprintf(buf, "%q", s)
	}
}
