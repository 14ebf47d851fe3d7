// Package textsearch turns texts into tsvectors and tsqueries, and matches them, as PostgreSQL 15 does with its default parser
// and the configurations simple and english in a database of UTF-8 and the locale C.UTF-8.
//
// [Tokens] takes a text apart, a [Config] makes lexemes of tokens, [Config.Vector] and [Config.Query] are made of those, and
// [Match] is the operator @@.
package textsearch
