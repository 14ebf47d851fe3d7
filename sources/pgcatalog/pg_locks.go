package pgcatalog

import (
	"context"
	"fmt"
)

// lockRows list the transactions of the tenant's sessions, each of which holds its own
// number, as PostgreSQL's do; of the relations that it reads, who asks is known to read
// pg_locks itself. Nobody waits for anybody: rows are not locked.
func lockRows(ctx context.Context, p *pin, b *builder) error {
	if p.view.Activity == nil {
		return nil
	}
	sessions := p.view.Activity(ctx)
	for i := range sessions {
		a := &sessions[i]
		if a.TransactionStart.IsZero() {
			continue
		}
		// A session has one transaction at a time, which its start tells from the others.
		const numbers = 1 << 31
		transaction := fmt.Sprintf("%d/%d", a.PID, a.TransactionStart.UnixMicro()%numbers)
		held := []any{"virtualtransaction", transaction, "pid", a.PID, "granted", true, "fastpath", true}
		if a.PID == p.view.SessionID {
			b.add(append(held, "locktype", "relation", "mode", "AccessShareLock", "database", databaseOID(p.state.snapshot.Tenant),
				"relation", b.relation.oid)...)
		}
		b.add(append(held, "locktype", "virtualxid", "mode", "ExclusiveLock", "virtualxid", transaction)...)
	}
	return nil
}
