package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// signalFunctions stop what other sessions do.
func signalFunctions() map[string]lookupFunc {
	signal := func(end bool) lookupFunc {
		return func(ctx context.Context, p *pin) (sources.CatalogFunction, error) {
			return func(args sources.CatalogArgs) (sources.CatalogResult, error) {
				if p.view.Signal == nil {
					return boolResult(false), nil
				}
				found, err := p.view.Signal(ctx, int32(args.Ints[0]), end)
				return boolResult(found), err
			}, nil
		}
	}
	return map[string]lookupFunc{
		"pg_cancel_backend(integer)":            signal(false),
		"pg_terminate_backend(integer, bigint)": signal(true),
	}
}
