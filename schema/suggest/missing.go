package suggest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

const (
	// maxMissed is how many names that do not exist a tenant's users are counted to
	// have asked for between two looks, and maxAskers how many of them are named.
	maxMissed = 1000
	maxAskers = 10
)

// missed counts names that were asked for in vain.
type missed struct {
	mu    sync.Mutex
	names map[missedName]*asked
}

type missedName struct{ metric, name string }

type asked struct {
	Asked int64     `json:"asked"`
	Users []string  `json:"users"`
	Last  time.Time `json:"last_asked_at"`
}

// Missed counts that a user asked a table for a column that does not exist.
func (a *Advisor) Missed(tenant, metric, name, user string) {
	t := a.tenant(tenant)
	t.missed.mu.Lock()
	defer t.missed.mu.Unlock()
	key := missedName{metric, name}
	m := t.missed.names[key]
	if m == nil {
		if len(t.missed.names) >= maxMissed {
			return
		}
		if t.missed.names == nil {
			t.missed.names = map[missedName]*asked{}
		}
		m = &asked{}
		t.missed.names[key] = m
	}
	m.add(&asked{1, []string{user}, a.cfg.Now().UTC().Truncate(time.Second)})
}

func (m *asked) add(o *asked) {
	m.Asked += o.Asked
	for _, u := range o.Users {
		if len(m.Users) < maxAskers && !slices.Contains(m.Users, u) {
			m.Users = append(m.Users, u)
		}
	}
	if o.Last.After(m.Last) {
		m.Last = o.Last
	}
}

// take gives what was counted, and begins anew.
func (m *missed) take() map[missedName]*asked {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.names
	m.names = nil
	return out
}

// considerMissing proposes the names that were asked for, with what was counted of
// them before, while they do not exist.
func (a *Advisor) considerMissing(ctx context.Context, t *advised, snapshot *schema.Snapshot, lately map[missedName]*asked) error {
	docs, err := a.documents(ctx, snapshot.Tenant)
	if err != nil {
		return err
	}
	all := map[missedName]*asked{}
	for _, d := range docs {
		if d.About.Class != classMissing || d.State != stateOpen || d.About.Generation != snapshot.Dataset(d.About.Metric).Generation {
			continue
		}
		was := &asked{}
		if err := json.Unmarshal(d.Evidence, was); err != nil {
			return err
		}
		all[missedName{d.About.Metric, d.About.Sent}] = was
	}
	for key, m := range lately {
		if all[key] == nil {
			all[key] = &asked{}
		}
		all[key].add(m)
	}
	for key, m := range all {
		p := t.missing(snapshot, key)
		if p == nil {
			continue
		}
		p.Evidence = map[string]any{"asked": m.Asked, "users": m.Users, "last_asked_at": m.Last}
		if p.Field != "" {
			p.Evidence["because"] = "similar to a name that is sent"
		}
		t.proposed[identity{Class: classMissing, Metric: key.metric, Generation: snapshot.Dataset(key.metric).Generation, Sent: key.name}] = p
	}
	return nil
}

// missing proposes a name that was asked for: as the field that reads a similar
// name that nobody declared. Nil if the name exists by now.
func (t *advised) missing(snapshot *schema.Snapshot, key missedName) *proposal {
	p := &proposal{Kind: KindMissing, Metric: key.metric, Sent: key.name, quiet: true}
	m, declared := snapshot.Metric(key.metric)
	if declared {
		if _, ok := m.Field(key.name); ok {
			return nil
		}
	}
	c := t.tables[key.metric]
	if c == nil {
		return p
	}
	for i := range c.table.summary.Fields {
		f := &c.table.summary.Fields[i]
		if f.Sent == key.name {
			return nil
		}
		taken := false
		if declared {
			_, taken = m.FieldOfSource(f.Sent)
		}
		if s := similarity(key.name, f.Sent); !taken && s > p.Confidence {
			p.Field, p.Type, p.Confidence = f.Sent, bestType(f).String(), s
		}
	}
	return p
}
