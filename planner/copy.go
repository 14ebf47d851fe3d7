package planner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	pgquery "github.com/pganalyze/pg_query_go/v5"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// CopyFormat is how COPY writes rows.
type CopyFormat int

// The formats of COPY.
const (
	CopyText CopyFormat = iota
	CopyCSV
	CopyBinary
)

// Copy says how the rows of COPY … TO STDOUT are to be written.
type Copy struct {
	Format    CopyFormat
	Delimiter byte
	// Null stands for NULL.
	Null string
	// Header says that the names of the columns come first.
	Header bool
	// Quote and Escape are those of CSV.
	Quote, Escape byte
	// ForceQuote are the columns whose values are always quoted.
	ForceQuote []bool
	// Encoding is what the texts are in; nil: the client's.
	Encoding *postgres.Encoding
}

// copyOptions are the options as they were given.
type copyOptions struct {
	Copy
	seen       map[string]bool
	forceAll   bool
	forceNames []*pgquery.Node
	// Whether an option that has a default was given.
	delimiter, null, quote, escape *string
}

// checkCopy refuses what COPY cannot do here, before anything runs.
func checkCopy(n *pgquery.CopyStmt) error {
	switch {
	case n.IsFrom:
		return withIngestHint(unsupported(nowhere, "COPY FROM"))
	case n.IsProgram:
		return errorf(pgerrcode.InsufficientPrivilege, "must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program").
			withHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")
	case n.Filename != "":
		return errorf(pgerrcode.InsufficientPrivilege, "must be superuser or have privileges of the pg_write_server_files role to COPY to a file").
			withHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")
	case n.Query != nil && n.Query.GetSelectStmt() == nil:
		return withIngestHint(unsupported(nowhere, "COPY of %s", statementName(n.Query)))
	}
	return nil
}

// runCopy starts COPY … TO STDOUT.
func (s *Session) runCopy(ctx context.Context, n *pgquery.CopyStmt) (*Result, error) {
	if err := checkCopy(n); err != nil {
		return nil, err
	}
	sel := n.Query.GetSelectStmt()
	if sel == nil {
		names := constTexts(n.Attlist)
		for i, name := range names {
			if slices.Contains(names[:i], name) {
				return nil, errorf(pgerrcode.DuplicateColumn, "column %q specified more than once", name)
			}
		}
		sel = copyOfTable(n)
	}
	plan, err := s.plan(ctx, sel, []*Const{})
	if err != nil {
		return nil, copyFault(n, err)
	}
	format, err := readCopyOptions(n.Options, plan.Columns)
	if err != nil {
		plan.Release()
		return nil, err
	}
	r, err := s.start(ctx, plan)
	if err != nil {
		return nil, err
	}
	r.Tag, r.Copy = "COPY", format
	return r, nil
}

// copyOfTable is the query that gives what COPY of a table does.
func copyOfTable(n *pgquery.CopyStmt) *pgquery.SelectStmt {
	column := func(name *pgquery.Node) *pgquery.Node {
		ref := &pgquery.ColumnRef{Fields: []*pgquery.Node{name}, Location: nowhere}
		val := &pgquery.Node{Node: &pgquery.Node_ColumnRef{ColumnRef: ref}}
		return &pgquery.Node{Node: &pgquery.Node_ResTarget{ResTarget: &pgquery.ResTarget{Val: val, Location: nowhere}}}
	}
	sel := &pgquery.SelectStmt{
		LimitOption: pgquery.LimitOption_LIMIT_OPTION_DEFAULT,
		Op:          pgquery.SetOperation_SETOP_NONE,
		FromClause:  []*pgquery.Node{{Node: &pgquery.Node_RangeVar{RangeVar: n.Relation}}},
	}
	for _, name := range n.Attlist {
		sel.TargetList = append(sel.TargetList, column(name))
	}
	if len(n.Attlist) == 0 {
		sel.TargetList = []*pgquery.Node{column(&pgquery.Node{Node: &pgquery.Node_AStar{AStar: &pgquery.A_Star{}}})}
	}
	return sel
}

// copyFault says of a column that COPY named what PostgreSQL says there.
func copyFault(n *pgquery.CopyStmt, err error) error {
	var e *Error
	if n.Relation == nil || !errors.As(err, &e) {
		return err
	}
	e.offset = 0 // PostgreSQL points nowhere
	if e.Code != pgerrcode.UndefinedColumn {
		return err
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(e.Message, `column "`), `"`)
	return errorf(pgerrcode.UndefinedColumn, "column %q of relation %q does not exist", name, n.Relation.Relname)
}

