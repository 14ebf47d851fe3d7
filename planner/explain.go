package planner

import (
	"context"
	"strings"
	"time"

	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

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
