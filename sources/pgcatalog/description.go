package pgcatalog

import (
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// description is what a computed relation is: its identity and its columns.
type description struct {
	oid     uint32
	schema  string
	name    string
	kind    byte // pg_class.relkind: r or v
	rowType uint32
	columns []column
}

// column is one column of a relation; its number is its place, from 1.
type column struct {
	name    string
	typeOID postgres.OID
	typmod  int32
	notNull bool
}

// The namespaces that are not in relationTable. Those of our own lie below the
// tables of users and above PostgreSQL's own objects.
const (
	catalogOID   = 11
	publicOID    = 2200
	errorsOID    = 16010
	fieldgateOID = 16011

	schemaCatalog     = "pg_catalog"
	schemaInformation = "information_schema"
	schemaPublic      = "public"
	schemaErrors      = schema.NamespaceErrors
	schemaFieldgate   = "fieldgate"
)

// The catalogs that rows of others point into (classoid).
const (
	procCatalogOID  = 1255
	classCatalogOID = 1259
)

func namespaceOID(name string) uint32 {
	switch name {
	case schemaCatalog:
		return catalogOID
	case schemaInformation:
		return informationSchemaOID
	case schemaErrors:
		return errorsOID
	case schemaFieldgate:
		return fieldgateOID
	}
	return publicOID
}

// object is a table or view as the catalog tells of it.
type object struct {
	oid, rowType, arrayType uint32
	schema, name            string
	kind                    byte
	attributes              []attribute
	comment                 string
}

// attribute is a column of an object.
type attribute struct {
	column
	number  int
	comment string
}

// system says that PostgreSQL has the object too.
func (o *object) system() bool {
	return o.schema == schemaCatalog || o.schema == schemaInformation
}

// described is a computed relation as an object.
func described(d *description) object {
	o := object{oid: d.oid, schema: d.schema, name: d.name, kind: d.kind}
	if _, ok := postgres.TypeByOID(postgres.OID(d.rowType)); ok {
		o.rowType = d.rowType
	}
	for i, c := range d.columns {
		o.attributes = append(o.attributes, attribute{column: c, number: i + 1})
	}
	return o
}

// The object identifiers next to a table's own, which schema.TableOID leaves
// free.
const (
	rowTypeOffset   = 1
	arrayTypeOffset = 2
)

// metricObject is a declared metric as an object.
func metricObject(schemaName string, m *schema.Metric) object {
	oid := schema.TableOID(m)
	o := object{
		oid:       oid,
		rowType:   oid + rowTypeOffset,
		arrayType: oid + arrayTypeOffset,
		schema:    schemaName,
		name:      m.Name,
		kind:      'r',
		comment:   m.Comment,
	}
	if schemaName == schemaPublic {
		o.attributes = append(o.attributes, attribute{number: 1, column: column{"timestamp", postgres.TimestampTZOID, -1, true}})
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		o.attributes = append(o.attributes, attribute{
			number:  f.Number,
			column:  column{f.Name, f.Type.OID(), f.Type.Typmod(), false},
			comment: f.Comment,
		})
	}
	return o
}

// userObjects are the tables and views that are not PostgreSQL's own.
func (c *Catalog) userObjects(view *sources.CatalogView) []object {
	var out []object
	for _, m := range view.Snapshot.Metrics {
		out = append(out, metricObject(schemaPublic, m))
	}
	out = append(out, metricObject(schemaErrors, schema.ErrorTable()))
	for i := range fieldgateTable {
		out = append(out, described(&fieldgateTable[i]))
	}
	return out
}

// allObjects are all tables and views, PostgreSQL's own last.
func (c *Catalog) allObjects(view *sources.CatalogView) []object {
	return append(c.userObjects(view), systemObjects()...)
}

func systemObjects() []object {
	out := make([]object, 0, len(relationTable))
	for i := range relationTable {
		out = append(out, described(&relationTable[i]))
	}
	return out
}
