package pgcatalog_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/pgcatalog"
)

// blocks are those of a relation by the table that they are about, "" for blocks
// about others, and the rows of all.
func (b *bundle) blocks(t *testing.T, user, schemaName, relation string, name int) (byTable map[string]sources.CatalogBlock, all [][]any) {
	t.Helper()
	view := b.view(t, "acme", user)
	view.Limited = user != "alice"
	r, ok := b.catalog.Relation(schemaName, relation)
	if !ok {
		t.Fatalf("no %s.%s", schemaName, relation)
	}
	pin, err := b.catalog.Pin(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pin.Rows(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	byTable = map[string]sources.CatalogBlock{}
	for _, block := range rows.Blocks() {
		table := ""
		if c := block.Column(name); c.Same || block.Len() == 1 {
			table = fmt.Sprint(valueAt(c, 0, 0))
		}
		byTable[table] = block
	}
	return byTable, b.rows(t, view, r)
}

// TestBlocks changes one table of several: what the catalog has of the others stays
// as it was computed, and all rows are as a catalog computes them that knew nothing.
func TestBlocks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.change(t, func(d *schema.Draft) error {
		for _, name := range []string{"one", "two", "three"} {
			fields := []schema.Field{{Name: "a", Type: schema.Type{Name: "bigint"}}, {Name: "b", Type: schema.Type{Name: "text"}}}
			if err := d.CreateMetric(schema.Metric{Name: name, Fields: fields}); err != nil {
				return err
			}
		}
		return nil
	})
	oid := func(d *schema.Draft, name string) uint32 {
		m, _ := d.Metric(name)
		return schema.TableOID(m)
	}
	for _, c := range []struct {
		name    string
		user    string
		change  func(d *schema.Draft) error
		changed []string
	}{
		{"a field more", "alice", func(d *schema.Draft) error {
			return d.AddField("two", schema.Field{Name: "c", Type: schema.Type{Name: "date"}})
		}, []string{"two"}},
		{"a comment", "alice", func(d *schema.Draft) error { return d.SetComment("three", "a", "the first") }, []string{"three"}},
		{"a grant of columns", "alice", func(d *schema.Draft) error {
			return d.Grant(oid(d, "one"), schema.Granting{Role: "reader", Privileges: schema.Privileges{Columns: []int{2}}})
		}, []string{"one"}},
		{"a grant to who reads", "reader", func(d *schema.Draft) error {
			return d.Grant(oid(d, "two"), schema.Granting{Role: "reader", Privileges: schema.Privileges{Columns: []int{3}}})
		}, []string{"two"}},
		{"another name", "alice", func(d *schema.Draft) error { return d.RenameMetric("three", "four") }, []string{"three", "four"}},
		{"one table less", "alice", func(d *schema.Draft) error { return d.DropMetric("two") }, []string{"two"}},
	} {
		before, _ := b.blocks(t, c.user, "information_schema", "columns", 2)
		b.change(t, c.change)
		after, rows := b.blocks(t, c.user, "information_schema", "columns", 2)
		for table, block := range after {
			if was, ok := before[table]; ok && (was == block) == slices.Contains(c.changed, table) {
				t.Errorf("%s: the columns of %q are computed anew: %t", c.name, table, was != block)
			}
		}
		fresh := b.fresh(t)
		if _, want := fresh.blocks(t, c.user, "information_schema", "columns", 2); fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s: columns\n%v\nwant\n%v", c.name, rows, want)
		}
		_, got := b.blocks(t, c.user, "pg_catalog", "pg_attribute", 0)
		if _, want := fresh.blocks(t, c.user, "pg_catalog", "pg_attribute", 0); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: pg_attribute\n%v\nwant\n%v", c.name, got, want)
		}
	}
}

// TestBlocksOfKey asks for the blocks of one table.
func TestBlocksOfKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pin, err := b.catalog.Pin(t.Context(), b.view(t, "acme", "alice"))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := b.catalog.Relation("information_schema", "columns")
	rows, err := pin.Rows(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	const tableName, columnName = 2, 3
	for _, c := range []struct {
		column, rows int
		values       []string
	}{
		{tableName, 5, []string{"thermostat"}},
		{tableName, 0, []string{"nowhere"}},
		{columnName, 1, []string{"temperature"}},
		{tableName, 14, []string{"columns_of_nothing", "stream", "thermostat"}},
	} {
		found := 0
		for _, block := range rows.BlocksText(c.column, c.values) {
			for _, value := range c.values {
				found += len(block.WhereText(c.column, value))
			}
		}
		if found != c.rows {
			t.Errorf("column %d, %q: %d rows, want %d", c.column, c.values, found, c.rows)
		}
	}
	own := func(block sources.CatalogBlock) bool { return block.Len() < 100 }
	if n := len(slices.DeleteFunc(rows.BlocksText(tableName, []string{"thermostat"}), func(b sources.CatalogBlock) bool { return !own(b) })); n != 1 {
		t.Errorf("%d blocks of tables for one name", n)
	}
}

func (b *bundle) change(t *testing.T, edit func(d *schema.Draft) error) {
	t.Helper()
	if _, err := b.store.Change(t.Context(), "acme", "test", "change", edit); err != nil {
		t.Fatal(err)
	}
}

// fresh is the bundle with a catalog that has computed nothing.
func (b *bundle) fresh(t *testing.T) *bundle {
	t.Helper()
	catalog, err := pgcatalog.New(pgcatalog.Config{Users: users, Observed: b.observed, Files: files, Lags: lags})
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{catalog: catalog, store: b.store, observed: b.observed}
}
