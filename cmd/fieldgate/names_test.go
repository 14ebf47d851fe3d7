package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestStrangeNames reads fields of every name that JSON can have, undeclared,
// declared and as sources, nearline and compacted.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	long := strings.Repeat("long😀", 25)
	cut := strings.ToValidUTF8(long[:63], "")
	i.post(t, []string{
		`{"metrictype":"Odd Metric.1","timestamp":1,"my field":1,"my":{"field":2},"UPPER":3,"upper":4,"camelCase":5,"qu\"ote":6,"😀":7,"select":8,"value":9,"` + long + `":10}`,
		`{"metrictype":"odd metric.1","timestamp":2,"my field":100}`, `{"metrictype":"heat","timestamp":1,"heat":21,"xmin":3.5}`,
	})
	i.eventually(t, `select count(*) from "Odd Metric.1"`, "1")
	const columns = `"my field", "my.field", "UPPER", upper, camelCase, "qu""ote", "😀", "select", value, "LONG"`
	sql := `select ` + strings.ReplaceAll(columns, "LONG", long) + ` from "Odd Metric.1"`
	check := func(when string) {
		t.Helper()
		for range 2 {
			if got := i.query(t, sql); got != "1|2|3|4|5|6|7|8|9|10" {
				t.Errorf("%s: %s", when, got)
			}
			i.query(t, `select fieldgate.compact()`)
		}
	}
	check("undeclared")
	if got := i.query(t, `select "`+cut+`" from "Odd Metric.1"`); got != "10" {
		t.Errorf("by its first 63 bytes: %s", got)
	}
	if _, err := i.tryQuery(t, `select 1 from "ODD METRIC.1"`); serverError(err) == nil || serverError(err).Code != "42P09" {
		t.Errorf("metrics that differ in case: %v, want 42P09", err)
	}
	// A field called as its metric: before its row while nobody declared the metric.
	i.eventually(t, `select heat from heat`, "21")
	// And so with one called as a system column.
	if got := i.query(t, `select xmin, heat.xmin, xmax from heat`); got != "3.5|3.5|0" {
		t.Errorf("a field called as a system column: %s", got)
	}
	i.query(t, `create table heat (site text)`)
	if got := i.query(t, `select xmin, heat.xmin from heat`); got != "2|2" {
		t.Errorf("a system column of a declared metric: %s", got)
	}
	if got := i.query(t, `select heat.heat, row_to_json(heat) from heat`); got != `21|{"timestamp":"1970-01-01T00:00:01+00:00","site":null}` {
		t.Errorf("a field called as its metric: %s", got)
	}
	i.query(t, `create table "Odd Metric.1" ("my field" int, "my.field" numeric, "UPPER" bigint, upper smallint, "camelCase" text, "qu""ote" real,
		"😀" float8, "select" varchar(3), value int, "`+long+`" int)`)
	check("declared")
	if got := i.query(t, `select "`+cut+`" from "Odd Metric.1"`); got != "10" {
		t.Errorf("declared, by its first 63 bytes: %s", got)
	}
}

