package planner_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// TestPlanner runs the files of testdata. Commands:
//
//	run [user=name]       statements, prepared and executed one by one: rows, notices, tags, errors, and the status after
//	observe metric=name   a device sends fields, name:kind each
//	bind                  a query: its bound tree
//	columns               queries, one a line: their output names and types
//	prepare [types=…]     a query: its parameters' types and its result
//	plan                  a query, executed: its tree with bounds, and the calls on stores and engine
func TestPlanner(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/plan", func(t *testing.T, path string) {
		t.Parallel()
		w := newWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "run":
				s := w.session
				if d.HasArg("user") {
					var user string
					d.ScanArgs(t, "user", &user)
					s = w.open(t, user, false)
				}
				return run(t, s, d.Input)
			case "observe":
				var metric string
				d.ScanArgs(t, "metric", &metric)
				w.observe(t, metric, d.Input)
				return ""
			case "bind":
				_, text := w.bind(t, d.Input)
				return text
			case "columns":
				return w.columns(t, d.Input)
			case "prepare":
				return w.prepare(t, d)
			case "plan":
				w.engine.calls, w.engine.plan = nil, nil
				out := run(t, w.session, d.Input)
				if w.engine.plan == nil {
					return out
				}
				return planner.Format(w.engine.plan.Query) + strings.Join(w.engine.calls, ", ") + "\n"
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}

// bind prepares a query and prints its tree, or the error.
func (w *world) bind(t *testing.T, sql string) (*planner.Prepared, string) {
	t.Helper()
	statements, err := w.session.Parse(t.Context(), sql)
	if err != nil {
		return nil, errorText(err)
	}
	p, err := w.session.Prepare(t.Context(), statements[0], nil)
	if err != nil {
		return nil, errorText(err)
	}
	return p, planner.Format(w.engine.query)
}

func (w *world) columns(t *testing.T, input string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(input) {
		b.WriteString(strings.TrimSpace(line) + "\n")
		p, text := w.bind(t, line)
		if p != nil {
			text = columnsText(p.Columns)
		}
		for out := range strings.Lines(text) {
			b.WriteString("  " + out)
		}
	}
	return b.String()
}

func (w *world) prepare(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var types []postgres.OID
	for _, arg := range d.CmdArgs {
		for _, name := range arg.Vals {
			oid := postgres.OID(0)
			if k, ok := postgres.TypeByName(name); ok {
				oid = k.OID
			}
			types = append(types, oid)
		}
	}
	statements, err := w.session.Parse(t.Context(), d.Input)
	if err != nil {
		return errorText(err)
	}
	p, err := w.session.Prepare(t.Context(), statements[0], types)
	if err != nil {
		return errorText(err)
	}
	var b strings.Builder
	for i, oid := range p.ParamTypes {
		b.WriteString("$" + string(rune('1'+i)) + " " + oid.String() + "\n")
	}
	b.WriteString(columnsText(p.Columns))
	return b.String()
}
