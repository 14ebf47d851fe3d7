package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/browse"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// The database and the owner that a twin has on both sides.
const (
	twinName     = "fieldgate_twin"
	twinPassword = "twin password"
)

// twinTables are declared in both servers. The names are what clients stumble
// over.
var twinTables = []string{
	`create table press (timestamp timestamptz, temperature double precision, ok boolean, label varchar(20), price numeric(10,2), n integer, "when" date)`,
	`create table "Odd Name.x" (timestamp timestamptz, "Upper Case" integer, "dot.ted" bigint, "quo""te" text, "émo😀ji" jsonb, "select" smallint)`,
	`create table empty_one (timestamp timestamptz)`,
	`comment on table press is 'the hot ones'`,
	`comment on column press.temperature is 'in Celsius'`,
}

// twin is a database with the same tables here and in a real PostgreSQL.
type twin struct {
	*instance
	ours, theirs string // connection strings
}

// startTwin starts a server with the tables of a twin.
func startTwin(t *testing.T) *twin {
	t.Helper()
	dir := t.TempDir()
	w := &twin{instance: start(t, dir)}
	must(t, dir, "", "tenant", "add", twinName)
	must(t, dir, twinPassword+"\n", "user", "add", twinName, "--tenant", twinName, "--owner", "--password-stdin")
	w.ours = "postgres://" + twinName + ":" + strings.ReplaceAll(twinPassword, " ", "%20") + "@" + w.c.PGAddr + "/" + twinName + "?sslmode=disable"
	conn := dialURL(t, w.ours)
	for _, sql := range twinTables {
		w.exec(t, conn, sql)
	}
	return w
}

// withPostgres makes the same tables in a real PostgreSQL, or skips the test. They
// are made once in a process.
func (w *twin) withPostgres(t *testing.T) {
	t.Helper()
	dsn, err := twinOnce(testdeps.Server(t), w.mirrorSchemas(t))
	if err != nil {
		t.Fatalf("make the twin in PostgreSQL: %v", err)
	}
	w.theirs = dsn
}

var (
	twinMu   sync.Mutex
	twinMade map[string]string
)

func twinOnce(server string, schemas []string) (string, error) {
	twinMu.Lock()
	defer twinMu.Unlock()
	if made, ok := twinMade[server]; ok {
		return made, nil
	}
	ctx := context.Background()
	admin, err := pgconn.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(ctx) }()
	for _, sql := range []string{
		"drop database if exists " + twinName, "drop role if exists " + twinName,
		"create role " + twinName + " login password '" + twinPassword + "'", "create database " + twinName + " owner " + twinName,
	} {
		if _, err := admin.Exec(ctx, sql).ReadAll(); err != nil {
			return "", fmt.Errorf("%s: %w", sql, err)
		}
	}
	config, err := pgconn.ParseConfig(server)
	if err != nil {
		return "", err
	}
	address := fmt.Sprintf("%s:%d/%s?sslmode=disable", config.Host, config.Port, twinName)
	dsn := "postgres://" + twinName + ":" + strings.ReplaceAll(twinPassword, " ", "%20") + "@" + address
	asRoot, err := pgconn.Connect(ctx, "postgres://postgres@"+address)
	if err != nil {
		return "", err
	}
	defer func() { _ = asRoot.Close(ctx) }()
	before := []string{"alter schema public owner to " + twinName, "set session authorization " + twinName}
	after := []string{
		"alter table press alter timestamp set not null", `alter table "Odd Name.x" alter timestamp set not null`,
		"alter table empty_one alter timestamp set not null",
	}
	for _, sql := range slices.Concat(before, twinTables, schemas, after) {
		if _, err := asRoot.Exec(ctx, sql).ReadAll(); err != nil {
			return "", fmt.Errorf("%s: %w", sql, err)
		}
	}
	twinMade = map[string]string{server: dsn}
	return dsn, nil
}