// readCopyOptions reads the options of COPY TO in their old and new forms, as
// ProcessCopyOptions of PostgreSQL's copy.c does.
func readCopyOptions(nodes []*pgquery.Node, columns []ResultColumn) (*Copy, error) {
	o := &copyOptions{seen: map[string]bool{}}
	for _, node := range nodes {
		d := node.GetDefElem()
		if o.seen[d.Defname] {
			return nil, errorAt(d.Location, pgerrcode.SyntaxError, "conflicting or redundant options")
		}
		o.seen[d.Defname] = true
		if err := o.read(d); err != nil {
			return nil, err
		}
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	return &o.Copy, o.force(columns)
}

func (o *copyOptions) read(d *pgquery.DefElem) error {
	text := constText(d.Arg)
	switch d.Defname {
	case "format":
		switch text {
		case "text":
		case "csv":
			o.Format = CopyCSV
		case "binary":
			o.Format = CopyBinary
		default:
			return errorAt(d.Location, pgerrcode.InvalidParameterValue, "COPY format %q not recognized", text)
		}
	case "delimiter":
		o.delimiter = &text
	case "null":
		o.null = &text
	case "quote":
		o.quote = &text
	case "escape":
		o.escape = &text
	case "header":
		return o.readHeader(d, text)
	case "freeze":
		_, err := copyBool(d, text)
		return err
	case "force_quote":
		o.forceAll = d.Arg.GetAStar() != nil
		o.forceNames = d.Arg.GetList().GetItems()
		if !o.forceAll && o.forceNames == nil {
			return errorAt(d.Location, pgerrcode.InvalidParameterValue, "argument to option %q must be a list of column names", d.Defname)
		}
	case "force_not_null", "force_null":
	case "encoding":
		e, ok := postgres.EncodingNamed(text)
		if !ok {
			return errorAt(d.Location, pgerrcode.InvalidParameterValue, "argument to option %q must be a valid encoding name", d.Defname)
		}
		if !e.Converts() {
			return unsupported(d.Location, "the encoding %s", e.Name)
		}
		o.Encoding = e
	default:
		return errorAt(d.Location, pgerrcode.SyntaxError, "option %q not recognized", d.Defname)
	}
	return nil
}

func (o *copyOptions) readHeader(d *pgquery.DefElem, text string) error {
	if strings.EqualFold(text, "match") {
		return errorf(pgerrcode.FeatureNotSupported, `cannot use "match" with HEADER in COPY TO`)
	}
	on, err := copyBool(d, text)
	if err != nil {
		return errorf(pgerrcode.SyntaxError, `header requires a Boolean value or "match"`)
	}
	o.Header = on
	return nil
}

// copyBool reads a Boolean option; alone it means yes.
func copyBool(d *pgquery.DefElem, text string) (bool, error) {
	if d.Arg.GetNode() == nil {
		return true, nil
	}
	switch strings.ToLower(text) {
	case "true", "on", "1":
		return true, nil
	case "false", "off", "0":
		return false, nil
	}
	return false, errorf(pgerrcode.SyntaxError, "%s requires a Boolean value", d.Defname)
}

// complete checks the options against each other and fills in the defaults.
func (o *copyOptions) complete() error {
	syntax := func(what string) error {
		return errorf(pgerrcode.SyntaxError, "cannot specify %s in BINARY mode", what)
	}
	refused := func(text string) error { return errorf(pgerrcode.FeatureNotSupported, "%s", text) }
	invalid := func(format string, args ...any) error {
		return errorf(pgerrcode.InvalidParameterValue, format, args...)
	}
	csv, binary := o.Format == CopyCSV, o.Format == CopyBinary
	if binary && o.delimiter != nil {
		return syntax("DELIMITER")
	}
	if binary && o.null != nil {
		return syntax("NULL")
	}
	delimiter, null, quote := "\t", "\\N", "\""
	if csv {
		delimiter, null = ",", ""
	}
	delimiter, null = given(o.delimiter, delimiter), given(o.null, null)
	quote = given(o.quote, quote)
	escape := given(o.escape, quote)
	switch {
	case len(delimiter) != 1:
		return refused("COPY delimiter must be a single one-byte character")
	case strings.ContainsAny(delimiter, "\r\n"):
		return invalid("COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(null, "\r\n"):
		return invalid("COPY null representation cannot use newline or carriage return")
	case !csv && isMarker(delimiter[0]):
		return invalid(`COPY delimiter cannot be "%s"`, delimiter)
	case binary && o.Header:
		return refused("cannot specify HEADER in BINARY mode")
	case !csv && o.quote != nil:
		return refused("COPY quote available only in CSV mode")
	case csv && len(quote) != 1:
		return refused("COPY quote must be a single one-byte character")
	case csv && delimiter == quote:
		return invalid("COPY delimiter and quote must be different")
	case !csv && o.escape != nil:
		return refused("COPY escape available only in CSV mode")
	case csv && len(escape) != 1:
		return refused("COPY escape must be a single one-byte character")
	case !csv && o.seen["force_quote"]:
		return refused("COPY force quote available only in CSV mode")
	case !csv && o.seen["force_not_null"]:
		return refused("COPY force not null available only in CSV mode")
	case o.seen["force_not_null"]:
		return refused("COPY force not null only available using COPY FROM")
	case !csv && o.seen["force_null"]:
		return refused("COPY force null available only in CSV mode")
	case o.seen["force_null"]:
		return refused("COPY force null only available using COPY FROM")
	case strings.Contains(null, delimiter):
		return refused("COPY delimiter must not appear in the NULL specification")
	case csv && strings.Contains(null, quote):
		return refused("CSV quote character must not appear in the NULL specification")
	}
	o.Delimiter, o.Null, o.Quote, o.Escape = delimiter[0], null, quote[0], escape[0]
	return nil
}

// isMarker says that a byte has a meaning in COPY's text format.
func isMarker(b byte) bool {
	return b == '\\' || b == '.' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9'
}

func given(value *string, otherwise string) string {
	if value != nil {
		return *value
	}
	return otherwise
}

// force finds the columns of FORCE_QUOTE.
func (o *copyOptions) force(columns []ResultColumn) error {
	if !o.seen["force_quote"] {
		return nil
	}
	o.ForceQuote = make([]bool, len(columns))
	for i := range columns {
		o.ForceQuote[i] = o.forceAll
	}
	for _, node := range o.forceNames {
		name, found := constText(node), false
		for i, c := range columns {
			switch {
			case c.Name != name:
			case o.ForceQuote[i]:
				return errorf(pgerrcode.DuplicateColumn, "column %q specified more than once", name)
			default:
				o.ForceQuote[i], found = true, true
			}
		}
		if !found {
			return errorf(pgerrcode.UndefinedColumn, "column %q does not exist", name)
		}
	}
	return nil
}
