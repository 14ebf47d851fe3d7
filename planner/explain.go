package planner

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
)

// explainOptions are those of EXPLAIN that change what it says here.
type explainOptions struct {
	json, analyze, verbose bool
}

// ignoredExplainOptions are about costs and buffers, which the gateway's plan does
// not have.
var ignoredExplainOptions = map[string]bool{"costs": true, "buffers": true, "timing": true, "summary": true, "settings": true, "wal": true}

func readExplainOptions(n *pgquery.ExplainStmt) (explainOptions, error) {
	var o explainOptions
	for _, node := range n.Options {
		d := node.GetDefElem()
		value := strings.ToLower(constText(d.GetArg()))
		on := value != "off" && value != "false" && value != "0"
		switch name := strings.ToLower(d.Defname); {
		case name == "format" && (value == "text" || value == "json"):
			o.json = value == "json"
		case name == "format":
			return o, unsupported(d.Location, "EXPLAIN (FORMAT %s)", strings.ToUpper(value))
		case name == "analyze":
			o.analyze = on
		case name == "verbose":
			o.verbose = on
		case !ignoredExplainOptions[name]:
			return o, errorAt(d.Location, pgerrcode.SyntaxError, "unrecognized EXPLAIN option %q", d.Defname)
		}
	}
	return o, nil
}

func explainColumns(o explainOptions) []ResultColumn {
	c := textColumn("QUERY PLAN")
	if o.json {
		c.T = plainType(postgres.JSONOID)
	}
	return []ResultColumn{c}
}

func (s *Session) prepareExplain(ctx context.Context, p *Prepared, n *pgquery.ExplainStmt, paramTypes []postgres.OID) error {
	o, err := readExplainOptions(n)
	if err != nil {
		return err
	}
	sel := n.Query.GetSelectStmt()
	if sel == nil {
		return unsupported(nowhere, "EXPLAIN of %s", statementName(n.Query))
	}
	bound, params, err := s.bind(ctx, sel, newParameters(paramTypes))
	if err != nil {
		return err
	}
	p.ParamTypes, p.Columns = params.types, explainColumns(o)
	return s.checkEngine(bound.query)
}

// runExplain makes the plan as it would run, and tells it; ANALYZE runs it too.
func (s *Session) runExplain(ctx context.Context, prepared *Prepared, n *pgquery.ExplainStmt, values []*Const) (*Result, error) {
	o, err := readExplainOptions(n)
	if err != nil {
		return nil, err
	}
	began := s.planner.cfg.Now()
	p, err := s.planFor(ctx, n.Query.GetSelectStmt(), &parameters{values: values, effects: o.analyze})
	if err != nil {
		return nil, err
	}
	defer p.Release()
	engine, err := s.planner.cfg.Engine.Explain(p)
	if err != nil {
		return nil, err
	}
	report := explainPlan(p, engine, o, s.settings.values(began))
	report.PlanningMillis = millis(s.planner.cfg.Now().Sub(began))
	if o.analyze {
		if err := s.analyze(ctx, p, report); err != nil {
			return nil, err
		}
	}
	rows, err := report.rows(o)
	if err != nil {
		return nil, err
	}
	return &Result{Rows: newTextRows(prepared.Columns, rows), Columns: prepared.Columns, Tag: "EXPLAIN"}, nil
}

