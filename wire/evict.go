package wire

import (
	"context"
	"errors"
	"time"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// evictEvery is how often the users of open sessions are looked up: one that was
// dropped must not go on for more than 5 s.
const evictEvery = 2 * time.Second

// evict ends the sessions of users that are dropped or changed, until ctx ends.
func (s *Server) evict(ctx context.Context) {
	t := time.NewTicker(evictEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		s.evictOnce(ctx)
	}
}

func (s *Server) evictOnce(ctx context.Context) {
	type user struct{ tenant, name string }
	gone := map[user]func(auth.Role) bool{}
	for _, be := range s.backends.all() {
		role := *be.role.Load()
		of := user{role.Tenant, role.User}
		if gone[of] == nil {
			gone[of] = s.changed(ctx, role.Tenant, role.User)
		}
		if gone[of](role) {
			s.cfg.Logger.Info("session ended: its user is dropped or changed", "tenant", role.Tenant, "user", role.User, "pid", be.pid)
			be.terminate()
		}
	}
}

// changed looks a user up and says of a role with which someone logged in whether
// it is another now. If the store does not answer, nothing is known to have changed.
func (s *Server) changed(ctx context.Context, tenant, name string) func(auth.Role) bool {
	now, err := s.cfg.Roles.Current(ctx, tenant, name)
	switch {
	case errors.Is(err, schema.ErrNotFound):
		return func(auth.Role) bool { return true }
	case err != nil:
		s.cfg.Logger.Warn("look up user of an open session", "tenant", tenant, "user", name, "err", err)
		return func(auth.Role) bool { return false }
	}
	return func(role auth.Role) bool { return !role.CreatedAt.Equal(now.CreatedAt) || role.Owner != now.Owner }
}
