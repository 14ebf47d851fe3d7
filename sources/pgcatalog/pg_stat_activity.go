package pgcatalog

import "context"

// activityRows lists the session that asks.
func activityRows(_ context.Context, p *pin, b *builder) error {
	b.add("datid", nameOID(p.state.snapshot.Tenant), "datname", p.state.snapshot.Tenant, "pid", p.view.SessionID, "usesysid", nameOID(p.view.User),
		"usename", p.view.User, "application_name", p.view.Settings()["application_name"], "state", "active", "backend_type", "client backend")
	return nil
}
