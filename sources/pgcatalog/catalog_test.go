package pgcatalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// bundle is a catalog over two tenants. acme has a metric, two users and what its
// devices sent; globex has a metric of the same name and a user.
type bundle struct {
	catalog  *pgcatalog.Catalog
	store    *schema.Store
	observed *schema.Observed
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv.bolt")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	store, err := schema.NewStore(db, schema.StoreConfig{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	observed, err := schema.NewObserved(db, schema.ObservedConfig{Schemas: store, Now: now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	declare(t, store)
	at := now().UnixMicro()
	for _, metric := range []string{"thermo", "unheard"} {
		observed.Note(&schema.Event{Dataset: schema.Dataset{Tenant: "acme", Metric: metric}, Time: at, ReceivedAt: at, Values: []schema.Value{
			{Name: "extra", Kind: schema.KindText, Text: []byte("x")},
			{Name: "temp_f", Kind: schema.KindInt, Int: 68},
		}})
	}
	observed.Note(&schema.Event{Dataset: schema.Dataset{Tenant: "globex", Metric: "secret"}, Time: at, ReceivedAt: at})
	if err := observed.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	catalog, err := pgcatalog.New(pgcatalog.Config{Users: users, Observed: observed, Files: files, Lags: lags})
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{catalog: catalog, store: store, observed: observed}
}

