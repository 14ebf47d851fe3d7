package pgcatalog

import (
	"fmt"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// informationDomain is a domain of information_schema: what it says of its base type.
type informationDomain struct {
	name      string
	base      postgres.OID
	typmod    int32
	fallback  any
	collated  bool
	precision any
}

func informationDomains() []informationDomain {
	const yesOrNoTypmod, timePrecision = 3 + typmodHeader, 2
	return []informationDomain{
		{name: "cardinal_number", base: postgres.Int4OID, typmod: -1},
		{name: "character_data", base: postgres.VarcharOID, typmod: -1, collated: true},
		{name: "sql_identifier", base: postgres.NameOID, typmod: -1, collated: true},
		{name: "time_stamp", base: postgres.TimestampTZOID, typmod: timePrecision, fallback: "CURRENT_TIMESTAMP(2)", precision: timePrecision},
		{name: "yes_or_no", base: postgres.VarcharOID, typmod: yesOrNoTypmod, collated: true},
	}
}

func domainRows(database string, b *builder) {
	for _, d := range informationDomains() {
		n := measuresOf(d.base, d.typmod)
		if d.precision != nil {
			n.datetime = d.precision
		}
		var collationCatalog, collationSchema, collation any
		if d.collated {
			collationCatalog, collationSchema, collation = database, schemaCatalog, "C"
		}
		t, _ := postgres.TypeByOID(d.base)
		b.add("domain_catalog", database, "domain_schema", schemaInformation, "domain_name", d.name, "data_type", d.base.String(),
			"character_maximum_length", n.length, "character_octet_length", n.octets, "collation_catalog", collationCatalog,
			"collation_schema", collationSchema, "collation_name", collation, "numeric_precision", n.precision, "numeric_precision_radix", n.radix,
			"numeric_scale", n.scale, "datetime_precision", n.datetime, "domain_default", d.fallback, "udt_catalog", database,
			"udt_schema", schemaCatalog, "udt_name", t.Name, "dtd_identifier", "1")
	}
}

func domainConstraintRows(database string, b *builder) {
	for i, name := range []string{"cardinal_number", "yes_or_no"} {
		b.add("constraint_catalog", database, "constraint_schema", schemaInformation, "constraint_name", domainChecks()[i].name,
			"domain_catalog", database, "domain_schema", schemaInformation, "domain_name", name, "is_deferrable", "NO", "initially_deferred", "NO")
	}
}

// usageRows list what everybody may use.
func usageRows(database string, b *builder) {
	add := func(schemaName, kind, name string) {
		b.add("grantor", systemRole, "grantee", granteeName(""), "object_catalog", database, "object_schema", schemaName, "object_name", name,
			"object_type", kind, "privilege_type", "USAGE", "is_grantable", "NO")
	}
	for _, name := range []string{"default", "C", "POSIX"} {
		add(schemaCatalog, "COLLATION", name)
	}
	for _, d := range informationDomains() {
		add(schemaInformation, "DOMAIN", d.name)
	}
}

// eachNotNull visits the tenant's columns that are never NULL, which information_schema
// lists as constraints, by the name that it makes for each.
func (p *pin) eachNotNull(visit func(o *object, column, name string)) {
	if !p.isOwner() {
		return // they are their owner's to see
	}
	for _, o := range p.state.objects {
		for _, a := range o.attributes {
			if o.isUsers() && o.kind == 'r' && a.notNull {
				visit(o, a.name, fmt.Sprintf("%d_%d_%d_not_null", namespaceOID(o.schema), o.oid, a.number))
			}
		}
	}
}
