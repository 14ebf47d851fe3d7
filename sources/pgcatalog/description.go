package pgcatalog

import (
	"reflect"
	"slices"
	"sync"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// description is what a computed relation is: its identity and its columns.
type description struct {
	oid     uint32
	schema  string
	name    string
	kind    byte // pg_class.relkind: r or v
	rowType uint32
	array   uint32 // the array type of rowType, 0 if there is none
	columns []column
}

// column is one column of a relation; its number is its place, from 1.
type column struct {
	name    string
	typeOID postgres.OID
	typmod  int32
	notNull bool
	// collation is the one of texts.
	collation postgres.OID
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
	// sent are the sent names of the events in it, a table's own first.
	sent []string
	origin

	mu sync.Mutex
	// blocks are the rows about the object, by relation.
	blocks map[*relation]*block
}

// origin is what an object follows from, beside the tenant's users and who reads.
type origin struct {
	metric     *schema.Metric // declared, else nil
	view       *schema.View   // a user's, else nil
	undeclared undeclared     // empty if somebody declared it
	access     *schema.Access // nil if nobody decided anything
}

func (a origin) same(b origin) bool {
	return a.metric == b.metric && a.view == b.view && a.undeclared.same(b.undeclared) && (a.access == b.access || reflect.DeepEqual(a.access, b.access))
}

// attribute is a column of an object.
type attribute struct {
	column
	number  int
	comment string
}

// described is a computed relation as an object.
func described(d *description) *object {
	o := &object{oid: d.oid, rowType: d.rowType, arrayType: d.array, schema: d.schema, name: d.name, kind: d.kind}
	for i, c := range d.columns {
		o.attributes = append(o.attributes, attribute{column: c, number: i + 1})
	}
	return o
}

// metricObject is a declared metric as an object.
func metricObject(schemaName string, m *schema.Metric) *object {
	o := tableObject(schemaName, m.Name, schema.TableOID(m))
	o.comment, o.sent = m.Comment, append([]string{m.Name}, m.Aliases...)
	if schemaName == schemaPublic {
		o.attributes = append(o.attributes, timestampAttribute())
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		o.attributes = append(o.attributes, attribute{
			number:  f.Number,
			column:  fieldColumn(f.Name, f.Type),
			comment: f.Comment,
		})
	}
	return o
}

// viewObject is a user's view as an object.
func viewObject(v *schema.View) *object {
	o := tableObject(schemaPublic, v.Name, schema.ViewOID(v))
	o.kind, o.comment = 'v', v.Comment
	for i, c := range v.Columns {
		t, _ := postgres.TypeByOID(postgres.OID(c.TypeOID))
		o.attributes = append(o.attributes, attribute{
			number: i + 1, column: column{c.Name, postgres.OID(c.TypeOID), c.Typmod, false, t.Collation}, comment: c.Comment,
		})
	}
	return o
}

func tableObject(schemaName, name string, oid uint32) *object {
	return &object{oid: oid, rowType: schema.RowTypeOID(oid), arrayType: schema.RowArrayOID(oid), schema: schemaName, name: name, kind: 'r'}
}

func timestampAttribute() attribute {
	return attribute{number: 1, column: column{schema.TimestampField, postgres.TimestampTZOID, -1, true, 0}}
}

// fieldColumn is a field as a column.
func fieldColumn(name string, t schema.Type) column {
	c := column{name: name, typeOID: t.OID(), typmod: t.Typmod()}
	if known, ok := postgres.TypeByOID(c.typeOID); ok {
		c.collation = known.Collation
	}
	return c
}

// undeclaredObject is an undeclared metric as an object. Names are as identifiers
// give them, cut; of two that are then equal the first counts.
func undeclaredObject(u undeclared) *object {
	o := tableObject(schemaPublic, postgres.CutIdentifier(u.sent), schema.UndeclaredTableOID(u.sent))
	o.sent = []string{u.sent}
	o.attributes = append(o.attributes, timestampAttribute())
	taken := map[string]bool{schema.TimestampField: true, schema.IDField: true}
	for i := range u.fields {
		f := &u.fields[i]
		name := postgres.CutIdentifier(f.Sent)
		if taken[name] || taken[f.Sent] {
			continue
		}
		taken[name] = true
		o.attributes = append(o.attributes, attribute{
			number: schema.UndeclaredAttribute(f), column: fieldColumn(name, f.Type),
		})
	}
	return o
}

// userObjects are the tables and views that are not PostgreSQL's own: declared
// metrics and views, then undeclared metrics, which can be queried as well. Those
// that are as they were in an earlier state are the same objects.
func userObjects(s *state, earlier map[uint32]*object) []*object {
	out := make([]*object, 0, len(s.snapshot.Metrics)+len(s.undeclared)+1+len(fieldgateTable))
	add := func(oid uint32, from origin, made func() *object) {
		from.access = s.snapshot.AccessTo(oid)
		o, ok := earlier[oid]
		if !ok || !o.same(from) {
			o = made()
			o.origin = from
		}
		out = append(out, o)
	}
	taken := map[string]bool{}
	for _, m := range s.snapshot.Metrics {
		add(schema.TableOID(m), origin{metric: m}, func() *object { return metricObject(schemaPublic, m) })
		taken[m.Name] = true
		for _, alias := range m.Aliases {
			taken[alias] = true
		}
	}
	for _, v := range s.snapshot.Views {
		add(schema.ViewOID(v), origin{view: v}, func() *object { return viewObject(v) })
		taken[v.Name] = true
	}
	numbers := map[uint32]bool{}
	for _, u := range s.undeclared {
		name, oid := postgres.CutIdentifier(u.sent), schema.UndeclaredTableOID(u.sent)
		// A name that means another table, or a number that hashed alike, would
		// mix two tables up.
		if taken[name] || numbers[oid] {
			continue
		}
		taken[name], numbers[oid] = true, true
		add(oid, origin{undeclared: u}, func() *object {
			o := undeclaredObject(u)
			if r := s.read(o); !r.Observe {
				o.attributes = o.attributes[:1] // its timestamp
			}
			return o
		})
	}
	stream := schema.ErrorTable()
	add(schema.TableOID(stream), origin{}, func() *object { return metricObject(schemaErrors, stream) })
	for i := range fieldgateTable {
		d := &fieldgateTable[i]
		add(d.oid, origin{}, func() *object { return described(d) })
	}
	return out
}

// allObjects are all tables and views, PostgreSQL's own last.
func (s *state) allObjects() []*object { return slices.Concat(s.objects, systemObjects()) }

func systemObjects() []*object {
	out := make([]*object, 0, len(relationTable))
	for i := range relationTable {
		out = append(out, described(&relationTable[i]))
	}
	return out
}

// block is the rows of a relation about the object. A state that has the object
// has the same ones.
func (o *object) block(s *state, r *relation, p *part) *block {
	o.mu.Lock()
	defer o.mu.Unlock()
	if made, ok := o.blocks[r]; ok {
		return made
	}
	b := newBuilder(r)
	p.each(s, o, b)
	made := b.block()
	if o.blocks == nil {
		o.blocks = map[*relation]*block{}
	}
	o.blocks[r] = made
	s.bytes.Add(made.bytes())
	return made
}

// bytes is about what the rows about the object take.
func (o *object) bytes() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := int64(0)
	for _, b := range o.blocks {
		n += b.bytes()
	}
	return n
}
