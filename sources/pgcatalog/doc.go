// Package pgcatalog computes the relations of pg_catalog, information_schema and
// schema fieldgate for whoever looks: what the tenant's snapshot declares, its
// users, and what PostgreSQL itself brings.
//
// A [Catalog] knows every relation of PostgreSQL 15 with its columns, which are
// generated from a real server (zz_relations.go); those that have rows here have
// a file each, all others are empty. Nothing of another tenant is in any of them:
// pg_database has one row, and the roles are the tenant's own.
//
// The functions that clients call on these rows, such as pg_get_userbyid, are the
// planner's.
package pgcatalog
