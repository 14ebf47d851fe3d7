package dynamodb

import (
	"context"
	"errors"
	"fmt"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// absentDocument says of which times the lake may hold rows of a dataset that
// nearline does not: what the lake had before nearline's first row, and late rows
// that were let go of. Weeks that were dropped are in the registry.
type absentDocument struct {
	Format int             `json:"format"`
	Times  sources.TimeSet `json:"times"`
}

// meet makes the document of a dataset before its first row is written.
func (t *Tables) meet(ctx context.Context, ds schema.Dataset, key string) error {
	if t.noted.isMet(key) {
		return nil
	}
	_, version, err := t.absent(ctx, key)
	if err != nil {
		return err
	}
	if version == 0 {
		a := absentDocument{Format: registryFormat}
		if t.cfg.Known != nil {
			held, err := t.cfg.Known.Held(ctx, ds)
			if err != nil {
				return fmt.Errorf("ask for the times of %s in the lake: %w", ds.Metric, err)
			}
			a.Times.Add(held...)
		}
		if _, err := t.saveDocument(ctx, absentKey(key), a, 0); err != nil && !errors.Is(err, errRaced) {
			return fmt.Errorf("note absent times of %s: %w", ds.Metric, err)
		}
	}
	t.noted.meet(key)
	return nil
}

// absent reads the document of a dataset; version 0: nothing was ever written.
func (t *Tables) absent(ctx context.Context, key string) (a absentDocument, version uint64, err error) {
	version, err = t.loadDocument(ctx, absentKey(key), &a)
	if err == nil && version > 0 && a.Format != registryFormat {
		err = fmt.Errorf("format %d, of which this version knows only %d", a.Format, registryFormat)
	}
	if err != nil {
		return a, 0, fmt.Errorf("read absent times of %s: %w", key, err)
	}
	return a, version, nil
}

// lose notes that rows of these times are in the lake alone from now on.
func (t *Tables) lose(ctx context.Context, key string, times ...sources.Bounds) error {
	for {
		a, version, err := t.absent(ctx, key)
		if err != nil {
			return err
		}
		a.Format = registryFormat
		a.Times.Add(times...)
		_, err = t.saveDocument(ctx, absentKey(key), a, version)
		if !errors.Is(err, errRaced) {
			return err
		}
	}
}
