package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldgate/fieldgate/pipeline"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/webhook"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// newCatalog wires the computed relations to what they tell of.
func (s *server) newCatalog() (*pgcatalog.Catalog, error) {
	return pgcatalog.New(pgcatalog.Config{
		Users: s.catalogUsers, Observed: s.learned.observed, Profiles: s.learned.profiles, Files: s.catalogFiles, Lags: s.catalogLags,
		History: s.schemas.History, Suggestions: s.learned.advisor.List, Webhook: s.catalogWebhook,
	})
}

func (s *server) catalogWebhook(ctx context.Context, tenant string) (*pgcatalog.Webhook, error) {
	hook, err := s.learned.hooks.Get(ctx, tenant)
	if errors.Is(err, webhook.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &pgcatalog.Webhook{
		URL: hook.URL, Signed: hook.Secret != "", SetBy: hook.SetBy, SetAt: hook.SetAt, DeliveredAt: hook.DeliveredAt, Error: hook.Error,
	}, nil
}

func (s *server) catalogUsers(ctx context.Context, tenant string) ([]pgcatalog.User, error) {
	roles, err := s.admin.roles.Users(ctx, tenant)
	if err != nil {
		return nil, err
	}
	users := make([]pgcatalog.User, 0, len(roles))
	for _, r := range roles {
		users = append(users, pgcatalog.User{Name: r.User, Owner: r.Owner})
	}
	return users, nil
}

// catalogFiles lists the files of the tenant's current datasets.
func (s *server) catalogFiles(ctx context.Context, tenant string) ([]pgcatalog.File, error) {
	snapshot, err := s.schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	datasets, err := s.stores.Lake.Datasets(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var files []pgcatalog.File
	for _, ds := range datasets {
		if ds.Namespace != "" || ds != snapshot.Dataset(ds.Metric) {
			continue
		}
		of, err := s.filesOf(ctx, ds)
		if err != nil {
			return nil, err
		}
		files = append(files, of...)
	}
	return files, nil
}

func (s *server) filesOf(ctx context.Context, ds schema.Dataset) ([]pgcatalog.File, error) {
	v, err := s.stores.Lake.Version(ctx, ds)
	if err != nil {
		return nil, err
	}
	listed, err := v.List(ctx, sources.Unbounded())
	if err != nil {
		return nil, fmt.Errorf("list files of %s: %w", ds.Metric, err)
	}
	files := make([]pgcatalog.File, 0, len(listed))
	for _, f := range listed {
		files = append(files, pgcatalog.File{
			Metric: ds.Metric, Path: f.Key, Rows: f.Rows, Bytes: f.Bytes,
			MinTime: time.UnixMicro(f.Times.Min), MaxTime: time.UnixMicro(f.Times.Max), Columns: f.Columns, CreatedAt: f.CreatedAt,
		})
	}
	return files, nil
}

// lagPatience is how long a statement waits to be told how far the stages are, where a
// stage would wait for as long as a stream does not answer.
const lagPatience = 10 * time.Second

var errLagPatience = fmt.Errorf("the streams have not answered for %s", lagPatience)

// catalogLags tells how far the stages are. Tenants share the logs, and none
// may see another's counts, so it tells only where there is one tenant.
func (s *server) catalogLags(ctx context.Context, _ string) ([]pgcatalog.Lag, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lagPatience, errLagPatience)
	defer cancel()
	tenants, err := s.schemas.Tenants(ctx)
	if err != nil || len(tenants) != 1 {
		return nil, err
	}
	var lags []pgcatalog.Lag
	drain := s.writing.drain
	all := []func(context.Context) ([]pipeline.Lag, error){drain.Raw.Lag, drain.Staging.Lag, drain.Delivery.Lag}
	if s.sharing != nil {
		all = []func(context.Context) ([]pipeline.Lag, error){s.sharing.positions.Lag}
	}
	for _, of := range all {
		stage, err := of(ctx)
		if err != nil {
			return nil, err
		}
		for _, l := range stage {
			name := l.Stage
			if l.Log != l.Stage {
				name += " of " + l.Log
			}
			lags = append(lags, pgcatalog.Lag{
				Stage: name, Shard: uint64(l.Shard), Records: int64(l.Records), Seconds: l.Seconds, Position: l.Position.String(),
			})
		}
	}
	return lags, nil
}
