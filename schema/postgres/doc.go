// Package postgres is what PostgreSQL 15 knows of types, casts, operators, functions and aggregates, and how its types
// read and print values.
//
// The tables (zz_*.go) are generated from a real server's system catalogs by schema/postgres/generate; nothing in them
// is typed by hand. On top of them stand the rules of the manual's chapter 10, Type Conversion ([ResolveOperator],
// [ResolveFunction], [SelectCommonType], [CanCoerce]), the input and output functions of the types a device can send
// ([ParseLiteral], [AppendText]) and their binary forms ([DecodeBinary], [AppendBinary]).
//
// The package knows no table, no session and no engine: which of these functions can be executed is decided where they
// are printed, and errors leave here as [Error], an SQLSTATE with PostgreSQL's message, for the planner to place.
package postgres

//go:generate go run ./generate -dir . -dsn=$FIELDGATE_TEST_POSTGRES
