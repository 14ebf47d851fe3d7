package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// fieldgateTable are the views of schema fieldgate.
var fieldgateTable = []description{
	{16020, schemaFieldgate, "observed_fields", 'v', 0, []column{
		{"metric", postgres.TextOID, -1, false},
		{"sent_name", postgres.TextOID, -1, false},
		{"kind", postgres.TextOID, -1, false},
		{"declared", postgres.BoolOID, -1, false},
		{"field", postgres.TextOID, -1, false},
		{"events", postgres.Int8OID, -1, false},
		{"first_seen", postgres.TimestampTZOID, -1, false},
		{"last_seen", postgres.TimestampTZOID, -1, false},
		{"distinct_estimate", postgres.Int8OID, -1, false},
		{"min", postgres.TextOID, -1, false},
		{"max", postgres.TextOID, -1, false},
		{"castable", postgres.JSONBOID, -1, false},
		{"cast_failures", postgres.Int8OID, -1, false},
	}},
	{16021, schemaFieldgate, "observed_metrics", 'v', 0, []column{
		{"sent_name", postgres.TextOID, -1, false},
		{"declared", postgres.BoolOID, -1, false},
		{"metric", postgres.TextOID, -1, false},
		{"events", postgres.Int8OID, -1, false},
		{"first_seen", postgres.TimestampTZOID, -1, false},
		{"last_seen", postgres.TimestampTZOID, -1, false},
	}},
	{16022, schemaFieldgate, "files", 'v', 0, []column{
		{"metric", postgres.TextOID, -1, false},
		{"path", postgres.TextOID, -1, false},
		{"rows", postgres.Int8OID, -1, false},
		{"bytes", postgres.Int8OID, -1, false},
		{"min_ts", postgres.TimestampTZOID, -1, false},
		{"max_ts", postgres.TimestampTZOID, -1, false},
		{"columns", postgres.TextArrayOID, -1, false},
		{"created_at", postgres.TimestampTZOID, -1, false},
	}},
	{16023, schemaFieldgate, "lag", 'v', 0, []column{
		{"stage", postgres.TextOID, -1, false},
		{"shard", postgres.Int8OID, -1, false},
		{"records", postgres.Int8OID, -1, false},
		{"seconds", postgres.Float8OID, -1, false},
		{"position", postgres.TextOID, -1, false},
	}},
	{16024, schemaFieldgate, "schema_history", 'v', 0, []column{
		{"version", postgres.Int8OID, -1, false},
		{"previous", postgres.Int8OID, -1, false},
		{"changed_at", postgres.TimestampTZOID, -1, false},
		{"changed_by", postgres.TextOID, -1, false},
		{"change", postgres.TextOID, -1, false},
		{"current", postgres.BoolOID, -1, false},
	}},
}