// analyze runs the plan and counts what it gives.
func (s *Session) analyze(ctx context.Context, p *Plan, report *explainReport) error {
	began := s.planner.cfg.Now()
	rows, err := s.planner.cfg.Engine.Run(ctx, p)
	if err != nil {
		return err
	}
	var count int64
	for {
		var chunk *Chunk
		if chunk, err = rows.Next(ctx); err != nil || chunk == nil {
			break
		}
		count += int64(chunk.Rows)
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	elapsed := millis(s.planner.cfg.Now().Sub(began))
	report.ActualRows, report.ExecutionMillis = &count, &elapsed
	return err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// explainReport is the gateway's own plan, as FORMAT JSON gives it.
type explainReport struct {
	Scans           []explainScan `json:"Scans"`
	SQL             string        `json:"Engine SQL,omitempty"`
	PlanningMillis  float64       `json:"Planning Time"`
	ActualRows      *int64        `json:"Actual Rows,omitempty"`
	ExecutionMillis *float64      `json:"Execution Time,omitempty"`
}

// explainScan says what one scan of a metric reads.
type explainScan struct {
	Metric   string           `json:"Metric"`
	Alias    string           `json:"Alias"`
	From     string           `json:"From,omitempty"`
	To       string           `json:"To,omitempty"`
	Filters  []string         `json:"Filters,omitempty"`
	Datasets []explainDataset `json:"Datasets"`
	Fields   []string         `json:"Fields,omitempty"`
}

// explainDataset counts what is read of a dataset.
type explainDataset struct {
	Metric     string `json:"Sent Metric"`
	FilesRead  int    `json:"Files Read"`
	FilesKnown int    `json:"Files Known"`
	BytesRead  int64  `json:"Bytes Read"`
	TailRows   int64  `json:"Nearline Rows"`
	// HotWindow says that nearline alone has all rows of the time.
	HotWindow bool `json:"Hot Window"`
	// Tables are those of recent rows that are read, and Why says why nearline does
	// or does not answer alone. Embedded, there are none.
	Tables []string `json:"Nearline Tables,omitempty"`
	Why    string   `json:"Choice of Source,omitempty"`
}

func explainPlan(p *Plan, engine *EngineExplain, o explainOptions, env postgres.Env) *explainReport {
	report := &explainReport{Scans: []explainScan{}}
	if o.verbose {
		report.SQL = engine.SQL
	}
	for _, m := range p.Metrics {
		scan := explainScan{Metric: m.Name, Alias: m.RelationLabel, Fields: engine.Fields[m.RelationLabel]}
		all := sources.Unbounded()
		if m.Bounds.Min != all.Min {
			scan.From = momentText(m.Bounds.Min, env)
		}
		if m.Bounds.Max != all.Max {
			scan.To = momentText(m.Bounds.Max, env)
		}
		if m.Unseen {
			scan.Fields = nil
		}
		for i := range m.Filters {
			if m.Unseen {
				break
			}
			scan.Filters = append(scan.Filters, filterText(&m.Filters[i]))
		}
		for _, d := range m.Splits {
			scan.Datasets = append(scan.Datasets, countSplits(d))
		}
		report.Scans = append(report.Scans, scan)
	}
	return report
}

func momentText(micros int64, env postgres.Env) string {
	return string(postgres.AppendText(nil, postgres.TimestampTZOID, postgres.TimestampDatum(micros), env))
}

func countSplits(d DatasetSplits) explainDataset {
	out := explainDataset{Metric: d.Dataset.Metric, FilesKnown: d.FilesKnown, HotWindow: d.Window, Tables: d.Tables, Why: d.Why}
	for _, split := range d.Splits {
		switch {
		case split.File != nil:
			out.FilesRead++
			out.BytesRead += split.File.Bytes
		case split.Batch != nil && split.Batch.Select != nil:
			out.TailRows += int64(len(split.Batch.Select))
		case split.Batch != nil:
			out.TailRows += int64(split.Batch.Batch.Rows)
		}
	}
	return out
}

// rows are the report as EXPLAIN returns it: a line a row, or one row of JSON.
func (r *explainReport) rows(o explainOptions) ([][]string, error) {
	if o.json {
		text, err := json.MarshalIndent([]*explainReport{r}, "", "  ")
		return [][]string{{string(text)}}, err
	}
	var lines [][]string
	add := func(format string, args ...any) { lines = append(lines, []string{fmt.Sprintf(format, args...)}) }
	if len(r.Scans) == 0 {
		add("Result")
	}
	for _, s := range r.Scans {
		add("Scan on %s as %s", s.Metric, s.Alias)
		if s.From != "" || s.To != "" {
			add("  Time: %s to %s", orDash(s.From), orDash(s.To))
		}
		for _, f := range s.Filters {
			add("  Prune: %s", f)
		}
		for _, d := range s.Datasets {
			where := ""
			if d.HotWindow {
				where = " of the hot window"
			}
			add("  Dataset %s: %d of %d files read (%d bytes), %d nearline rows%s", d.Metric, d.FilesRead, d.FilesKnown, d.BytesRead, d.TailRows, where)
			if d.Why != "" {
				add("    Nearline tables: %s; %s", orDash(strings.Join(d.Tables, ", ")), d.Why)
			}
		}
		for _, f := range s.Fields {
			add("  Field %s", f)
		}
	}
	for line := range strings.Lines(r.SQL) {
		add("Engine: %s", strings.TrimRight(line, "\n"))
	}
	add("Planning Time: %.3f ms", r.PlanningMillis)
	if r.ActualRows != nil {
		add("Execution Time: %.3f ms, %d rows", *r.ExecutionMillis, *r.ActualRows)
	}
	return lines, nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
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