// savedQueries are queries of every shape in which a name could be taken for one that
// devices send: outputs, outer columns, columns of subqueries, WITH, VALUES, functions
// and joins, names of windows and of arguments. Each leaves out rows without temp.
var savedQueries = []string{
	`select temp * 2 as doubled from press where temp > 0 order by doubled`,
	`select temp * 2 as doubled from press where temp > 0 order by doubled desc limit 1`,
	`select temp / 10 as bucket, count(*) as howmany from press where temp > 0 group by bucket order by 1`,
	`select temp / 10 as bucket, count(*) as howmany from press where temp > 0 group by bucket having count(*) > 0 order by howmany, bucket`,
	`select distinct on (bucket) temp % 2 as bucket, site from press where temp > 0 order by bucket, site`,
	`select (select max(p.temp * factor) from press p where p.site = name) from sites where factor > 0 order by name`,
	`select name from sites where exists (select 1 from press where site = name and temp > 10) order by name`,
	`select name from sites where name in (select site from press where temp * factor > 30)`,
	`select name, factor > all (select temp / 10 from press where site = name and temp > 0) as bigger from sites where factor > 0 order by name`,
	`select name, array(select temp + factor from press where site = name and temp > 0) as sums from sites where factor > 0 order by name`,
	`select s.name, l.hottest from sites s, lateral (select max(temp) * factor as hottest from press where site = name) l where factor > 0 order by 1`,
	`select s.name, hottest from sites s left join lateral (select max(temp) + s.factor as hottest from press where site = s.name) l on true where factor > 0 order by hottest`,
	`select * from press where temp > 0 order by timestamp`,
	`select count(press), count(p) from press join sites p on true where temp > 0 and p.factor > 0`,
	`select row_to_json(press) from press where temp > 0 order by timestamp`,
	`select p.* from press p where p.temp > 0 order by p.timestamp`,
	`with warm as (select temp as heat, site as place from press where temp > 0) select sum(heat) as total, max(place) from warm`,
	`with warm (heat, place) as (select temp, site from press where temp > 0) select place, heat from warm w order by heat`,
	`with recursive steps (step, height) as (select 1, temp from press where temp = 10 union all select step + 1, height + 1 from steps where step < 3) select step, height from steps order by step`,
	`with place as (select name from sites where factor > 0) select temp from press where temp > 0 and site in (select name from place) order by temp`,
	`select p.temp, s.factor from press p join sites s on s.name = p.site order by factor`,
	`select temp, weight from press join (select name as site, factor as weight from sites where factor > 0) q using (site) where temp > 0 order by weight`,
	`select site, temp, weight from press natural join (select name as site, factor as weight from sites where factor > 0) q where temp > 0 order by temp`,
	`select count(*) from press natural join (select site, temp from press) q where temp > 0`,
	`select q.heat, place from (select temp as heat, site as place from press where temp > 0) as q order by heat`,
	`select q.a, b from (select temp, site from press where temp > 0) as q (a, b) order by a`,
	`select v.low, temp from press, (values (10), (20)) as v (low) where temp >= low and temp > 0 order by low, temp`,
	`select n, temp from press, generate_series(1, 2) as n where temp > 0 order by n, temp`,
	`select g.n, temp from press cross join generate_series(1, temp / 10) as g (n) where temp > 0 order by temp, n`,
	`select item, ord from press, unnest(array[temp, temp + 1]) with ordinality as u (item, ord) where temp > 0 order by item, ord`,
	`select temp, rank() over w as place, sum(temp) over w as running from press where temp > 0 window w as (order by temp) order by place`,
	`select temp as running, sum(temp) over (order by temp) as total from press where temp > 0 order by total desc`,
	`select make_interval(hours => temp) as duration from press where temp > 0 order by duration`,
	`select temp as value from press where temp > 0 union select factor from sites where factor > 0 order by value`,
	`select heat from (select temp as heat from press where temp > 0 union all select factor as heat from sites where factor > 0) both_of order by heat`,
	`select case when temp > 10 then 'hot' else 'cold' end as state, count(*) from press where temp > 0 group by state order by state`,
	`select count(*) filter (where site = 'a') as ones, max(temp) as peak from press where temp > 0`,
	`select string_agg(site, ',' order by temp) as list from press where temp > 0`,
	`select site as temperature, temp as site from press where temp > 0 order by temp`,
	`select site as temperature, temp as site from press where temp > 0 order by site`,
	`select site, sum(temp) as temp from press where temp > 0 group by site order by temp`,
	`select grouping(site) as level, site, sum(temp) from press where temp > 0 group by rollup (site) order by level, site`,
	`select "Quoted" from (select temp as "Quoted" from press where temp > 0) sub order by "Quoted"`,
	`select camel from (select temp as camel from press where temp > 0) sub order by CAMEL`,
	`select (select count(*) from press inside where inside.temp < outside.temp and inside.temp > 0) as rank from press outside where temp > 0 order by rank`,
	`select extract(year from timestamp) as year, date_trunc('hour', timestamp) as hour from press where temp > 0 order by timestamp`,
	`select * from hot order by heat`,
	`select place, doubled from hotter where doubled > 0 order by doubled`,
	`select h.place, level from hot h join (select name as place, factor as level from sites where factor > 0) q using (place) order by level`,
	`select converted from press where temp > 0 order by converted`,
}

