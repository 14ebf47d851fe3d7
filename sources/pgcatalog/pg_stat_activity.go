package pgcatalog

import (
	"context"

	"github.com/fieldgate/fieldgate/sources"
)

// activityRows lists the session that asks.
func activityRows(_ context.Context, view *sources.CatalogView, b *builder) error {
	b.add("datid", nameOID(view.Snapshot.Tenant), "datname", view.Snapshot.Tenant, "pid", view.SessionID, "usesysid", nameOID(view.User),
		"usename", view.User, "application_name", view.Settings["application_name"], "state", "active", "backend_type", "client backend")
	return nil
}
