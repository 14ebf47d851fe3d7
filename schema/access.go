package schema

import (
	"fmt"
	"slices"
)

// Access is what owners decided on who may read a table or view, and which of its
// rows. Nothing is decided of most: users may read those whole.
type Access struct {
	// OID is that of the table or view: TableOID, UndeclaredTableOID or ViewOID.
	OID    uint32  `json:"oid"`
	Grants []Grant `json:"grants,omitempty"`
	// RowSecurity says whether policies hold.
	RowSecurity RowSecurity `json:"row_security,omitempty"`
	Policies    []Policy    `json:"policies,omitempty"`
}

// Public stands for all roles.
const Public = ""

// Grant is what one role, or Public, may do by the word of one grantor; that there is
// one at all takes what nothing is decided of away. Columns are attribute numbers,
// beside Select.
type Grant struct {
	Role string `json:"role"`
	// Grantor is the role that granted it, empty: an owner.
	Grantor string `json:"grantor,omitempty"`
	Select  bool   `json:"select,omitempty"`
	// Observe allows names that devices sent and nobody declared.
	Observe bool  `json:"observe,omitempty"`
	Columns []int `json:"columns,omitempty"`
	// The options say which of these the role may grant to others.
	SelectOption  bool  `json:"select_option,omitempty"`
	ObserveOption bool  `json:"observe_option,omitempty"`
	ColumnOptions []int `json:"column_options,omitempty"`
}

// RowSecurity says whether the policies of a table hold.
type RowSecurity string

// The states of row security: policies hold for the roles that they name and all
// rows are there for others; or for everybody, so that others see none; or not.
const (
	RowSecurityNamed RowSecurity = ""
	RowSecurityOn    RowSecurity = "on"
	RowSecurityOff   RowSecurity = "off"
)

// Policy says which rows of a table some roles see.
type Policy struct {
	Name string `json:"name"`
	// Roles may hold Public.
	Roles []string `json:"roles"`
	// Restrictive policies must all be true, of others one.
	Restrictive bool `json:"restrictive,omitempty"`
	// Using is a condition over the table's columns, Path the schemas in which it
	// looks names up.
	Using string   `json:"using"`
	Path  []string `json:"path"`
}

// names says whether the policy is for a role.
func (p *Policy) names(role string) bool {
	return slices.Contains(p.Roles, role) || slices.Contains(p.Roles, Public)
}

// Rights are what one user, no owner, may read of a table or view.
type Rights struct {
	// Default: nothing was decided for the user.
	Default bool
	// Select allows all columns, Observe names that were only sent too.
	Select, Observe bool
	// Columns are the attribute numbers that are allowed without Select.
	Columns []int
	// Options are the privileges that the user may grant to others.
	Options Privileges
	// Filtered: only rows that Policies allow are there; none if there are none.
	Filtered bool
	Policies []Policy
}

// Any says whether something of the table may be read.
func (r *Rights) Any() bool { return r.Select || len(r.Columns) > 0 }

// Column says whether a column may be read.
func (r *Rights) Column(attribute int) bool {
	return r.Select || slices.Contains(r.Columns, attribute)
}

// AccessTo is what was decided of a table or view, nil if nothing was.
func (s *Snapshot) AccessTo(oid uint32) *Access {
	i := slices.IndexFunc(s.Access, func(a *Access) bool { return a.OID == oid })
	if i < 0 {
		return nil
	}
	return s.Access[i]
}

// Rights are those of a user that is no owner. What nothing was decided of may be
// read whole; but errors.stream, in which events of every metric stand, only by a
// user from whom nothing is kept.
func (s *Snapshot) Rights(oid uint32, role string) Rights {
	r := s.AccessTo(oid).rights(role)
	if r.Default && oid == errorTableOID {
		for _, a := range s.Access {
			if other := a.rights(role); !other.Select || other.Filtered {
				return Rights{}
			}
		}
	}
	return r
}

func (a *Access) rights(role string) Rights {
	if a == nil {
		return Rights{Default: true, Select: true, Observe: true}
	}
	r := Rights{Default: true}
	for i := range a.Grants {
		g := &a.Grants[i]
		if g.Role != role && g.Role != Public {
			continue
		}
		r.Default = false
		r.Select = r.Select || g.Select
		r.Observe = r.Observe || g.Observe
		r.Columns = append(r.Columns, g.Columns...)
		r.Options.add(g.options())
	}
	if r.Default {
		r.Select, r.Observe = true, true
	}
	if a.RowSecurity != RowSecurityOff {
		for i := range a.Policies {
			if a.Policies[i].names(role) {
				r.Policies = append(r.Policies, a.Policies[i])
			}
		}
		r.Filtered = a.RowSecurity == RowSecurityOn || len(r.Policies) > 0
	}
	r.Observe = r.Observe && r.Select && !r.Filtered
	return r
}

