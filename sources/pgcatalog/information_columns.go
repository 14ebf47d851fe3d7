package pgcatalog

import "github.com/fieldgate/fieldgate/schema/postgres"

// informationColumnRows lists the declared columns that the reader may read; hidden
// ones have names but no place.
func informationColumnRows(s *state, o *object, b *builder) {
	r := s.read(o)
	if !r.Any() {
		return
	}
	for i := range o.attributes {
		if a := &o.attributes[i]; r.Column(a.number) {
			addInformationColumn(b, s.snapshot.Tenant, o, a)
		}
	}
}

func systemInformationColumnRows(tenant string, b *builder) {
	for _, o := range systemObjects() {
		if isConcealed(o.schema, o.name) {
			continue
		}
		for i := range o.attributes {
			addInformationColumn(b, tenant, o, &o.attributes[i])
		}
	}
}

func addInformationColumn(b *builder, database string, o *object, a *attribute) {
	oid, typmod := a.typeOID, a.typmod
	t, _ := postgres.TypeByOID(oid)
	var domainCatalog, domainSchema, domainName any
	if t != nil && t.Kind == postgres.DomainType {
		domainCatalog, domainSchema, domainName = database, qualifier(t), t.Name
		typmod = t.BaseTypmod
		oid = postgres.BaseOf(oid)
		t, _ = postgres.TypeByOID(oid)
	}
	if t == nil {
		return // of a type that is not among PostgreSQL's own
	}
	dataType := oid.String()
	if t.IsArray() {
		dataType = "ARRAY"
	}
	var collationCatalog, collationSchema, collationName any
	if a.collation == collationC {
		collationCatalog, collationSchema, collationName = database, schemaCatalog, "C"
	}
	n := measuresOf(oid, typmod)
	b.add("table_catalog", database, "table_schema", o.schema, "table_name", o.name, "column_name", a.name, "ordinal_position", a.number,
		"is_nullable", yesOrNo(!a.notNull), "data_type", dataType, "character_maximum_length", n.length,
		"character_octet_length", n.octets, "numeric_precision", n.precision, "numeric_precision_radix", n.radix, "numeric_scale", n.scale,
		"datetime_precision", n.datetime, "collation_catalog", collationCatalog, "collation_schema", collationSchema,
		"collation_name", collationName, "domain_catalog", domainCatalog, "domain_schema", domainSchema, "domain_name", domainName,
		"udt_catalog", database, "udt_schema", qualifier(t), "udt_name", t.Name, "dtd_identifier", decimal(a.number),
		"is_self_referencing", "NO", "is_identity", "NO", "identity_cycle", "NO", "is_generated", "NEVER", "is_updatable", "NO")
}

func qualifier(t *postgres.Type) string {
	if t.Namespace == "" {
		return schemaCatalog
	}
	return t.Namespace
}

// measures are what information_schema says of a type's size; nil is NULL.
type measures struct {
	length, octets, precision, radix, scale, datetime any
}

// The constants of information_schema's own functions (information_schema.sql of
// PostgreSQL).
const (
	maxOctets          = 1 << 30
	octetsPerCharacter = 4
	datetimePrecision  = 6
	typmodHeader       = 4
)

func measuresOf(oid postgres.OID, typmod int32) measures {
	var n measures
	switch oid {
	case postgres.TextOID, postgres.VarcharOID, postgres.BPCharOID:
		n.octets = maxOctets
		if oid != postgres.TextOID && typmod >= 0 {
			n.length, n.octets = typmod-typmodHeader, (typmod-typmodHeader)*octetsPerCharacter
		}
	case postgres.Int2OID:
		n.precision, n.radix, n.scale = 16, 2, 0
	case postgres.Int4OID:
		n.precision, n.radix, n.scale = 32, 2, 0
	case postgres.Int8OID:
		n.precision, n.radix, n.scale = 64, 2, 0
	case postgres.Float4OID:
		n.precision, n.radix = 24, 2
	case postgres.Float8OID:
		n.precision, n.radix = 53, 2
	case postgres.NumericOID:
		n.radix = 10
		if typmod >= 0 {
			precision, scale := postgres.NumericTypmod(typmod)
			n.precision, n.scale = precision, scale
		}
	case postgres.DateOID:
		n.datetime = 0
	case postgres.TimeOID, postgres.TimestampOID, postgres.TimestampTZOID, postgres.TimeTZOID, postgres.IntervalOID:
		n.datetime = datetimePrecision
	}
	return n
}
