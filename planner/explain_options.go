package planner

import (
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"
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
