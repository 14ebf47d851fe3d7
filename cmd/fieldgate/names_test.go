package main

import (
	"strings"
	"testing"
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
		`{"metrictype":"odd metric.1","timestamp":2,"my field":100}`,
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
	i.query(t, `create table "Odd Metric.1" ("my field" int, "my.field" numeric, "UPPER" bigint, upper smallint, "camelCase" text, "qu""ote" real,
		"😀" float8, "select" varchar(3), value int, "`+long+`" int)`)
	check("declared")
	if got := i.query(t, `select "`+cut+`" from "Odd Metric.1"`); got != "10" {
		t.Errorf("declared, by its first 63 bytes: %s", got)
	}
}

// TestNoSavedQueryChanges sends names that output aliases, outer columns and
// subqueries have: queries that were written before answer as they did.
func TestNoSavedQueryChanges(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(t, `create table press (temp integer, site text)`)
	i.query(t, `create table sites (name text, factor integer)`)
	i.post(t, []string{
		`{"metrictype":"press","timestamp":1,"temp":10,"site":"a"}`, `{"metrictype":"press","timestamp":2,"temp":20,"site":"b"}`,
		`{"metrictype":"sites","timestamp":1,"name":"a","factor":2}`, `{"metrictype":"sites","timestamp":2,"name":"b","factor":3}`,
	})
	i.eventually(t, `select (select count(*) from press), (select count(*) from sites)`, "2|2")
	queries := map[string]string{
		`select temp * 2 as doubled from press where temp > 0 order by doubled`:                          "20\n40",
		`select temp / 10 as bucket, count(*) from press where temp > 0 group by bucket order by 1`:      "1|1\n2|1",
		`select (select max(p.temp * factor) from press p where p.site = name) from sites order by name`: "20\n60",
		`select name from sites where exists (select 1 from press where site = name and temp > 10)`:      "b",
		`select * from press where temp > 0 order by timestamp`:                                          "1970-01-01 00:00:01+00|10|a\n1970-01-01 00:00:02+00|20|b",
		`with t as (select temp as heat from press) select sum(heat) from t`:                             "30",
		`select p.temp, s.factor from press p join sites s on s.name = p.site order by factor`:           "10|2\n20|3",
		`select count(*) from press natural join (select site, temp from press) q`:                       "2",
	}
	check := func(when string) {
		t.Helper()
		for sql, want := range queries {
			if got := i.query(t, sql); got != want {
				t.Errorf("%s, %s: %s, want %s", when, sql, got, want)
			}
		}
	}
	check("at first")
	i.post(t, []string{`{"metrictype":"press","timestamp":3,"temp":null,"doubled":-1,"bucket":-1,"name":"b","factor":100,"heat":5,"q":1,"p":1,"s":2,"t":1}`})
	i.eventually(t, `select count(*) from press`, "3")
	i.query(t, `select fieldgate.compact()`)
	check("after devices sent more")
}
