package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgxValues are literals of the types that columns and results have, as PostgreSQL
// reads them.
var pgxValues = map[string][]string{
	"inet":          {"1.2.3.4", "10.1.2.3/8", "::1", "fe80::1/64", "::ffff:1.2.3.4", "::1.2.3.4"},
	"cidr":          {"10/8", "192.168.1.0/24", "2001:db8::/32", "0.0.0.0/0"},
	"macaddr":       {"08:00:2b:01:02:03"},
	"macaddr8":      {"08:00:2b:01:02:03:04:05", "08002b010203"},
	"inet[]":        {"{1.2.3.4,10.0.0.0/8,NULL}"},
	"jsonpath":      {"$", "strict $.a[*] ? (@ > 1)"},
	"int4range":     {"[1,5)", "empty", "(,7)"},
	"varbit":        {"", "101", "111100001"},
	"numrange":      {"(1.50,2]", "(,)"},
	"tstzrange":     {`["2026-01-01 00:00:00+00",)`},
	"daterange":     {"[2026-01-01,2026-02-01)"},
	"int8range[]":   {`{"[1,5)",NULL,empty}`},
	"nummultirange": {"{[1,2),(3.5,]}", "{}"},
	"tsvector":      {"", "a:1A,2 'b c':3 d", "it''s"},
	"tsquery":       {"", "a & (b | !c:*AB) <2> d", "!!'x y'"},
	"regclass":      {"pg_class", "1"},
	"regtype":       {"int4", "-"},
	"regconfig":     {"simple", "pg_catalog.simple"},
	"tsvector[]":    {"{a:1,\"'b c':2B\",NULL}"},
	"bool":          {"t", "f"}, "int2": {"-32768", "7"}, "int4": {"-2147483648", "0"}, "int8": {"9223372036854775807", "-1"},
	"float4": {"1.5", "NaN", "-Infinity", "3.4e38"}, "float8": {"0.1", "-0", "Infinity", "1e-300"},
	"numeric": {"0", "-12345678901234567890.000100", "1e30", "NaN", "0.00001"}, "text": {"", "é😀 'x' \"y\""}, "varchar": {"abc"}, "bpchar": {"ab "},
	"name": {"pg_class"}, "bytea": {`\x00ff10`, `\x`}, "date": {"2026-02-28", "infinity", "0044-03-15 BC"}, "time": {"23:59:59.999999", "24:00:00"},
	"timestamp": {"2026-02-28 12:34:56.000001", "-infinity", "0001-01-01 00:00:00"}, "timestamptz": {"2026-02-28 12:34:56+05:30", "infinity"},
	"interval": {"1 year 2 mons -3 days 04:05:06.7", "0"}, "uuid": {"c0ffee00-0000-4000-8000-00000000beef"},
	"json": {`{"a": [1, null, "x"]}`}, "jsonb": {`{"b":1,"a":[true]}`, `"s"`}, "oid": {"4294967295"},
	"int4[]": {"{1,NULL,3}", "{}"}, "text[]": {`{a,"b c",NULL,"\"q\""}`}, "float8[]": {"{0.1,NaN}"}, "timestamptz[]": {`{"2026-01-01 00:00:00+00"}`}, "bool[]": {"{t,f}"},
}

// TestPgxValues reads each value as text and in binary, and sends it back in both, as
// PostgreSQL's bytes.
func TestPgxValues(t *testing.T) {
	t.Parallel()
	w := startFilledTwin(t)
	ours, theirs := dialURL(t, w.ours), dialURL(t, w.theirs)
	one := func(conn *pgconn.PgConn, sql string, param []byte, in, out int16) string {
		var params [][]byte
		if param != nil {
			params = [][]byte{param}
		}
		r := conn.ExecParams(t.Context(), sql, params, nil, []int16{in}[:len(params)], []int16{out}).Read()
		if r.Err != nil {
			return failure(r.Err)
		}
		return fmt.Sprintf("%d %q", r.FieldDescriptions[0].DataTypeOID, r.Rows[0][0])
	}
	for name, literals := range pgxValues {
		for _, literal := range literals {
			sql := fmt.Sprintf("SELECT '%s'::%s", strings.ReplaceAll(literal, "'", "''"), name)
			for out := range int16(2) {
				if got, want := one(ours, sql, nil, 0, out), one(theirs, sql, nil, 0, out); got != want {
					t.Errorf("%s in format %d: %s, want %s", sql, out, got, want)
				}
			}
			var encoded [2][]byte
			for format := range int16(2) {
				r := theirs.ExecParams(t.Context(), sql, nil, nil, nil, []int16{format}).Read()
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				encoded[format] = r.Rows[0][0]
			}
			param := "SELECT $1::" + name
			for in := range int16(2) {
				for out := range int16(2) {
					if got, want := one(ours, param, encoded[in], in, out), one(theirs, param, encoded[in], in, out); got != want {
						t.Errorf("%s of %q, formats %d and %d: %s, want %s", param, literal, in, out, got, want)
					}
				}
			}
		}
	}
}

