// Package planner turns SQL text into plans: read as few splits as possible,
// push everything else to the engine.
//
// A [Session] parses a text into statements, prepares them, which binds every
// name and type as PostgreSQL 15 would without running anything, and executes
// them. A query is bound into a tree of the planner's own ([Query], [Expr]) over
// the scans it reads; the rules that make a [Plan] of it stand in rules.go in
// their order. An [Engine] prints its own dialect from the tree and streams
// [Rows] back; it never sees SQL text.
//
// A name that nobody declared may still mean something: what devices were seen
// to send is looked up after everything that is declared. Whatever the binder
// does not know is refused with 0A000 and the name of the construct; nothing is
// ignored.
//
// The package leaves reading and writing of values to schema/postgres, execution
// to the engine, and the protocol to whoever holds the session.
package planner
