package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// viewColumn is a column of a view by its name and type.
type viewColumn struct {
	name string
	oid  postgres.OID
}

// The numbers of a view's row type and of the array of that lie so far behind the
// view's own.
const (
	viewRowOffset   = 20
	viewArrayOffset = 40
)

// fieldgateView is a view of schema fieldgate.
func fieldgateView(oid uint32, name string, columns ...viewColumn) description {
	d := description{oid: oid, schema: schemaFieldgate, name: name, kind: 'v', rowType: oid + viewRowOffset, array: oid + viewArrayOffset}
	for _, c := range columns {
		col := column{name: c.name, typeOID: c.oid, typmod: -1}
		if t, ok := postgres.TypeByOID(c.oid); ok {
			col.collation = t.Collation
		}
		d.columns = append(d.columns, col)
	}
	return d
}

// fieldgateTable are the views of schema fieldgate.
var fieldgateTable = []description{
	fieldgateView(16020, "observed_fields",
		viewColumn{"metric", postgres.TextOID},
		viewColumn{"sent_name", postgres.TextOID},
		viewColumn{"kind", postgres.TextOID},
		viewColumn{"declared", postgres.BoolOID},
		viewColumn{"field", postgres.TextOID},
		viewColumn{"events", postgres.Int8OID},
		viewColumn{"first_seen", postgres.TimestampTZOID},
		viewColumn{"last_seen", postgres.TimestampTZOID},
		viewColumn{"distinct_estimate", postgres.Int8OID},
		viewColumn{"min", postgres.TextOID},
		viewColumn{"max", postgres.TextOID},
		viewColumn{"castable", postgres.JSONBOID},
		viewColumn{"cast_failures", postgres.Int8OID},
	),
	fieldgateView(16021, "observed_metrics",
		viewColumn{"sent_name", postgres.TextOID},
		viewColumn{"declared", postgres.BoolOID},
		viewColumn{"metric", postgres.TextOID},
		viewColumn{"events", postgres.Int8OID},
		viewColumn{"first_seen", postgres.TimestampTZOID},
		viewColumn{"last_seen", postgres.TimestampTZOID},
	),
	fieldgateView(16022, "files",
		viewColumn{"metric", postgres.TextOID},
		viewColumn{"path", postgres.TextOID},
		viewColumn{"rows", postgres.Int8OID},
		viewColumn{"bytes", postgres.Int8OID},
		viewColumn{"min_ts", postgres.TimestampTZOID},
		viewColumn{"max_ts", postgres.TimestampTZOID},
		viewColumn{"columns", postgres.TextArrayOID},
		viewColumn{"created_at", postgres.TimestampTZOID},
	),
	fieldgateView(16023, "lag",
		viewColumn{"stage", postgres.TextOID},
		viewColumn{"shard", postgres.Int8OID},
		viewColumn{"records", postgres.Int8OID},
		viewColumn{"seconds", postgres.Float8OID},
		viewColumn{"position", postgres.TextOID},
	),
	fieldgateView(16024, "schema_history",
		viewColumn{"version", postgres.Int8OID},
		viewColumn{"previous", postgres.Int8OID},
		viewColumn{"changed_at", postgres.TimestampTZOID},
		viewColumn{"changed_by", postgres.TextOID},
		viewColumn{"change", postgres.TextOID},
		viewColumn{"current", postgres.BoolOID},
	),
	fieldgateView(16025, "suggestions",
		viewColumn{"id", postgres.Int8OID},
		viewColumn{"kind", postgres.TextOID},
		viewColumn{"metric", postgres.TextOID},
		viewColumn{"field", postgres.TextOID},
		viewColumn{"sent_name", postgres.TextOID},
		viewColumn{"type", postgres.TextOID},
		viewColumn{"convert", postgres.TextOID},
		viewColumn{"confidence", postgres.Float8OID},
		viewColumn{"evidence", postgres.JSONBOID},
		viewColumn{"created_at", postgres.TimestampTZOID},
	),
	fieldgateView(16026, "webhook",
		viewColumn{"url", postgres.TextOID},
		viewColumn{"signed", postgres.BoolOID},
		viewColumn{"set_by", postgres.TextOID},
		viewColumn{"set_at", postgres.TimestampTZOID},
		viewColumn{"delivered_at", postgres.TimestampTZOID},
		viewColumn{"error", postgres.TextOID},
	),
}
