package pgcatalog

// domainCheck is the constraint of a domain of information_schema.
type domainCheck struct {
	name              string
	oid, domain       uint32
	condition, pretty string
}

func domainChecks() []domainCheck {
	return []domainCheck{
		{"cardinal_number_domain_check", 13222, 13221, "((VALUE >= 0))", "VALUE >= 0"},
		{
			"yes_or_no_check", 13235, 13234, "(((VALUE)::text = ANY ((ARRAY['YES'::character varying, 'NO'::character varying])::text[])))",
			"VALUE::text = ANY (ARRAY['YES'::character varying, 'NO'::character varying]::text[])",
		},
	}
}

// constraintRows lists the constraints of information_schema's domains. No table has any.
func constraintRows(b *builder) {
	for _, c := range domainChecks() {
		b.add("oid", c.oid, "conname", c.name, "connamespace", informationSchemaOID, "contype", "c", "convalidated", true, "contypid", c.domain,
			"confupdtype", " ", "confdeltype", " ", "confmatchtype", " ", "conislocal", true, "conbin", c.condition)
	}
}
