package schema

import (
	"errors"
	"fmt"
	"slices"
)

// Privileges are what GRANT gives and REVOKE takes.
type Privileges struct {
	Select, Observe bool
	Columns         []int
}

// Granting is a GRANT on a table or view to one role, or Public.
type Granting struct {
	Privileges

	Role string
	// Grantor is the role that grants, empty: an owner.
	Grantor string
	// Option allows the role to grant the same to others.
	Option bool
}

// Revoking is a REVOKE from one role, or Public, of what a grantor gave it.
type Revoking struct {
	Privileges

	Role, Grantor string
	// OptionOnly takes the grant option away and leaves the privileges.
	OptionOnly bool
	// Cascade takes away too what the role granted on; without it there may be nothing.
	Cascade bool
}

// Why a grant or a revocation cannot be.
var (
	ErrDependentGrants = errors.New("dependent privileges exist")
	ErrCircularGrant   = errors.New("grant options cannot be granted back to your own grantor")
)

// None says that there is no privilege.
func (p *Privileges) None() bool { return !p.Select && !p.Observe && len(p.Columns) == 0 }

// AllowedBy are the privileges of p that who has the options may grant: with Select
// also any column.
func (p *Privileges) AllowedBy(options Privileges) Privileges {
	out := p.and(options)
	if options.Select {
		out.Columns = slices.Clone(p.Columns)
	}
	return out
}

// and are the privileges that are in both.
func (p *Privileges) and(o Privileges) Privileges {
	out := Privileges{Select: p.Select && o.Select, Observe: p.Observe && o.Observe}
	for _, c := range p.Columns {
		if slices.Contains(o.Columns, c) {
			out.Columns = append(out.Columns, c)
		}
	}
	return out
}

// Equal says that both are the same privileges.
func (p *Privileges) Equal(o Privileges) bool {
	return p.Select == o.Select && p.Observe == o.Observe && slices.Equal(p.Columns, o.Columns)
}

func (p *Privileges) add(o Privileges) {
	p.Select, p.Observe = p.Select || o.Select, p.Observe || o.Observe
	for _, c := range o.Columns {
		if !slices.Contains(p.Columns, c) {
			p.Columns = append(p.Columns, c)
		}
	}
	slices.Sort(p.Columns)
}

func (p *Privileges) remove(o Privileges) {
	p.Select, p.Observe = p.Select && !o.Select, p.Observe && !o.Observe
	p.Columns = slices.DeleteFunc(p.Columns, func(c int) bool { return slices.Contains(o.Columns, c) })
}

func (g *Grant) privileges() Privileges {
	return Privileges{Select: g.Select, Observe: g.Observe, Columns: slices.Clone(g.Columns)}
}

func (g *Grant) options() Privileges {
	return Privileges{Select: g.SelectOption, Observe: g.ObserveOption, Columns: slices.Clone(g.ColumnOptions)}
}

func (g *Grant) set(p, options Privileges) {
	if len(p.Columns) == 0 {
		p.Columns = nil
	}
	if len(options.Columns) == 0 {
		options.Columns = nil
	}
	g.Select, g.Observe, g.Columns = p.Select, p.Observe, p.Columns
	g.SelectOption, g.ObserveOption, g.ColumnOptions = options.Select, options.Observe, options.Columns
}

// Grant gives a role, or Public, privileges on a table or view, beside those that it
// has; but with its first columns alone, from an owner, ends what it has by default.
// ErrCircularGrant if the grantor may grant by that role's word alone.
func (d *Draft) Grant(oid uint32, g Granting) error {
	var err error
	d.editAccess(oid, func(a *Access) {
		if g.Option && a.circular(g) {
			err = ErrCircularGrant
			return
		}
		if g.Select || g.Observe || g.Grantor != "" {
			a.keepDefault(g.Role)
		}
		to := a.grantBy(g.Role, g.Grantor)
		held, options := to.privileges(), to.options()
		held.add(g.Privileges)
		if g.Option {
			options.add(g.Privileges)
		}
		to.set(held, options)
	})
	return err
}

// Revoke takes privileges that a role, or Public, has of a grantor away. With Select go
// its columns. ErrDependentGrants if the role granted them on and Cascade is not set.
func (d *Draft) Revoke(oid uint32, r Revoking) error {
	var err error
	d.editAccess(oid, func(a *Access) {
		if r.Grantor == "" && !r.OptionOnly {
			a.keepDefault(r.Role)
			a.grantBy(r.Role, "") // which ends the default
		}
		if r.Select {
			if i := a.grantIndex(r.Role, r.Grantor); i >= 0 {
				r.Columns = append(slices.Clone(r.Columns), a.Grants[i].Columns...)
			}
		}
		err = a.revoke(r)
	})
	return err
}

// revoke takes away what r says, and then what others have by that alone.
func (a *Access) revoke(r Revoking) error {
	i := a.grantIndex(r.Role, r.Grantor)
	if i < 0 {
		return nil
	}
	g := &a.Grants[i]
	held, options := g.privileges(), g.options()
	lost := options.and(r.Privileges)
	options.remove(r.Privileges)
	if !r.OptionOnly {
		held.remove(r.Privileges)
	}
	g.set(held, options)
	if r.Role == Public {
		return nil
	}
	still := a.optionsOf(r.Role)
	lost.remove(still)
	if lost.None() {
		return nil
	}
	for _, to := range slices.Clone(a.Grants) {
		given := to.privileges()
		if dependent := given.and(lost); to.Grantor == r.Role && !dependent.None() {
			if !r.Cascade {
				return fmt.Errorf("revoke from %q: %w", r.Role, ErrDependentGrants)
			}
			if err := a.revoke(Revoking{Privileges: dependent, Role: to.Role, Grantor: r.Role, Cascade: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// optionsOf are what a role may grant on, whoever allowed it.
func (a *Access) optionsOf(role string) Privileges {
	var all Privileges
	for i := range a.Grants {
		if a.Grants[i].Role == role {
			all.add(a.Grants[i].options())
		}
	}
	return all
}

// circular says that the grantor would have no grant option any more if the role that
// it grants one to had none: it has its own of that role.
func (a *Access) circular(g Granting) bool {
	if g.Grantor == "" || g.Role == Public {
		return false
	}
	without := &Access{Grants: slices.Clone(a.Grants)}
	for _, of := range a.Grants {
		if of.Role == g.Role {
			// With Cascade nothing stands in the way.
			_ = without.revoke(Revoking{Privileges: g.Privileges, Role: of.Role, Grantor: of.Grantor, OptionOnly: true, Cascade: true})
		}
	}
	before, after := g.and(a.optionsOf(g.Grantor)), g.and(without.optionsOf(g.Grantor))
	return !before.Equal(after)
}

// keepDefault makes of what a role has by default what an owner granted it.
func (a *Access) keepDefault(role string) {
	if a.rights(role).Default {
		g := a.grantBy(role, "")
		g.set(Privileges{Select: true, Observe: true}, Privileges{})
	}
}

func (a *Access) grantIndex(role, grantor string) int {
	return slices.IndexFunc(a.Grants, func(g Grant) bool { return g.Role == role && g.Grantor == grantor })
}

// grantBy is what a role has of a grantor, made if there is nothing.
func (a *Access) grantBy(role, grantor string) *Grant {
	i := a.grantIndex(role, grantor)
	if i < 0 {
		i, a.Grants = len(a.Grants), append(a.Grants, Grant{Role: role, Grantor: grantor})
	}
	return &a.Grants[i]
}
