// Package schema is the vocabulary of Fieldgate: tenants, metrics, fields,
// sources, types and events, and the versioned store of what owners declared.
//
// Declarations say how stored events are read; they never change what is
// stored. A tenant's schema is a Snapshot, immutable and numbered; every change
// makes the next version and all versions are kept, because the raw stage binds
// an event by the version that was current when it was received.
//
// What devices were seen to send, declared or not, is Observed. The package
// keeps both in a KV, the port to the key-value store, and leaves HTTP, SQL and
// the meaning of keys and users to others.
package schema
