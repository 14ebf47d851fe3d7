package planner

import (
	"fmt"
	"math"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// text is the report in the format text.
func (r *explainReport) text() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	title := "Query"
	if len(r.plan.Metrics) == 0 {
		title = "Result"
	}
	if r.costs {
		title += "  " + r.estimate().String()
	}
	switch {
	case r.analyze && r.timing:
		title += fmt.Sprintf(" (actual time=%v..%v rows=%d loops=1)", r.startup, r.execution, r.actual)
	case r.analyze:
		title += fmt.Sprintf(" (actual rows=%d loops=1)", r.actual)
	}
	add("%s", title)
	if r.verbose {
		var names []string
		for _, c := range r.plan.Columns {
			names = append(names, postgres.QuoteIdentifier(c.Name))
		}
		add("  Output: %s", strings.Join(names, ", "))
	}
	if read := r.read(); r.buffers && read.FilesRead > 0 {
		add("  Buffers: files read=%d bytes=%d", read.FilesRead, read.BytesRead)
	}
	for _, m := range r.plan.Metrics {
		r.scanText(m, add)
	}
	if len(r.changed) > 0 {
		var settings []string
		for _, p := range r.changed {
			settings = append(settings, fmt.Sprintf("%s = '%s'", p.name, p.value))
		}
		add("Settings: %s", strings.Join(settings, ", "))
	}
	if r.verbose {
		for line := range strings.Lines(r.engine.SQL) {
			add("Engine: %s", strings.TrimRight(line, "\n"))
		}
	}
	if r.summary {
		add("Planning Time: %v ms", r.planning)
	}
	if r.summary && r.analyze {
		add("Execution Time: %v ms", r.execution)
	}
	return lines
}

func (r *explainReport) scanText(m *MetricScan, add func(format string, args ...any)) {
	title := "  ->  Scan on " + postgres.QuoteIdentifier(m.Name)
	if m.RelationLabel != m.Name {
		title += " " + postgres.QuoteIdentifier(m.RelationLabel)
	}
	if r.costs {
		title += "  " + scanEstimate(m).String()
	}
	add("%s", title)
	if from, to := momentTexts(m, r.env); from != "" || to != "" {
		add("        Time: %s to %s", orDash(from), orDash(to))
	}
	for _, f := range filterTexts(m) {
		add("        Prune: %s", f)
	}
	for _, d := range m.Splits {
		c := countSplits(d)
		where := ""
		if c.HotWindow {
			where = " of the hot window"
		}
		add("        Dataset %s: %d of %d files read (%d bytes), %d nearline rows%s", c.Metric, c.FilesRead, c.FilesKnown, c.BytesRead, c.TailRows, where)
		if c.Why != "" {
			add("          Nearline tables: %s; %s", orDash(strings.Join(c.Tables, ", ")), c.Why)
		}
	}
	for _, f := range r.fields(m) {
		add("        Field %s", f)
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// filterTexts print the filters of a scan, unless the user may not know them.
func filterTexts(m *MetricScan) []string {
	if m.Unseen {
		return nil
	}
	var out []string
	for i := range m.Filters {
		out = append(out, filterText(&m.Filters[i]))
	}
	return out
}

// filterText prints a filter.
func filterText(f *PhysicalFilter) string {
	switch {
	case f.Texts != nil:
		return fmt.Sprintf("%s IN %q", f.Column, f.Texts)
	case math.IsInf(f.Min, -1):
		return fmt.Sprintf("%s <= %g", f.Column, f.Max)
	case math.IsInf(f.Max, 1):
		return fmt.Sprintf("%s >= %g", f.Column, f.Min)
	}
	return fmt.Sprintf("%g <= %s <= %g", f.Min, f.Column, f.Max)
}

// momentTexts print the bounds of a scan's time; "" is none.
func momentTexts(m *MetricScan, env postgres.Env) (from, to string) {
	all := sources.Unbounded()
	if m.Bounds.Min != all.Min {
		from = momentText(m.Bounds.Min, env)
	}
	if m.Bounds.Max != all.Max {
		to = momentText(m.Bounds.Max, env)
	}
	return from, to
}

func momentText(micros int64, env postgres.Env) string {
	return string(postgres.AppendText(nil, postgres.TimestampTZOID, postgres.TimestampDatum(micros), env))
}
