// Package rest is the HTTP API but for events: the resources of a tenant's
// schema under /v1/schema, and SQL under /v1/query. docs/rest.md describes both.
//
// Who may do what is decided by API keys (package ingest), what a declaration
// may say by package schema, and what SQL means by package planner; this package
// reads requests, and writes what comes of them as JSON, NDJSON, CSV or a
// problem document.
package rest
