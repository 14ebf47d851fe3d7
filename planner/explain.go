package planner

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// explainOptions are those of EXPLAIN, as PostgreSQL 15 has them.
type explainOptions struct {
	format                                                           string
	analyze, verbose, costs, settings, buffers, wal, timing, summary bool
}

// readExplainOptions reads the options; the last of each counts.
func readExplainOptions(n *pgquery.ExplainStmt) (explainOptions, error) {
	o := explainOptions{format: "text", costs: true}
	flags := map[string]*bool{
		"analyze": &o.analyze, "verbose": &o.verbose, "costs": &o.costs, "settings": &o.settings, "buffers": &o.buffers,
		"wal": &o.wal, "timing": &o.timing, "summary": &o.summary,
	}
	given := map[string]bool{}
	for _, node := range n.Options {
		d := node.GetDefElem()
		if d.Defname == "format" {
			if d.GetArg().GetNode() == nil {
				return o, errorf(pgerrcode.SyntaxError, "%s requires a parameter", d.Defname)
			}
			o.format = constText(d.GetArg())
			if !slices.Contains([]string{"text", "json", "xml", "yaml"}, o.format) {
				return o, errorAt(d.Location, pgerrcode.InvalidParameterValue, "unrecognized value for EXPLAIN option %q: %q", d.Defname, o.format)
			}
			continue
		}
		flag, ok := flags[d.Defname]
		if !ok {
			return o, errorAt(d.Location, pgerrcode.SyntaxError, "unrecognized EXPLAIN option %q", d.Defname)
		}
		if *flag, ok = boolOption(d); !ok {
			return o, errorf(pgerrcode.SyntaxError, "%s requires a Boolean value", d.Defname)
		}
		given[d.Defname] = true
	}
	if o.wal && !o.analyze {
		return o, errorf(pgerrcode.InvalidParameterValue, "EXPLAIN option WAL requires ANALYZE")
	}
	if !given["timing"] {
		o.timing = o.analyze
	}
	if o.timing && !o.analyze {
		return o, errorf(pgerrcode.InvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE")
	}
	if !given["summary"] {
		o.summary = o.analyze
	}
	return o, nil
}

// boolOption reads an option that is on or off, as defGetBoolean of PostgreSQL does.
func boolOption(d *pgquery.DefElem) (on, ok bool) {
	if d.GetArg().GetNode() == nil {
		return true, true
	}
	switch strings.ToLower(constText(d.Arg)) {
	case "true", "on", "1":
		return true, true
	case "false", "off", "0":
		return false, true
	}
	return false, false
}

func explainColumns(o explainOptions) []ResultColumn {
	c := textColumn("QUERY PLAN")
	switch o.format {
	case "json":
		c.T = plainType(postgres.JSONOID)
	case "xml":
		c.T = plainType(postgres.XMLOID)
	}
	return []ResultColumn{c}
}

func (s *Session) prepareExplain(ctx context.Context, p *Prepared, n *pgquery.ExplainStmt, paramTypes []postgres.OID) error {
	o, err := readExplainOptions(n)
	if err != nil {
		return err
	}
	p.Columns = explainColumns(o)
	switch of := n.Query.GetNode().(type) {
	case *pgquery.Node_SelectStmt:
		return s.prepareExplained(ctx, p, of.SelectStmt, paramTypes)
	case *pgquery.Node_DeclareCursorStmt:
		return s.prepareExplained(ctx, p, of.DeclareCursorStmt.Query.GetSelectStmt(), paramTypes)
	case *pgquery.Node_ExecuteStmt:
		return nil
	case *pgquery.Node_InsertStmt, *pgquery.Node_UpdateStmt, *pgquery.Node_DeleteStmt, *pgquery.Node_MergeStmt, *pgquery.Node_CreateTableAsStmt:
		return withIngestHint(unsupported(nowhere, "%s", writeName(n.Query)))
	}
	return unsupported(nowhere, "EXPLAIN of %s", statementName(n.Query))
}

func (s *Session) prepareExplained(ctx context.Context, p *Prepared, n *pgquery.SelectStmt, paramTypes []postgres.OID) error {
	bound, params, err := s.bind(ctx, n, newParameters(paramTypes))
	if err != nil {
		return err
	}
	p.ParamTypes = params.types
	return s.checkEngine(ctx, bound.query)
}

// explained is the query that EXPLAIN tells of, with its parameters.
func (s *Session) explained(ctx context.Context, n *pgquery.Node, values []*Const) (*pgquery.SelectStmt, []*Const, error) {
	switch of := n.GetNode().(type) {
	case *pgquery.Node_DeclareCursorStmt:
		return of.DeclareCursorStmt.Query.GetSelectStmt(), values, nil
	case *pgquery.Node_ExecuteStmt:
		p, values, err := s.executed(ctx, of.ExecuteStmt)
		if err != nil {
			return nil, nil, err
		}
		query := p.Statement.node.GetSelectStmt()
		if query == nil || adminCall(p.Statement) != nil {
			return nil, nil, unsupported(nowhere, "EXPLAIN EXECUTE of %s", statementName(p.Statement.node))
		}
		return query, values, nil
	}
	return n.GetSelectStmt(), values, nil
}

// runExplain makes the plan as it would run, and tells it; ANALYZE runs it too.
func (s *Session) runExplain(ctx context.Context, prepared *Prepared, n *pgquery.ExplainStmt, values []*Const) (*Result, error) {
	o, err := readExplainOptions(n)
	if err != nil {
		return nil, err
	}
	query, values, err := s.explained(ctx, n.Query, values)
	if err != nil {
		return nil, err
	}
	began := s.planner.cfg.Now()
	p, err := s.planFor(ctx, query, &parameters{values: values, effects: o.analyze})
	if err != nil {
		return nil, err
	}
	defer p.Release()
	engine, err := s.planner.cfg.Engine.Explain(p)
	if err != nil {
		return nil, err
	}
	r := &explainReport{explainOptions: o, plan: p, engine: engine, env: s.settings.values(began)}
	r.planning = millis(s.planner.cfg.Now().Sub(began))
	if o.settings {
		r.changed = s.planningSettings()
	}
	if o.analyze {
		if err := s.analyze(ctx, r); err != nil {
			return nil, err
		}
	}
	return &Result{Rows: newTextRows(prepared.Columns, r.rows()), Columns: prepared.Columns, Tag: "EXPLAIN"}, nil
}

// analyze runs the plan and counts what it gives.
func (s *Session) analyze(ctx context.Context, r *explainReport) error {
	began := s.planner.cfg.Now()
	rows, err := s.planner.cfg.Engine.Run(ctx, r.plan)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		var chunk *Chunk
		if chunk, err = rows.Next(ctx); err == nil && first {
			r.startup = millis(s.planner.cfg.Now().Sub(began))
		}
		if err != nil || chunk == nil {
			break
		}
		r.actual += int64(chunk.Rows)
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	r.execution = millis(s.planner.cfg.Now().Sub(began))
	return err
}

func millis(d time.Duration) millisValue { return millisValue(float64(d.Microseconds()) / 1000) }

// planningSettings are the settings about planning that the session changed.
func (s *Session) planningSettings() group {
	var out group
	for i := range postgres.Settings() {
		known := &postgres.Settings()[i]
		if !strings.HasPrefix(known.Category, "Query Tuning") && known.Name != "search_path" && known.Name != "work_mem" {
			continue
		}
		if p, ok := parameterNamed(known.Name); ok && s.settings.get(known.Name) != p.value {
			out.add(known.Name, s.settings.get(known.Name))
		}
	}
	return out
}

// explainReport is the gateway's own plan, with the figures of one run.
type explainReport struct {
	explainOptions

	plan    *Plan
	engine  *EngineExplain
	env     postgres.Env
	changed group

	planning, startup, execution millisValue
	actual                       int64
}

// tree is the report as its formats write it.
func (r *explainReport) tree() group {
	var out group
	out.add("Plan", r.root())
	if len(r.changed) > 0 {
		out.add("Settings", r.changed)
	}
	if r.verbose {
		out.add("Engine SQL", r.engine.SQL)
	}
	if r.summary {
		out.add("Planning Time", r.planning)
	}
	if r.analyze && r.summary {
		out.add("Execution Time", r.execution)
	}
	return out
}

// root is the statement as a whole, which the engine runs.
func (r *explainReport) root() group {
	node := group{{"Node Type", "Query"}, {"Parallel Aware", false}, {"Async Capable", false}}
	if r.costs {
		r.estimate().add(&node)
	}
	if r.analyze {
		if r.timing {
			node.add("Actual Startup Time", r.startup)
			node.add("Actual Total Time", r.execution)
		}
		node.add("Actual Rows", r.actual)
		node.add("Actual Loops", int64(1))
	}
	if r.verbose {
		var names []string
		for _, c := range r.plan.Columns {
			names = append(names, c.Name)
		}
		node.add("Output", names)
	}
	if r.buffers {
		read := r.read()
		node.add("Files Read", read.FilesRead)
		node.add("Bytes Read", read.BytesRead)
	}
	if r.wal {
		for _, name := range []string{"WAL Records", "WAL FPI", "WAL Bytes"} {
			node.add(name, int64(0)) // nothing that can be explained writes
		}
	}
	if len(r.plan.Metrics) > 0 {
		scans := groups{item: "Plan"}
		for _, m := range r.plan.Metrics {
			scans.list = append(scans.list, r.scan(m))
		}
		node.add("Plans", scans)
	}
	return node
}

// read sums what all scans read.
func (r *explainReport) read() explainDataset {
	var sum explainDataset
	for _, m := range r.plan.Metrics {
		for _, d := range m.Splits {
			c := countSplits(d)
			sum.FilesRead, sum.BytesRead = sum.FilesRead+c.FilesRead, sum.BytesRead+c.BytesRead
		}
	}
	return sum
}

// scan says what one scan of a metric reads.
func (r *explainReport) scan(m *MetricScan) group {
	node := group{
		{"Node Type", "Metric Scan"},
		{"Parent Relationship", "Outer"},
		{"Parallel Aware", true},
		{"Async Capable", false},
		{"Relation Name", m.Name},
		{"Alias", m.RelationLabel},
	}
	datasets := groups{item: "Dataset"}
	for _, d := range m.Splits {
		c := countSplits(d)
		dataset := group{
			{"Sent Metric", c.Metric},
			{"Files Read", c.FilesRead},
			{"Files Known", c.FilesKnown},
			{"Bytes Read", c.BytesRead},
			{"Nearline Rows", c.TailRows},
			{"Hot Window", c.HotWindow},
		}
		if len(c.Tables) > 0 {
			dataset.add("Nearline Tables", c.Tables)
		}
		if c.Why != "" {
			dataset.add("Choice of Source", c.Why)
		}
		datasets.list = append(datasets.list, dataset)
	}
	if r.costs {
		scanEstimate(m).add(&node)
	}
	from, to := momentTexts(m, r.env)
	if from != "" {
		node.add("From", from)
	}
	if to != "" {
		node.add("To", to)
	}
	if filters := filterTexts(m); len(filters) > 0 {
		node.add("Filters", filters)
	}
	node.add("Datasets", datasets)
	if fields := r.fields(m); len(fields) > 0 {
		node.add("Fields", fields)
	}
	return node
}

// fields are what the scan's fields are read as, unless the user may not know.
func (r *explainReport) fields(m *MetricScan) []string {
	if m.Unseen {
		return nil
	}
	return r.engine.Fields[m.RelationLabel]
}

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

// explainDataset counts what is read of a dataset.
type explainDataset struct {
	Metric                                           string
	FilesRead, FilesKnown, BytesRead, TailRows, Rows int64
	// HotWindow says that nearline alone has all rows of the time.
	HotWindow bool
	// Tables are those of recent rows that are read, and Why says why nearline does
	// or does not answer alone. Embedded, there are none.
	Tables []string
	Why    string
}

func countSplits(d DatasetSplits) explainDataset {
	out := explainDataset{Metric: d.Dataset.Metric, FilesKnown: int64(d.FilesKnown), HotWindow: d.Window, Tables: d.Tables, Why: d.Why}
	for _, split := range d.Splits {
		switch {
		case split.File != nil:
			out.FilesRead++
			out.BytesRead += split.File.Bytes
			out.Rows += split.File.Rows
		case split.Batch != nil && split.Batch.Select != nil:
			out.TailRows += int64(len(split.Batch.Select))
		case split.Batch != nil:
			out.TailRows += int64(split.Batch.Batch.Rows)
		}
	}
	out.Rows += out.TailRows
	return out
}

// rows are the report as EXPLAIN returns it: a line a row, or one row.
func (r *explainReport) rows() [][]string {
	switch r.format {
	case "json":
		return [][]string{{explainJSON(r.tree())}}
	case "xml":
		return [][]string{{explainXML(r.tree())}}
	case "yaml":
		return [][]string{{explainYAML(r.tree())}}
	}
	var lines [][]string
	for _, line := range r.text() {
		lines = append(lines, []string{line})
	}
	return lines
}

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
