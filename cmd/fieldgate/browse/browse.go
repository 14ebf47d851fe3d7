// Package browse has the queries by which BI tools and drivers look at a catalog
// before a user sees a table: written by us, of the shape that the clients' sources
// or their traffic show, each with its client, version and origin. Tests compare
// what they answer with PostgreSQL's answer; benchmarks time them.
package browse

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed queries/*.sql
var files embed.FS

// Query is one query of a client.
type Query struct {
	// Client is the client and its version, Origin where the shape was seen.
	Client, Origin string
	// Name says what the client wants to know.
	Name string
	// SQL has {table} where a table's name stands, {oid} where its number does and
	// {user} where the user's name does.
	SQL string
	// Except are output columns whose values differ from PostgreSQL's for the
	// reason Because.
	Except  []string
	Because string
	// Subset: PostgreSQL has further rows.
	Subset bool
	// Ordered: the rows come in PostgreSQL's order, though the query asks for none.
	Ordered bool
	// Shape: only columns are alike, for the reason Because.
	Shape bool
}

// Fill puts a table and a user into the query.
func (q *Query) Fill(table, oid, user string) string {
	return strings.NewReplacer("{table}", table, "{oid}", oid, "{user}", user).Replace(q.SQL)
}

// Queries are all queries, by client.
func Queries() ([]Query, error) {
	names, err := fs.Glob(files, "queries/*.sql")
	if err != nil {
		return nil, err
	}
	var all []Query
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		queries, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, queries...)
	}
	return all, nil
}

// parse reads a file: lines "-- key: value" say what the query below is; client
// and origin hold until they are said anew.
func parse(text string) ([]Query, error) {
	var all []Query
	var client, origin string
	var q Query
	var sql strings.Builder
	end := func() error {
		q.SQL = strings.TrimSuffix(strings.TrimSpace(sql.String()), ";")
		sql.Reset()
		if q.Name == "" {
			return nil
		}
		if q.SQL == "" || client == "" || origin == "" {
			return errors.New(q.Name + ": no client, no origin or no query")
		}
		q.Client, q.Origin = client, origin
		all = append(all, q)
		q = Query{}
		return nil
	}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "-- "), ": ")
		if !ok || !strings.HasPrefix(line, "-- ") {
			sql.WriteString(line)
			continue
		}
		switch key {
		case "client", "origin", "query":
			if err := end(); err != nil {
				return nil, err
			}
		}
		switch key {
		case "client":
			client, origin = value, ""
		case "origin":
			origin = value
		case "query":
			q.Name = value
		case "except":
			q.Except = strings.Split(value, ", ")
		case "because":
			q.Because = value
		case "rows":
			q.Subset, q.Shape, q.Ordered = value == "subset", value == "shape", value == "ordered"
		default:
			return nil, fmt.Errorf("unknown key %q", key)
		}
	}
	return all, end()
}