func declare(t *testing.T, store *schema.Store) {
	t.Helper()
	for _, tenant := range []string{"acme", "globex"} {
		if err := store.AddTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		_, err := store.Change(t.Context(), tenant, "test", "declare", func(d *schema.Draft) error {
			fields := []schema.Field{
				{Name: "temperature", Type: schema.Type{Name: "double precision"}, Comment: "in Celsius"},
				{Name: "label", Type: schema.Type{Name: "varchar", Precision: 20}},
				{Name: "price", Type: schema.Type{Name: "numeric", Precision: 10, Scale: 2}},
				{Name: "body", Type: schema.Type{Name: "jsonb"}},
			}
			if tenant == "globex" {
				fields = fields[1:2]
			}
			if err := d.CreateMetric(schema.Metric{Name: "thermostat", Fields: fields, Comment: "of " + tenant}); err != nil {
				return err
			}
			if tenant == "globex" {
				return nil
			}
			if err := d.AddSource("thermostat", "temperature", schema.Source{Name: "temp_f", Convert: "(value - 32) * 5 / 9"}); err != nil {
				return err
			}
			return d.AddMetricAlias("thermostat", "thermo")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func users(_ context.Context, tenant string) ([]pgcatalog.User, error) {
	switch tenant {
	case "acme":
		return []pgcatalog.User{{Name: "reader"}, {Name: "alice", Owner: true}}, nil
	case "globex":
		return []pgcatalog.User{{Name: "bob"}}, nil
	}
	return nil, errors.New("unknown tenant")
}

func files(_ context.Context, tenant string) ([]pgcatalog.File, error) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	return []pgcatalog.File{{
		Metric: tenant + "-metric", Path: tenant + "/1.parquet", Rows: 10, Bytes: 1000,
		MinTime: day, MaxTime: day.Add(time.Hour), Columns: []string{"i_temp_f"}, CreatedAt: day.Add(2 * time.Hour),
	}}, nil
}

func lags(context.Context, string) ([]pgcatalog.Lag, error) {
	return []pgcatalog.Lag{{Stage: "raw", Shard: 3, Records: 7, Seconds: 0.5, Position: "12"}}, nil
}

func (b *bundle) view(t *testing.T, tenant, user string) *sources.CatalogView {
	t.Helper()
	snapshot, err := b.store.Current(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return &sources.CatalogView{
		Snapshot: snapshot, User: user, SessionID: 42,
		Path:     []string{"pg_catalog", "public"},
		Settings: func() map[string]string { return map[string]string{"application_name": "test", "TimeZone": "UTC"} },
	}
}

// rows are the rows of a relation, with the values of each as its type has them:
// nil, int64, float64, string, []string, []int64.
func (b *bundle) rows(t testing.TB, view *sources.CatalogView, r sources.CatalogRelation) [][]any {
	t.Helper()
	pin, err := b.catalog.Pin(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pin.Rows(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]any
	for _, block := range rows.Blocks() {
		for n := range block.Len() {
			row := make([]any, len(r.Columns()))
			for i := range row {
				row[i] = valueAt(block.Column(i), n, postgres.OID(r.Columns()[i].TypeOID))
			}
			out = append(out, row)
		}
	}
	return out
}

func valueAt(c *sources.CatalogValues, row int, oid postgres.OID) any {
	switch {
	case !c.IsValid(row):
		return nil
	case postgres.BaseOf(oid) == postgres.BoolOID:
		return c.IntAt(row) != 0
	case c.Ints != nil:
		return c.IntAt(row)
	case c.Nums != nil:
		return c.Nums[c.Place(row)]
	case c.Texts != nil:
		return c.Texts[c.Place(row)]
	case c.Lists != nil:
		return c.Lists[c.Place(row)]
	}
	return c.TextAt(row)
}

// TestRelations prints rows of relations. Its command:
//
//	rows relation=SCHEMA.NAME [tenant=acme] [columns=(a,b)] [where=(column=text)] [user]
//	    the rows, NULLs empty; by default all columns; user leaves out what has an
//	    identifier of PostgreSQL's own (column oid or attrelid below 16000)
func TestRelations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	datadriven.Walk(t, "testdata/relations", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var name string
			tenant := "acme"
			d.ScanArgs(t, "relation", &name)
			d.MaybeScanArgs(t, "tenant", &tenant)
			schemaName, name, _ := strings.Cut(name, ".")
			r, ok := b.catalog.Relation(schemaName, name)
			if !ok {
				return "no such relation\n"
			}
			return table(t, d, r.Columns(), b.rows(t, b.view(t, tenant, "alice"), r))
		})
	})
}

// table prints the rows and columns that a command asks for.
func table(t *testing.T, d *datadriven.TestData, columns []sources.CatalogColumn, rows [][]any) string {
	place := func(name string) int {
		return slices.IndexFunc(columns, func(c sources.CatalogColumn) bool { return c.Name == name })
	}
	var shown []int
	if arg, ok := d.Arg("columns"); ok {
		for _, name := range arg.Vals {
			shown = append(shown, place(name))
		}
	} else {
		for i := range columns {
			shown = append(shown, i)
		}
	}
	var out strings.Builder
	for i, p := range shown {
		if p < 0 {
			d.Fatalf(t, "no such column")
		}
		fmt.Fprint(&out, separator(i), columns[p].Name)
	}
	out.WriteByte('\n')
	for _, row := range rows {
		if arg, ok := d.Arg("where"); ok {
			name, want, _ := strings.Cut(strings.Join(arg.Vals, ","), "=")
			if text(row[place(name)]) != want {
				continue
			}
		}
		if d.HasArg("user") {
			p := max(place("oid"), place("attrelid"))
			if oid, ok := row[p].(int64); ok && oid < 16000 {
				continue
			}
		}
		for i, p := range shown {
			fmt.Fprint(&out, separator(i), text(row[p]))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return " | "
}

// text is a value as PostgreSQL prints it, but for times, which stay numbers.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "t"
		}
		return "f"
	case []string:
		return "{" + strings.Join(v, ",") + "}"
	case []int64:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = fmt.Sprint(v[i])
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprint(v)
}

// everything computes all relations for a tenant.
func (b *bundle) everything(t *testing.T, tenant, user string, each func(name string, columns []sources.CatalogColumn, rows [][]any)) {
	t.Helper()
	view := b.view(t, tenant, user)
	classes, _ := b.catalog.Relation("pg_catalog", "pg_class")
	namespaces, _ := b.catalog.Relation("pg_catalog", "pg_namespace")
	names := map[any]string{}
	for _, n := range b.rows(t, view, namespaces) {
		names[n[0]] = n[1].(string)
	}
	for _, c := range b.rows(t, view, classes) {
		r, ok := b.catalog.Relation(names[c[2]], c[1].(string))
		if !ok {
			continue // a table of events
		}
		if int64(r.OID()) != c[0] {
			t.Errorf("%s: OID %d, in pg_class %v", c[1], r.OID(), c[0])
		}
		each(names[c[2]]+"."+c[1].(string), r.Columns(), b.rows(t, view, r))
	}
}

// TestValues checks of every value of every relation that it is what its column's
// type says.
func TestValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	relations := 0
	b.everything(t, "acme", "alice", func(name string, columns []sources.CatalogColumn, rows [][]any) {
		relations++
		for _, row := range rows {
			if len(row) != len(columns) {
				t.Fatalf("%s: %d values in %d columns", name, len(row), len(columns))
			}
			for i, v := range row {
				if v != nil && !fits(postgres.OID(columns[i].TypeOID), v) {
					t.Errorf("%s.%s: a %T as %s", name, columns[i].Name, v, postgres.OID(columns[i].TypeOID))
				}
			}
		}
	})
	if relations < 200 {
		t.Errorf("%d relations, PostgreSQL has more", relations)
	}
}