// pgxSteps are ways of pgx to ask; each gives words that must be the same on both
// sides.
var pgxSteps = []struct {
	name string
	run  func(ctx context.Context, conn *pgx.Conn) (string, error)
}{
	{"batch", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		var b pgx.Batch
		for i := range 5 {
			b.Queue("SELECT n, $1::int FROM press ORDER BY n NULLS FIRST LIMIT $2", i, i)
		}
		b.Queue("SELECT nothing FROM press")
		b.Queue("SELECT 1")
		results := conn.SendBatch(ctx, &b)
		var out strings.Builder
		for range b.Len() {
			rows, err := results.Query()
			if err != nil {
				fmt.Fprintln(&out, failure(err))
				continue
			}
			for rows.Next() {
				values, err := rows.Values()
				if err != nil {
					return "", err
				}
				fmt.Fprintln(&out, values...)
			}
			if rows.Err() != nil {
				fmt.Fprintln(&out, failure(rows.Err()))
			}
		}
		_ = results.Close() // tells of the failure again
		return out.String(), conn.Ping(ctx)
	}},
	{"pipeline", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		p := conn.PgConn().StartPipeline(ctx)
		p.SendPrepare("pipe", "SELECT n + $1::int FROM press WHERE n IS NOT NULL ORDER BY 1", nil)
		p.SendQueryPrepared("pipe", [][]byte{[]byte("1")}, nil, nil)
		if err := p.Sync(); err != nil {
			return "", err
		}
		p.SendQueryParams("SELECT 1 / (n - 1) FROM press WHERE n = 1", nil, nil, nil, nil)
		p.SendQueryPrepared("pipe", [][]byte{[]byte("2")}, nil, nil)
		if err := p.Sync(); err != nil {
			return "", err
		}
		p.SendQueryPrepared("pipe", [][]byte{[]byte("3")}, nil, nil)
		p.SendDeallocate("pipe")
		if err := p.Sync(); err != nil {
			return "", err
		}
		var out strings.Builder
		for {
			result, err := p.GetResults()
			switch r := result.(type) {
			case *pgconn.ResultReader:
				read := r.Read()
				fmt.Fprintf(&out, "%s %q %v\n", read.CommandTag, read.Rows, read.Err != nil)
			case *pgconn.StatementDescription:
				fmt.Fprintln(&out, r.ParamOIDs, len(r.Fields))
			case nil:
				if err == nil {
					return out.String(), p.Close()
				}
			default:
				fmt.Fprintf(&out, "%T\n", r)
			}
			if err != nil {
				fmt.Fprintln(&out, failure(err))
			}
		}
	}},
	{"copy", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		var out bytes.Buffer
		for _, how := range []string{"", " (FORMAT csv, HEADER)", " (FORMAT binary)"} {
			tag, err := conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT n, label, price, ok FROM press ORDER BY timestamp) TO STDOUT"+how)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(&out, tag)
		}
		_, err := conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT nothing FROM press) TO STDOUT")
		fmt.Fprintln(&out, failure(err))
		return fmt.Sprintf("%q", out.String()), nil
	}},
	{"cursor", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead})
		if err != nil {
			return "", err
		}
		defer func() { _ = tx.Rollback(ctx) }()
		if _, err := tx.Exec(ctx, "DECLARE c SCROLL CURSOR FOR SELECT g FROM generate_series(1, 1000) g"); err != nil {
			return "", err
		}
		var all []int
		for _, fetch := range []string{"FETCH 3 FROM c", "FETCH LAST FROM c", "FETCH RELATIVE -2 FROM c", "MOVE 1 IN c", "FETCH BACKWARD 2 FROM c"} {
			rows, err := tx.Query(ctx, fetch)
			if err != nil {
				return "", err
			}
			got, err := pgx.CollectRows(rows, pgx.RowTo[int])
			if err != nil {
				return "", err
			}
			all = append(all, got...)
		}
		return fmt.Sprint(all), tx.Commit(ctx)
	}},
	{"nested transactions", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		var out strings.Builder
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			err := pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
				_, err := inner.Exec(ctx, "SELECT 1 / (SELECT 0)")
				return err
			})
			fmt.Fprintln(&out, failure(err))
			var n int
			return errors.Join(tx.QueryRow(ctx, "SELECT count(*) FROM press").Scan(&n), ignoreWrite(&out, n))
		})
		return out.String(), err
	}},
	{"cancelled by its context", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		failed := make(chan error, 1)
		go func() {
			_, err := conn.Exec(ctx, "SELECT pg_sleep(60)")
			failed <- err
		}()
		for {
			if err := conn.PgConn().CancelRequest(ctx); err != nil {
				return "", err
			}
			select {
			case err := <-failed:
				return failure(err), conn.Ping(ctx)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}},
	{"listen", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		if _, err := conn.Exec(ctx, `LISTEN "Odd one"; NOTIFY "Odd one", 'payload'; SELECT pg_notify('Odd one', 'second')`); err != nil {
			return "", err
		}
		var out []string
		for range 2 {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				return "", err
			}
			out = append(out, n.Channel+" "+n.Payload+" "+fmt.Sprint(n.PID == conn.PgConn().PID()))
		}
		_, err := conn.Exec(ctx, "UNLISTEN *")
		return fmt.Sprint(out), err
	}},
	{"types", func(ctx context.Context, conn *pgx.Conn) (string, error) {
		type row struct {
			Timestamp   time.Time
			Temperature *float64
			OK          *bool `db:"ok"`
			Label       *string
			N           *int32
		}
		rows, err := conn.Query(ctx, "SELECT timestamp, temperature, ok, label, n FROM press ORDER BY 1")
		if err != nil {
			return "", err
		}
		got, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
		var out strings.Builder
		for _, r := range got {
			fmt.Fprintln(&out, r.Timestamp.UTC(), *r.Temperature, r.OK != nil && *r.OK, *r.Label, r.N != nil)
		}
		return out.String(), err
	}},
}