// identifier is a word of a query.
var identifier = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*`)

// TestNoSavedQueryChanges has devices send every word that stands in a saved query, a
// view, a policy or a conversion, as a field of every metric in it: all answer as they
// did, to owners and to others, undeclared or compacted.
func TestNoSavedQueryChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	must(t, dir, "reader's pw\n", "user", "add", "reader", "--tenant", "demo", "--password-stdin")
	definitions := []string{
		`create table press (temp integer, site text, converted double precision)`,
		`create table sites (name text, factor integer)`,
		`create view hot (place, heat) as select site, temp as warmth from press where temp > 5`,
		`create view hotter as select place, heat * 2 as doubled from hot where heat > 6`,
		`select fieldgate.set_conversion('press', 'converted', 'converted', 'case when temp > 10 then value * 2 else value end')`,
		`create policy warm_only on press for select to reader using (temp > 0 and site = 'b')`,
	}
	for _, sql := range definitions {
		i.query(t, sql)
	}
	i.post(t, []string{
		`{"metrictype":"press","timestamp":1,"temp":10,"site":"a","converted":1}`, `{"metrictype":"press","timestamp":2,"temp":20,"site":"b","converted":2}`,
		`{"metrictype":"sites","timestamp":1,"name":"a","factor":2}`, `{"metrictype":"sites","timestamp":2,"name":"b","factor":3}`,
	})
	i.eventually(t, `select (select count(*) from press), (select count(*) from sites)`, "2|2")
	answers := func(i *instance) []string {
		t.Helper()
		var out []string
		for _, user := range []string{"demo:demo", "reader:reader's%20pw"} {
			conn, err := pgconn.Connect(t.Context(), "postgres://"+user+"@"+i.c.PGAddr+"/demo?sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range savedQueries {
				r := conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read()
				if r.Err != nil {
					t.Errorf("%s: %v", sql, r.Err)
				}
				var b strings.Builder
				for _, f := range r.FieldDescriptions {
					fmt.Fprintf(&b, "%s %d|", f.Name, f.DataTypeOID)
				}
				for _, row := range r.Rows {
					fmt.Fprintf(&b, " %q", row)
				}
				out = append(out, b.String())
			}
			_ = conn.Close(t.Context())
		}
		return out
	}
	before := answers(i)
	check := func(when string) {
		t.Helper()
		for n, got := range answers(i) {
			if got != before[n] {
				t.Errorf("%s, %s:\n%s, and at first\n%s", when, savedQueries[n%len(savedQueries)], got, before[n])
			}
		}
	}
	sent := map[string]bool{"metrictype": true, "timestamp": true, "temp": true, "site": true, "converted": true, "name": true, "factor": true}
	for metric, other := range map[string]string{"press": `"name":"a","factor":9`, "sites": `"temp":9,"site":"a","converted":9`} {
		var all strings.Builder
		words := map[string]bool{}
		for _, word := range identifier.FindAllString(strings.Join(slices.Concat(savedQueries, definitions), " "), -1) {
			if !sent[word] && !words[word] {
				words[word] = true
				fmt.Fprintf(&all, `,%q:%d`, word, len(words))
			}
		}
		i.post(t, []string{fmt.Sprintf(`{"metrictype":%q,"timestamp":9,%s%s}`, metric, other, all.String())})
	}
	i.eventually(t, `select (select count(*) from press), (select count(*) from sites)`, "3|3")
	i.eventually(t, `select (select count(doubled) from press), (select count(heat) from sites)`, "1|1")
	check("sent")
	i.query(t, `select fieldgate.compact()`)
	check("compacted")
	i.close(t)
	i = start(t, dir)
	check("started again")
}