func fits(oid postgres.OID, v any) bool {
	oid = postgres.BaseOf(oid)
	switch v.(type) {
	case bool:
		return oid == postgres.BoolOID
	case float64:
		return oid == postgres.Float4OID || oid == postgres.Float8OID
	case string:
		category, _ := postgres.CategoryOf(oid)
		return category == postgres.StringCategory || oid == postgres.CharOID || oid == postgres.JSONBOID || oid == postgres.IntervalOID || oid == postgres.ACLItemOID || oid == postgres.PgNodeTreeOID
	case []string:
		return postgres.ElemOf(oid) != 0 && fits(postgres.ElemOf(oid), "")
	case []int64:
		return postgres.ElemOf(oid) != 0 && fits(postgres.ElemOf(oid), int64(0))
	case int64:
		switch oid {
		case postgres.Int2OID, postgres.Int4OID, postgres.Int8OID, postgres.OIDOID, postgres.RegprocOID, postgres.XIDOID, postgres.TimestampTZOID:
			return true
		}
	}
	return false
}

// TestReferences checks that identifiers lead somewhere.
func TestReferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	values := map[string]map[int64]bool{}
	b.everything(t, "acme", "alice", func(name string, columns []sources.CatalogColumn, rows [][]any) {
		for i, c := range columns {
			set := map[int64]bool{}
			for _, row := range rows {
				if n, ok := row[i].(int64); ok && n != 0 {
					set[n] = true
				}
			}
			values[strings.TrimPrefix(name, "pg_catalog.")+"."+c.Name] = set
		}
	})
	for from, to := range map[string]string{
		"pg_class.relnamespace": "pg_namespace.oid", "pg_class.relowner": "pg_roles.oid", "pg_class.reltype": "pg_type.oid",
		"pg_class.relam": "pg_am.oid", "pg_attribute.attrelid": "pg_class.oid", "pg_attribute.atttypid": "pg_type.oid",
		"pg_attribute.attcollation": "pg_collation.oid", "pg_type.typrelid": "pg_class.oid", "pg_type.typelem": "pg_type.oid",
		"pg_type.typarray": "pg_type.oid", "pg_type.typnamespace": "pg_namespace.oid", "pg_type.typinput": "pg_proc.oid",
		"pg_type.typowner": "pg_roles.oid", "pg_namespace.nspowner": "pg_roles.oid", "pg_database.datdba": "pg_roles.oid",
		"pg_database.dattablespace": "pg_tablespace.oid", "pg_proc.prorettype": "pg_type.oid", "pg_proc.prolang": "pg_language.oid",
		"pg_operator.oprcode": "pg_proc.oid", "pg_cast.castsource": "pg_type.oid", "pg_aggregate.aggfnoid": "pg_proc.oid",
		"pg_range.rngtypid": "pg_type.oid", "pg_user.usesysid": "pg_roles.oid", "pg_stat_activity.usesysid": "pg_roles.oid",
		"pg_stat_activity.datid": "pg_database.oid", "pg_stat_user_tables.relid": "pg_class.oid", "pg_description.classoid": "pg_class.oid",
	} {
		if len(values[from]) == 0 {
			t.Errorf("%s is empty", from)
		}
		for oid := range values[from] {
			if !values[to][oid] {
				t.Errorf("%s: %d is not in %s", from, oid, to)
			}
		}
	}
}

// TestTenants looks in all relations for what only the other tenant has.
func TestTenants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for tenant, foreign := range map[string][]string{
		"acme":   {"globex", "bob", "secret"},
		"globex": {"acme", "alice", "reader", "temperature", "Celsius", "thermo", "unheard"},
	} {
		b.everything(t, tenant, map[string]string{"acme": "alice", "globex": "bob"}[tenant], func(name string, _ []sources.CatalogColumn, rows [][]any) {
			for _, row := range rows {
				for _, v := range row {
					if slices.Contains(foreign, text(v)) {
						t.Errorf("%s of %s: %s", name, tenant, text(v))
					}
				}
			}
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := pgcatalog.New(pgcatalog.Config{}); err == nil {
		t.Error("a catalog that cannot list users")
	}
}

// BenchmarkColumns computes information_schema.columns for a version of the schema
// that was not asked for before.
func BenchmarkColumns(b *testing.B) {
	c, err := pgcatalog.New(pgcatalog.Config{Users: users})
	if err != nil {
		b.Fatal(err)
	}
	r, _ := c.Relation("information_schema", "columns")
	version := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		version++
		pin, err := c.Pin(b.Context(), &sources.CatalogView{Snapshot: &schema.Snapshot{Tenant: "acme", Version: version}})
		if err != nil {
			b.Fatal(err)
		}
		rows, err := pin.Rows(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		rows.Blocks()
	}
}
