package rest

import (
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// textOf is a type's text form under PostgreSQL's default settings, in UTC.
func textOf(oid postgres.OID) planner.AppendFunc {
	env := postgres.DefaultEnv()
	return planner.TextOf(oid, &env)
}
