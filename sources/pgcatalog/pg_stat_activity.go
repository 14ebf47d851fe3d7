package pgcatalog

import (
	"context"
	"time"

	"github.com/fieldgate/fieldgate/sources"
)

// activityRows lists the tenant's sessions.
func activityRows(ctx context.Context, p *pin, b *builder) error {
	tenant := p.state.snapshot.Tenant
	sessions := []sources.Activity{{PID: p.view.SessionID, User: p.view.User, State: "active"}}
	if p.view.Activity != nil {
		sessions = p.view.Activity(ctx)
	}
	for i := range sessions {
		a := &sessions[i]
		row := []any{
			"datid", databaseOID(tenant), "datname", tenant, "pid", a.PID, "usesysid", roleOID(a.User), "usename", a.User,
			"application_name", a.Application,
		}
		if a.Private {
			b.add(append(row, "query", "<insufficient privilege>")...)
			continue
		}
		row = append(row, "state", a.State, "query", a.Query, "backend_type", "client backend", "backend_start", moment(a.BackendStart),
			"xact_start", moment(a.TransactionStart), "query_start", moment(a.QueryStart), "state_change", moment(a.StateChange))
		if a.Wait != "" {
			row = append(row, "wait_event_type", a.WaitType, "wait_event", a.Wait)
		}
		if a.Address.IsValid() {
			row = append(row, "client_addr", a.Address.Addr().Unmap().String(), "client_port", int(a.Address.Port()))
		}
		b.add(row...)
	}
	return nil
}

// moment is a time as a value, NULL if it is none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
