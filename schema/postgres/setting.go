package postgres

// Setting is a configuration parameter of PostgreSQL, as pg_settings tells of it.
type Setting struct {
	Name, Value string // the value that it is built with, in its unit
	Unit        string // empty if it has none
	Type        string // bool, integer, real, string or enum
	// Context says when it can be changed: internal (never), postmaster, sighup, superuser-backend, backend, superuser,
	// or user.
	Context               string
	Category, Description string
	Min, Max              string   // of numbers
	Words                 []string // of enumerations
}

// Settings are the parameters PostgreSQL 15 has, by name. Not to be written to.
func Settings() []Setting { return settingTable }
