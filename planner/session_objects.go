package planner

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/sources"
)

// Objects are the named things of a session that outlive a statement: prepared
// statements and portals. SQL and the protocol share them, so that DEALLOCATE ends
// what a Parse message made and a Describe message finds what DECLARE made. The
// zero value is empty.
type Objects struct {
	statements map[string]*Prepared
	portals    map[string]*Portal
	space      *space // nil: nothing is spooled
}

// Prepared finds a prepared statement; 26000 if there is none of that name.
func (o *Objects) Prepared(name string) (*Prepared, error) {
	if p, ok := o.statements[name]; ok {
		return p, nil
	}
	if name == "" {
		return nil, errorf(pgerrcode.InvalidSQLStatementName, "unnamed prepared statement does not exist")
	}
	return nil, errorf(pgerrcode.InvalidSQLStatementName, "prepared statement %q does not exist", name)
}

// CheckPrepared refuses a name that is taken, with 42P05. The statement without a
// name gives way.
func (o *Objects) CheckPrepared(name string) error {
	if _, taken := o.statements[name]; taken && name != "" {
		return errorf(pgerrcode.DuplicatePreparedStatement, "prepared statement %q already exists", name)
	}
	return nil
}

// AddPrepared keeps a prepared statement under its name, in place of what had it.
func (o *Objects) AddPrepared(p *Prepared) {
	if o.statements == nil {
		o.statements = make(map[string]*Prepared)
	}
	o.statements[p.Name] = p
}

// DropPrepared forgets a prepared statement, if there is one of that name.
func (o *Objects) DropPrepared(name string) { delete(o.statements, name) }

// Portal finds a portal or a cursor, which are the same; 34000 if there is none.
func (o *Objects) Portal(name string) (*Portal, error) {
	if p, ok := o.portals[name]; ok {
		return p, nil
	}
	return nil, errorf(pgerrcode.InvalidCursorName, "portal %q does not exist", name)
}

// AddPortal keeps a portal under its name; 42P03 if that is taken. The portal
// without a name gives way.
func (o *Objects) AddPortal(p *Portal) error {
	if _, taken := o.portals[p.Name]; taken && p.Name != "" {
		return errorf(pgerrcode.DuplicateCursor, "cursor %q already exists", p.Name)
	}
	err := o.ClosePortal(p.Name)
	if o.portals == nil {
		o.portals = make(map[string]*Portal)
	}
	o.portals[p.Name] = p
	return err
}

// ClosePortal ends a portal, if there is one of that name, and what it runs.
func (o *Objects) ClosePortal(name string) error {
	p, ok := o.portals[name]
	if !ok {
		return nil
	}
	delete(o.portals, name)
	return p.Close()
}

// EndPortals ends the portals that do not outlive the transaction, which is over
// now: all but the cursors WITH HOLD, and if the transaction failed those of its
// own too.
func (o *Objects) EndPortals(ok bool) error {
	return o.closePortals(func(p *Portal) bool {
		if p.hold && (p.held || ok) {
			p.held = true
			return false
		}
		return true
	})
}

// HasPortals says that a portal is open.
func (o *Objects) HasPortals() bool { return len(o.portals) > 0 }

// Suspended says that a portal waits with rows, and what they are read from, for
// its client.
func (o *Objects) Suspended() bool {
	for _, p := range o.portals {
		if p.feed.rows != nil {
			return true
		}
	}
	return false
}

// Spool reads the rest of such portals into files, until stop says so, and frees
// what they hold. A portal that fails tells its error when it is asked for rows.
func (o *Objects) Spool(ctx context.Context, stop func() bool) error {
	if o.space == nil {
		return nil
	}
	var errs []error
	for _, p := range sorted(o.portals) {
		if err := p.feed.spool(ctx, newStore(o.space), stop); err != nil {
			p.feed.err = err
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// closeAll ends all portals.
func (o *Objects) closeAll() error { return o.closePortals(func(*Portal) bool { return true }) }

func (o *Objects) closePortals(ends func(*Portal) bool) error {
	var errs []error
	for name, p := range o.portals {
		if ends(p) {
			errs = append(errs, o.ClosePortal(name))
		}
	}
	return errors.Join(errs...)
}

// AddPortal keeps a portal under its name, until the savepoint or the transaction
// is undone that it belongs to; 42P03 if the name is taken.
func (s *Session) AddPortal(p *Portal) error {
	p.level, p.created = len(s.tx.savepoints), s.planner.cfg.Now()
	return s.Objects.AddPortal(p)
}

// EndPortals ends the portals that do not outlive the transaction, which is over
// now, and the settings that were made for it.
func (s *Session) EndPortals(ok bool) error {
	if !s.tx.block && !s.tx.implicit {
		s.settings.endStatement()
		s.commitPost(ok)
	}
	return s.Objects.EndPortals(ok)
}

// cursor finds a portal for a statement that names it.
func (o *Objects) cursor(name string) (*Portal, error) {
	if p, ok := o.portals[name]; ok {
		return p, nil
	}
	return nil, errorf(pgerrcode.InvalidCursorName, "cursor %q does not exist", name)
}

// openCursors lists the portals as pg_cursors does.
func (s *Session) openCursors() []sources.Cursor {
	out := make([]sources.Cursor, 0, len(s.portals))
	for _, p := range sorted(s.portals) {
		c := sources.Cursor{Name: p.Name, Hold: p.hold, Binary: p.binary, Scroll: p.scroll, CreatedAt: p.created}
		if st := p.Prepared.Statement; st != nil {
			c.Statement = st.Text
		}
		out = append(out, c)
	}
	return out
}

// namedStatements lists the prepared statements as pg_prepared_statements does.
func (s *Session) namedStatements() []sources.PreparedStatement {
	out := make([]sources.PreparedStatement, 0, len(s.statements))
	for _, p := range sorted(s.statements) {
		if p.Name == "" {
			continue
		}
		st := sources.PreparedStatement{Name: p.Name, PreparedAt: p.created, FromSQL: p.declared, ParamTypes: make([]int64, len(p.ParamTypes))}
		for i, t := range p.ParamTypes {
			st.ParamTypes[i] = int64(t)
		}
		if p.Statement != nil {
			st.Statement = p.Statement.Text
		}
		out = append(out, st)
	}
	return out
}

// sorted are the values of a map by their keys.
func sorted[T any](m map[string]T) []T {
	out := make([]T, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out
}
