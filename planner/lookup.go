package planner

import (
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// The schemas that names can be qualified with.
const (
	schemaPublic      = "public"
	schemaErrors      = schema.NamespaceErrors
	schemaFieldgate   = "fieldgate"
	schemaCatalog     = "pg_catalog"
	schemaInformation = "information_schema"
)

// maxIdentifier is how many bytes of a name the parser keeps (NAMEDATALEN - 1).
const maxIdentifier = 63

// lookup is what the names of one statement can mean: one version of the schema,
// and what devices were seen to send.
type lookup struct {
	snapshot *schema.Snapshot
	catalog  sources.Catalog
	// path lists the schemas that unqualified names are looked up in.
	path []string
	// conversions are bound conversions; nil: none are kept.
	conversions *lru.Cache[conversion, Expr]
	// observed gives the undeclared metrics, as they were of late, isSent says whether a
	// dataset is one now, and fields gives what was sent to it.
	observed func() ([]schema.ObservedMetric, error)
	isSent   func(schema.Dataset) (bool, error)
	fields   func(schema.Dataset) ([]schema.ObservedField, error)
	// meant are the OIDs of what the names of a view's query mean, by these; noted, if
	// not nil, gets those of one that is being made.
	meant, noted map[string]uint32
	// inspected is what the name of that meaning stands for; nil: nothing.
	inspected *metricTable
	// pinned is what the statement sees of catalog, which is not nil then.
	pinned func() (sources.CatalogPin, error)
	// objectOID gives the OID of the object of a relation of pg_catalog whose
	// column has a name.
	objectOID func(relation, column, name string) (oid uint32, ok bool, err error)
}

// table is what a name in FROM means: exactly one member is set.
type table struct {
	schema  string
	metric  *metricTable
	view    *schema.View
	catalog sources.CatalogRelation
}

// table finds a relation; the name is in one part if schemaName is empty.
func (l *lookup) table(schemaName, name string, at int32) (*table, error) {
	if schemaName != "" {
		t, err := l.inSchema(schemaName, name, at)
		if err != nil || t != nil {
			return t, err
		}
		return nil, errorAt(at, pgerrcode.UndefinedTable, "relation \"%s.%s\" does not exist", schemaName, name)
	}
	if l.inspected != nil && name == inspected {
		return &table{schema: schemaPublic, metric: l.inspected}, nil
	}
	for _, s := range l.path {
		t, err := l.inSchema(s, name, at)
		if err != nil || t != nil {
			return t, err
		}
	}
	return nil, errorAt(at, pgerrcode.UndefinedTable, "relation %q does not exist", name)
}

// inSchema finds a relation of one schema; nil: there is none of that name.
func (l *lookup) inSchema(schemaName, name string, at int32) (*table, error) {
	switch schemaName {
	case schemaPublic:
		return l.inPublic(name, at)
	case schemaErrors:
		if name != schema.ErrorMetric {
			return nil, nil
		}
		return &table{schema: schemaErrors, metric: l.errorTable()}, nil
	}
	if l.catalog == nil {
		return nil, nil
	}
	if r, ok := l.catalog.Relation(schemaName, name); ok {
		return &table{schema: schemaName, catalog: r}, nil
	}
	return nil, nil
}

// inPublic finds a view or a metric. A name in a view's query means what it did when
// the view was made.
func (l *lookup) inPublic(name string, at int32) (*table, error) {
	if oid, is := l.meant[name]; is {
		if v, ok := l.snapshot.ViewByOID(oid); ok {
			return &table{schema: schemaPublic, view: v}, nil
		}
		if m, ok := l.snapshot.MetricByOID(oid); ok {
			return &table{schema: schemaPublic, metric: l.declared(m)}, nil
		}
		return nil, nil
	}
	if v, ok := l.snapshot.View(name); ok {
		l.note(name, schema.ViewOID(v))
		return &table{schema: schemaPublic, view: v}, nil
	}
	m, err := l.metric(name, at)
	if m == nil || err != nil {
		return nil, err
	}
	if m.metric != nil {
		l.note(name, m.oid)
	}
	return &table{schema: schemaPublic, metric: m}, nil
}

func (l *lookup) note(name string, oid uint32) {
	if l.noted != nil {
		l.noted[name] = oid
	}
}

func isSchema(name string) bool {
	switch name {
	case schemaPublic, schemaErrors, schemaFieldgate, schemaCatalog, schemaInformation:
		return true
	}
	return false
}

// metric finds a metric by its name or alias, declared before undeclared, exactly
// before ignoring case; nil: there is none.
func (l *lookup) metric(name string, at int32) (*metricTable, error) {
	if m, ok := l.snapshot.MetricOfSent(name); ok {
		return l.declared(m), nil
	}
	observed, err := l.observed()
	if err != nil {
		return nil, err
	}
	same := func(sent string) bool { return sentNameIs(sent, name) }
	folded := func(sent string) bool { return strings.EqualFold(cutName(sent), name) }
	for _, match := range []func(string) bool{same, folded} {
		found := l.metricsLike(observed, match)
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return nil, errorAt(at, pgerrcode.AmbiguousAlias, "table reference %q is ambiguous", name).
				withHint("It could mean %s.", orList(found, func(m *metricTable) string { return quoteName(m.name) }))
		}
	}
	// Another gateway may have shown its rows already.
	if is, err := l.isSent(l.snapshot.Dataset(name)); !is || err != nil {
		return nil, err
	}
	return l.undeclared(name), nil
}

// metricsLike are the metrics, declared or not, of which a name matches.
func (l *lookup) metricsLike(observed []schema.ObservedMetric, match func(string) bool) []*metricTable {
	var found []*metricTable
	for _, m := range l.snapshot.Metrics {
		if match(m.Name) || slices.ContainsFunc(m.Aliases, match) {
			found = append(found, l.declared(m))
		}
	}
	for i := range observed {
		sent := observed[i].Sent
		if _, declared := l.snapshot.MetricOfSent(sent); !declared && match(sent) {
			found = append(found, l.undeclared(sent))
		}
	}
	return found
}

// sentNameIs says whether an identifier, which the parser may have cut, is a sent
// name.
func sentNameIs(sent, identifier string) bool {
	return sent == identifier || len(identifier) >= maxIdentifier-3 && cutName(sent) == identifier
}

// cutName is a name as the parser would hand it over.
func cutName(name string) string { return postgres.CutIdentifier(name) }

// orList joins what names could mean: "a or b", "a, b or c".
func orList[T any](list []T, text func(T) string) string {
	var b strings.Builder
	for i, v := range list {
		switch {
		case i > 0 && i == len(list)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(text(v))
	}
	return b.String()
}

// quoteName writes a name as an identifier, quoted where it must be.
func quoteName(name string) string {
	plain := name != ""
	for i := range len(name) {
		c := name[i]
		plain = plain && (c >= 'a' && c <= 'z' || c == '_' || i > 0 && (c >= '0' && c <= '9'))
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
