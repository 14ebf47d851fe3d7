package planner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// What a table has that SQL has no clause for stands in WITH (…) of CREATE TABLE,
// and in SET (…) and RESET (…) of ALTER TABLE.
const (
	optionAliases           = "aliases"
	optionTimestampAliases  = "timestamp_aliases"
	optionTimestampPatterns = "timestamp_patterns"
	optionMissingTime       = "missing_time"
)

// storageOptions are PostgreSQL's own, by what they begin with.
var storageOptions = []string{"fillfactor", "autovacuum_", "toast", "parallel_workers", "user_catalog_table", "vacuum_", "log_autovacuum_", "oids"}

// tableOptions reads the options of a table into m, and gives the names of those
// that are there.
func tableOptions(m *schema.Metric, nodes []*pgquery.Node) ([]string, error) {
	var names []string
	for _, node := range nodes {
		d := node.GetDefElem()
		name := d.Defname
		if slices.Contains(names, name) {
			return nil, errorf(pgerrcode.InvalidParameterValue, "parameter %q specified more than once", name)
		}
		names = append(names, name)
		if err := tableOption(m, d); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func tableOption(m *schema.Metric, d *pgquery.DefElem) error {
	value := optionText(d.Arg)
	var err error
	switch {
	case d.Defnamespace != "" || slices.ContainsFunc(storageOptions, func(s string) bool { return strings.HasPrefix(d.Defname, s) }):
		return unsupported(d.Location, "storage option %s", d.Defname)
	case d.Defname == optionAliases:
		m.Aliases, err = textList(value, d.Location)
	case d.Defname == optionTimestampAliases:
		m.TimestampAliases, err = textList(value, d.Location)
	case d.Defname == optionTimestampPatterns:
		m.TimestampPatterns, err = textList(value, d.Location)
	case d.Defname == optionMissingTime:
		if m.RejectMissingTime, err = schema.ParseMissingTime(value); err != nil {
			err = invalidPolicy(err)
		}
	default:
		return errorf(pgerrcode.InvalidParameterValue, "unrecognized parameter %q", d.Defname).
			withHint("There are aliases, timestamp_aliases, timestamp_patterns and missing_time.")
	}
	return err
}

// optionText is an option's value: a literal, a number or a word.
func optionText(n *pgquery.Node) string {
	switch v := n.GetNode().(type) {
	case *pgquery.Node_String_:
		return v.String_.Sval
	case *pgquery.Node_Integer:
		return strconv.Itoa(int(v.Integer.Ival))
	case *pgquery.Node_Float:
		return v.Float.Fval
	case *pgquery.Node_TypeName:
		parts, _ := nameParts(v.TypeName.Names)
		return strings.Join(parts, ".")
	}
	return ""
}

// textList reads a list: an array literal, {a,"b c"}, or what would stand in its
// braces.
func textList(text string, at int32) ([]string, error) {
	literal := strings.TrimSpace(text)
	if !strings.HasPrefix(literal, "{") {
		literal = "{" + literal + "}"
	}
	value, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, literal, postgres.DefaultEnv())
	if err != nil {
		return nil, faultAt(at, err)
	}
	var out []string
	for _, item := range value.Array.Items {
		out = append(out, item.Str)
	}
	return out, nil
}

// setOptions reads ALTER TABLE … SET (…) and RESET (…).
func setOptions(n *pgquery.AlterTableCmd) (fieldEdit, error) {
	var m schema.Metric
	nodes := n.Def.GetList().GetItems()
	if n.Subtype == pgquery.AlterTableType_AT_ResetRelOptions {
		nodes = slices.Clone(nodes)
		for i, node := range nodes { // RESET has no values
			nodes[i] = &pgquery.Node{Node: &pgquery.Node_DefElem{DefElem: &pgquery.DefElem{Defname: node.GetDefElem().Defname}}}
		}
	}
	names, err := tableOptions(&m, nodes)
	if err != nil {
		return nil, err
	}
	return func(_ *schemaChange, d *schema.Draft, table string) error {
		for _, name := range names {
			if err := setOption(d, table, name, &m); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func setOption(d *schema.Draft, table, name string, m *schema.Metric) error {
	switch name {
	case optionAliases:
		return d.SetMetricAliases(table, m.Aliases)
	case optionTimestampAliases:
		return d.SetTimestampAliases(table, m.TimestampAliases)
	case optionTimestampPatterns:
		return d.SetTimestampPatterns(table, m.TimestampPatterns)
	}
	return d.SetRejectMissingTime(table, m.RejectMissingTime)
}
