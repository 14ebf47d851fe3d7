package pgcatalog

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// sizeFunctions tell what the lake's files of tables take.
func sizeFunctions() map[string]lookupFunc {
	table := sized(func(p *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error) {
		o, ok := p.state.names().byOID[args.Ints[0]]
		if !ok {
			return nullResult(), nil
		}
		total := int64(0)
		for _, sent := range o.sent {
			total += sizes[sent]
		}
		return intResult(total), nil
	})
	none := plain(func(p *pin, args sources.CatalogArgs) (sources.CatalogResult, error) {
		if _, ok := p.state.names().byOID[args.Ints[0]]; !ok {
			return nullResult(), nil
		}
		return intResult(0), nil
	})
	whole := func(sizes map[string]int64) sources.CatalogResult {
		total := int64(0)
		for _, size := range sizes {
			total += size
		}
		return intResult(total)
	}
	return map[string]lookupFunc{
		"pg_table_size(regclass)":          table,
		"pg_total_relation_size(regclass)": table,
		"pg_relation_size(regclass)":       table,
		"pg_indexes_size(regclass)":        none,
		"pg_tablespace_size(oid)": sized(func(_ *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error) {
			switch args.Ints[0] {
			case defaultTablespaceOID:
				return whole(sizes), nil
			case globalTablespaceOID:
				return intResult(0), nil
			}
			return nullResult(), nil
		}),
		"pg_tablespace_size(name)": sized(func(_ *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error) {
			switch args.Texts[0] {
			case "pg_default":
				return whole(sizes), nil
			case "pg_global":
				return intResult(0), nil
			}
			return nullResult(), &postgres.Error{Code: pgerrcode.UndefinedObject, Message: fmt.Sprintf("tablespace %q does not exist", args.Texts[0])}
		}),
		"pg_database_size(name)": sized(func(p *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error) {
			switch {
			case isTemplate(args.Texts[0]):
				return intResult(0), nil
			case args.Texts[0] != p.state.snapshot.Tenant:
				return nullResult(), noDatabase(args.Texts[0])
			}
			return whole(sizes), nil
		}),
		"pg_database_size(oid)": sized(func(p *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error) {
			switch {
			case args.Ints[0] == int64(databaseOID(p.state.snapshot.Tenant)):
				return whole(sizes), nil
			case hasRow("pg_database")(p, args.Ints[0]):
				return intResult(0), nil
			}
			return nullResult(), nil
		}),
	}
}

func noDatabase(name string) error {
	return &postgres.Error{Code: pgerrcode.InvalidCatalogName, Message: fmt.Sprintf("database %q does not exist", name)}
}

// sized reads the sizes of the tenant's metrics, by sent name, when the first
// call needs them.
func sized(f func(p *pin, sizes map[string]int64, args sources.CatalogArgs) (sources.CatalogResult, error)) lookupFunc {
	return func(ctx context.Context, p *pin) (sources.CatalogFunction, error) {
		read := sync.OnceValues(func() (map[string]int64, error) {
			sizes := map[string]int64{}
			if p.catalog.cfg.Files == nil {
				return sizes, nil
			}
			files, err := p.catalog.cfg.Files(ctx, p.state.snapshot.Tenant)
			for i := range files {
				sizes[files[i].Metric] += files[i].Bytes
			}
			return sizes, err
		})
		return func(args sources.CatalogArgs) (sources.CatalogResult, error) {
			sizes, err := read()
			if err != nil {
				return nullResult(), err
			}
			return f(p, sizes, args)
		}, nil
	}
}
