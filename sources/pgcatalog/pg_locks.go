package pgcatalog

import (
	"context"
	"fmt"
)

// fastLocks is how many relations a session locks without the table of all locks
// (FP_LOCK_SLOTS_PER_BACKEND of PostgreSQL).
const fastLocks = 16

// lockRows list the transactions of the tenant's sessions, each of which holds its own
// number and the relations that it has read, as PostgreSQL's do. Nobody waits for
// anybody: rows are not locked.
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
		held := []any{"virtualtransaction", transaction, "pid", a.PID, "granted", true}
		for i, relation := range a.Relations {
			b.add(append(held, "locktype", "relation", "mode", "AccessShareLock", "database", databaseOID(p.state.snapshot.Tenant),
				"relation", relation, "fastpath", i < fastLocks)...)
		}
		b.add(append(held, "locktype", "virtualxid", "mode", "ExclusiveLock", "virtualxid", transaction, "fastpath", true)...)
	}
	return nil
}
