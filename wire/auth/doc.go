// Package auth knows who may connect: Roles are the SQL users of each tenant,
// kept in the key-value store, and a Conversation proves by SCRAM-SHA-256 that a
// client is one of them.
//
// Passwords are not kept; what is kept (Verifier) cannot be used to log in.
// Neither is ever printed. What a user may see is for the planner; API keys are
// for ingest.
package auth