// SetRowSecurity says whether policies hold.
func (d *Draft) SetRowSecurity(oid uint32, to RowSecurity) {
	d.editAccess(oid, func(a *Access) { a.RowSecurity = to })
}

// The bounds of a policy.
const (
	maxPolicies    = 100
	maxPolicyQuery = 8 << 10
)

// CreatePolicy makes a policy. ErrExists if the table has one of its name.
func (d *Draft) CreatePolicy(oid uint32, p Policy) error {
	where := fmt.Sprintf("policy %q", p.Name)
	if err := checkText(where, "the name", p.Name, maxName); err != nil {
		return err
	}
	if err := checkText(where, "the condition", p.Using, maxPolicyQuery); err != nil {
		return err
	}
	if a := d.next.AccessTo(oid); a != nil {
		if a.policy(p.Name) >= 0 {
			return fmt.Errorf("%s: %w", where, ErrExists)
		}
		if len(a.Policies) >= maxPolicies {
			return &Invalid{Where: where, Reason: fmt.Sprintf("a table has at most %d policies", maxPolicies)}
		}
	}
	d.editAccess(oid, func(a *Access) { a.Policies = append(a.Policies, p) })
	return nil
}

// ChangePolicy makes a policy another. ErrNotFound if there is none of that name.
func (d *Draft) ChangePolicy(oid uint32, name string, change func(p *Policy)) error {
	return d.onPolicy(oid, name, func(a *Access, i int) { change(&a.Policies[i]) })
}

// DropPolicy removes a policy. ErrNotFound if there is none of that name.
func (d *Draft) DropPolicy(oid uint32, name string) error {
	return d.onPolicy(oid, name, func(a *Access, i int) { a.Policies = slices.Delete(a.Policies, i, i+1) })
}

func (d *Draft) onPolicy(oid uint32, name string, edit func(a *Access, i int)) error {
	a := d.next.AccessTo(oid)
	if a == nil || a.policy(name) < 0 {
		return fmt.Errorf("policy %q: %w", name, ErrNotFound)
	}
	d.editAccess(oid, func(a *Access) { edit(a, a.policy(name)) })
	return nil
}

// HasPolicy says whether the table has a policy of that name.
func (a *Access) HasPolicy(name string) bool { return a.policy(name) >= 0 }

func (a *Access) policy(name string) int {
	return slices.IndexFunc(a.Policies, func(p Policy) bool { return p.Name == name })
}

// editAccess gives the draft's own copy of what is decided of a table to change.
func (d *Draft) editAccess(oid uint32, change func(a *Access)) {
	made := &Access{OID: oid}
	if old := d.next.AccessTo(oid); old != nil {
		*made = *old
		made.Grants, made.Policies = slices.Clone(old.Grants), slices.Clone(old.Policies)
	}
	change(made)
	d.putAccess(oid, made)
}

// putAccess replaces what is decided of a table; nil: nothing is.
func (d *Draft) putAccess(oid uint32, a *Access) {
	list := slices.DeleteFunc(slices.Clone(d.next.Access), func(o *Access) bool { return o.OID == oid })
	if a != nil {
		list = append(list, a)
	}
	d.next.Access, d.changed = list, true
}

// passAccess makes what is decided of one table hold for another that gets its rows.
// Its columns are others, so none of those granted are passed on.
func (d *Draft) passAccess(from, to uint32) {
	old := d.next.AccessTo(from)
	if old == nil {
		return
	}
	a := *old
	a.OID, a.Grants = to, slices.Clone(old.Grants)
	for i := range a.Grants {
		a.Grants[i].Columns, a.Grants[i].ColumnOptions = nil, nil
	}
	d.putAccess(to, &a)
}

// forgetAccess ends what is decided of a table or view that is no more.
func (d *Draft) forgetAccess(oid uint32) {
	if d.next.AccessTo(oid) != nil {
		d.putAccess(oid, nil)
	}
}

// restoreAccess decides of what is there again what was decided before it went.
func (d *Draft) restoreAccess(oid uint32, old *Snapshot) {
	if a := old.AccessTo(oid); a != nil {
		d.putAccess(oid, a)
	}
}