// mirrorSchemas are statements that make what every tenant has beside its metrics.
func (w *twin) mirrorSchemas(t *testing.T) []string {
	t.Helper()
	const columns = `select n.nspname, c.relname, c.relkind, string_agg(case c.relkind when 'v' then 'null::' || format_type(a.atttypid, a.atttypmod)
			|| ' as ' || quote_ident(a.attname) else quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) end, ', ' order by a.attnum),
		obj_description(c.oid, 'pg_class')
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
		where n.nspname in ('errors', 'fieldgate') group by n.nspname, c.relname, c.relkind, c.oid`
	statements := []string{"create schema errors", "create schema fieldgate"}
	for _, row := range w.exec(t, dialURL(t, w.ours), columns).Rows {
		name := string(row[0]) + "." + string(row[1])
		if string(row[2]) == "v" {
			statements = append(statements, "create view "+name+" as select "+string(row[3]))
		} else {
			statements = append(statements, "create table "+name+" ("+string(row[3])+")")
		}
		if kind := map[string]string{"v": "view", "r": "table"}[string(row[2])]; row[4] != nil {
			statements = append(statements, "comment on "+kind+" "+name+" is '"+strings.ReplaceAll(string(row[4]), "'", "''")+"'")
		}
	}
	return statements
}

func dialURL(t *testing.T, url string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func (w *twin) exec(t *testing.T, conn *pgconn.PgConn, sql string) *pgconn.Result {
	t.Helper()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return results[len(results)-1]
}

// side is one of the two servers of a twin: how it numbers what users made.
type side struct {
	conn  *pgconn.PgConn
	names map[string]string // by number, as text
}

const firstUserOID = 16000

func (w *twin) side(t *testing.T, url string) *side {
	t.Helper()
	s := &side{conn: dialURL(t, url), names: map[string]string{}}
	for _, row := range w.exec(t, s.conn, `select oid::text, 'class ' || relname::text from pg_class union all
		select oid::text, 'type ' || typname::text from pg_type union all select oid::text, 'schema ' || nspname::text from pg_namespace union all
		select oid::text, 'role ' || rolname::text from pg_roles union all select oid::text, 'database ' || datname::text from pg_database`).Rows {
		s.names[string(row[0])] = string(row[1])
	}
	return s
}

// table is the number of a table.
func (w *twin) table(t *testing.T, s *side, name string) string {
	t.Helper()
	return string(w.exec(t, s.conn, `select oid from pg_class where relname = '`+name+`'`).Rows[0][0])
}

// ask runs a query and gives its columns, as name and type, and its rows, sorted
// unless their order counts, with names for the numbers of what users made.
func (s *side) ask(t *testing.T, q *browse.Query, sql string) (columns, rows []string, err error) {
	t.Helper()
	reader := s.conn.ExecParams(t.Context(), sql, nil, nil, nil, nil)
	fields := slices.Clone(reader.FieldDescriptions())
	r := reader.Read()
	if r.Err != nil {
		return nil, nil, r.Err
	}
	for _, f := range fields {
		columns = append(columns, fmt.Sprintf("%s %d/%d/%d", f.Name, f.DataTypeOID, f.TypeModifier, f.DataTypeSize))
	}
	for _, row := range r.Rows {
		var line strings.Builder
		for i, v := range row {
			f := fields[i]
			if slices.Contains(q.Except, f.Name) {
				continue
			}
			text := string(v)
			if v == nil {
				text = "NULL"
			}
			if n, err := strconv.ParseUint(text, 10, 32); err == nil && f.DataTypeOID == pgtype.OIDOID && n >= firstUserOID && s.names[text] != "" {
				text = s.names[text]
			}
			line.WriteString(f.Name + "=" + text + " | ")
		}
		rows = append(rows, line.String())
	}
	if !q.Ordered {
		slices.Sort(rows)
	}
	return columns, rows, nil
}

// TestBrowse compares what clients see of a catalog with PostgreSQL's answer on
// the same tables: names and types of columns, and rows.
func TestBrowse(t *testing.T) {
	t.Parallel()
	queries, err := browse.Queries()
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) < 60 {
		t.Errorf("%d queries", len(queries))
	}
	w := startTwin(t)
	w.withPostgres(t)
	ours, theirs := w.side(t, w.ours), w.side(t, w.theirs)
	for i := range queries {
		q := &queries[i]
		t.Run(q.Client+"/"+q.Name, func(t *testing.T) {
			compareBrowse(t, w, q, ours, theirs)
		})
	}
}

