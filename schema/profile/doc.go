// Package profile keeps, of every name that devices send, what its values are
// like: how many there were of each kind, their range, an estimate of how many
// differ, what they can be cast to, and a small sample. Nothing of it decides how
// a query reads; it is what suggestions and fieldgate.observed_fields are made of.
//
// A Shard profiles the events of one shard of the staged log, in order, and is
// written with the position up to which it has counted, so that a record that is
// read again counts once. Profiles merges the shards of a dataset for who reads.
package profile