// ignoreWrite prints to a builder, which cannot fail.
func ignoreWrite(out *strings.Builder, n int) error {
	_, err := fmt.Fprintln(out, n)
	return err
}

// TestPgxClient has pgx do the same here and with PostgreSQL, in each of its modes.
func TestPgxClient(t *testing.T) {
	t.Parallel()
	w := startFilledTwin(t)
	modes := []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	}
	for _, mode := range modes {
		var outcomes [2][]string
		for side, dsn := range []string{w.ours, w.theirs} {
			cfg, err := pgx.ParseConfig(dsn)
			if err != nil {
				t.Fatal(err)
			}
			cfg.DefaultQueryExecMode = mode
			conn, err := pgx.ConnectConfig(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range pgxSteps {
				text, err := step.run(t.Context(), conn)
				if err != nil {
					text = failure(err)
				}
				outcomes[side] = append(outcomes[side], step.name+": "+text)
			}
			if err := conn.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(outcomes[0], outcomes[1]) {
			for i := range outcomes[0] {
				if outcomes[0][i] != outcomes[1][i] {
					t.Errorf("%v\ngot  %s\nwant %s", mode, outcomes[0][i], outcomes[1][i])
				}
			}
		}
	}
}

// TestTimeouts sees how sessions and statements end that take too long, here and on
// PostgreSQL.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	w := startTwin(t)
	w.withPostgres(t)
	steps := []struct{ name, setup string }{
		{"idle in a transaction", "SET idle_in_transaction_session_timeout = 50; BEGIN"},
		{"idle in a transaction that did something", "SET idle_in_transaction_session_timeout = 50; BEGIN; SELECT 1"},
		{"idle", "SET idle_session_timeout = '50ms'"},
		{"idle after a transaction", "SET idle_in_transaction_session_timeout = 1; SET idle_session_timeout = '50ms'; BEGIN; COMMIT"},
	}
	for _, step := range steps {
		var ends [2]string
		for side, dsn := range []string{w.ours, w.theirs} {
			conn := dialURL(t, dsn)
			if _, err := conn.Exec(t.Context(), step.setup).ReadAll(); err != nil {
				t.Fatal(err)
			}
			ends[side] = failure(conn.WaitForNotification(t.Context())) + fmt.Sprint(" closed ", conn.IsClosed())
		}
		if ends[0] != ends[1] || !strings.HasSuffix(ends[0], "true") {
			t.Errorf("%s: %s, want %s", step.name, ends[0], ends[1])
		}
	}
	for _, run := range []func(context.Context, *pgconn.PgConn, string) string{simply, extended} {
		var ends [2]string
		for side, dsn := range []string{w.ours, w.theirs} {
			conn := dialURL(t, dsn)
			ask(t, conn, "SET statement_timeout = '30ms'; SELECT 1")
			ends[side] = run(t.Context(), conn, "SELECT pg_sleep(60)") + run(t.Context(), conn, "SELECT 1")
		}
		if ends[0] != ends[1] {
			t.Errorf("statement_timeout: %s, want %s", ends[0], ends[1])
		}
	}
}