func compareBrowse(t *testing.T, w *twin, q *browse.Query, ours, theirs *side) {
	t.Helper()
	const table = "press"
	gotColumns, got, err := ours.ask(t, q, q.Fill(table, w.table(t, ours, table), twinName))
	wantColumns, want, wantErr := theirs.ask(t, q, q.Fill(table, w.table(t, theirs, table), twinName))
	if wantErr != nil {
		t.Fatalf("PostgreSQL: %v\n%s", wantErr, q.SQL)
	}
	if err != nil {
		t.Fatalf("%v %s\n%s", err, detailOf(err), q.SQL)
	}
	if !slices.Equal(gotColumns, wantColumns) {
		t.Errorf("columns\n got %s\nwant %s", strings.Join(gotColumns, ", "), strings.Join(wantColumns, ", "))
	}
	switch {
	case q.Shape:
		if q.Because == "" {
			t.Error("no reason why only the columns are compared")
		}
	case q.Subset:
		if len(got) == 0 {
			t.Error("no rows")
		}
		for _, row := range got {
			if !slices.Contains(want, row) {
				t.Errorf("not in PostgreSQL: %s", row)
			}
		}
	default:
		for _, row := range want {
			if !slices.Contains(got, row) {
				t.Errorf("lacks %s", row)
			}
		}
		for _, row := range got {
			if !slices.Contains(want, row) {
				t.Errorf("has %s", row)
			}
		}
		if !t.Failed() && len(got) != len(want) {
			t.Errorf("%d rows, want %d", len(got), len(want))
		}
	}
	if len(q.Except) > 0 && q.Because == "" {
		t.Error("no reason for the columns left out")
	}
}

func detailOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code + " " + e.Detail + " " + e.Hint
	}
	return ""
}

// TestDescribedColumns sees that what a result says of its columns is in the
// catalog, for tables that were declared, that were not, and for views.
func TestDescribedColumns(t *testing.T) {
	t.Parallel()
	w := startTwin(t)
	key, _ := addKey(t, w.c.DataDir, "--tenant", twinName, "--scope", "ingest")
	if status, a := w.send(t, "/v1/events/Nobody%20declared", `{"b":1,"_id":"x","a.b":"text"}`, "X-Api-Key", key); status != 200 || a.Accepted != 1 {
		t.Fatalf("post: %d %+v", status, a)
	}
	conn := dialURL(t, w.ours)
	awaitRows(t, conn, `select count(*) from "Nobody declared"`, "1")
	for _, table := range []string{"press", `"Odd Name.x"`, `"Nobody declared"`, "errors.stream", "fieldgate.files", "pg_class", "information_schema.columns"} {
		reader := conn.ExecParams(t.Context(), "select * from (select * from "+table+") t", nil, nil, nil, nil)
		fields := slices.Clone(reader.FieldDescriptions())
		if r := reader.Read(); r.Err != nil {
			t.Fatal(r.Err)
		}
		var got, want strings.Builder
		for _, f := range fields {
			fmt.Fprintf(&got, "%d %d %s\n", f.TableOID, f.TableAttributeNumber, f.Name)
		}
		for _, row := range w.exec(t, conn, `select attrelid, attnum, attname from pg_attribute where attnum > 0 and attrelid = '`+
			table+`'::regclass order by attnum`).Rows {
			fmt.Fprintf(&want, "%s %s %s\n", row[0], row[1], row[2])
		}
		if got.String() != want.String() || want.Len() == 0 {
			t.Errorf("%s is described as\n%s\nin the catalog\n%s", table, got.String(), want.String())
		}
	}
}
