package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A regressStatement is one of a regression file that is compared, or one that
// changes a setting of the session.
type regressStatement struct {
	sql     string
	hash    string // of the text, and of how often it came before
	setting bool
	ordered bool // the order of the rows counts
}

// regressStatements are the statements of a file that are compared, and those
// that change a setting, in their order.
func regressStatements(t *testing.T, path string) []regressStatement {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, m := range regressMakes.FindAllStringSubmatch(string(text), -1) {
		made[strings.ToLower(m[1])] = true
	}
	var all []regressStatement
	times := map[string]byte{}
	for _, sql := range splitStatements(string(text)) {
		s, ok := newRegressStatement(sql, made)
		if !ok {
			continue
		}
		even := evenSpace.ReplaceAllString(sql, " ")
		sum := sha256.Sum256(append([]byte(even), times[even]))
		s.hash = hex.EncodeToString(sum[:6])
		times[even]++
		all = append(all, s)
	}
	return all
}

var (
	// regressMakes finds what a file makes and a statement could then name.
	regressMakes = regexp.MustCompile(`(?i)\bcreate\s+(?:or\s+replace\s+)?(?:function|aggregate|type|domain|procedure)\s+(?:pg_temp\.)?(\w+)`)
	// regressReads are the first words of statements that answer rows.
	regressReads   = regexp.MustCompile(`(?i)^\(*\s*(?:select|values|with)\b`)
	regressSetting = regexp.MustCompile(`(?i)^(?:set|reset)\s+(?:(?:session|local)\s+)?(timezone|time\s+zone|datestyle|intervalstyle|extra_float_digits|bytea_output|` +
		`standard_conforming_strings|escape_string_warning|backslash_quote|quote_all_identifiers|xmlbinary|xmloption)\b`)
	// regressVariable is a variable of psql.
	regressVariable = regexp.MustCompile(`(?:^|[^:]):['"{]`)
	evenSpace       = regexp.MustCompile(`\s+`)
)

func newRegressStatement(sql string, made map[string]bool) (regressStatement, bool) {
	s := regressStatement{sql: sql, setting: regressSetting.MatchString(sql)}
	if s.setting {
		return s, true
	}
	bare := stripComments(sql)
	if !regressReads.MatchString(bare) || regressVariable.MatchString(bare) {
		return s, false
	}
	tree, err := pg_query.Parse(sql)
	if err != nil {
		return s, true // the error is compared
	}
	if len(tree.Stmts) != 1 || tree.Stmts[0].Stmt.GetSelectStmt() == nil {
		return s, false
	}
	names := &namesOf{ctes: map[string]bool{}}
	names.visit(tree.ProtoReflect())
	if names.writes {
		return s, false
	}
	for _, r := range names.relations {
		if !names.ctes[r] {
			return s, false
		}
	}
	for _, n := range names.named {
		if made[n] {
			return s, false
		}
	}
	s.ordered = inOrder(tree.Stmts[0].Stmt.GetSelectStmt())
	return s, true
}

// inOrder says whether rows come in an order: by ORDER BY, or as one function or
// list of values gives them.
func inOrder(s *pg_query.SelectStmt) bool {
	if len(s.SortClause) > 0 || len(s.ValuesLists) > 0 {
		return true
	}
	if s.Op != pg_query.SetOperation_SETOP_NONE || len(s.GroupClause) > 0 || len(s.DistinctClause) > 0 || len(s.FromClause) > 1 {
		return false
	}
	return len(s.FromClause) == 0 || s.FromClause[0].GetRangeFunction() != nil
}

// namesOf collects what a statement names.
type namesOf struct {
	relations []string
	ctes      map[string]bool
	named     []string // functions and types
	writes    bool     // SELECT INTO, FOR UPDATE, or a statement that changes data
}

func (n *namesOf) visit(m protoreflect.Message) {
	switch node := m.Interface().(type) {
	case *pg_query.RangeVar:
		n.relations = append(n.relations, node.Schemaname+node.Relname)
	case *pg_query.CommonTableExpr:
		n.ctes[node.Ctename] = true
	case *pg_query.FuncCall:
		n.named = append(n.named, lastOf(node.Funcname))
	case *pg_query.TypeName:
		n.named = append(n.named, lastOf(node.Names))
	case *pg_query.IntoClause, *pg_query.InsertStmt, *pg_query.UpdateStmt, *pg_query.DeleteStmt:
		n.writes = true
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() != protoreflect.MessageKind || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				n.visit(v.List().Get(i).Message())
			}
		default:
			n.visit(v.Message())
		}
		return true
	})
}

func lastOf(names []*pg_query.Node) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1].GetString_().GetSval()
}

// splitStatements splits a file of psql's into its statements, without psql's own
// commands and the data of COPY.
func splitStatements(text string) []string {
	var all []string
	s := &splitter{text: text, conforming: true}
	for s.at < len(s.text) {
		if sql := s.next(); sql != "" {
			all = append(all, sql)
		}
	}
	return all
}

// splitter reads a file of psql's.
type splitter struct {
	text       string
	at         int
	conforming bool // backslashes in plain strings are letters
}

var (
	copyFromStdin = regexp.MustCompile(`(?is)^copy\s.*\bfrom\s+stdin\b`)
	conforming    = regexp.MustCompile(`(?i)^set\s+standard_conforming_strings\s*(?:=|to)\s*'?(on|off)`)
	dollarQuote   = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
)

// next is the next statement, without its semicolon; "" if there is none.
func (s *splitter) next() string {
	var b strings.Builder
	depth := 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == ';' && depth == 0:
			s.at++
			return s.end(b.String())
		case c == '\\':
			s.until("\n")
			continue
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		}
		from := s.at
		s.token()
		b.WriteString(s.text[from:s.at])
	}
	return s.end(b.String())
}

// end finishes a statement: settings that change how the rest is read, and the
// data of COPY.
func (s *splitter) end(sql string) string {
	sql = strings.TrimSpace(sql)
	bare := stripComments(sql)
	if m := conforming.FindStringSubmatch(bare); m != nil {
		s.conforming = strings.EqualFold(m[1], "on")
	}
	if copyFromStdin.MatchString(bare) {
		s.until("\n\\.\n")
	}
	if bare == "" {
		return ""
	}
	return bare
}

// until moves past the next occurrence of what.
func (s *splitter) until(what string) {
	i := strings.Index(s.text[s.at:], what)
	if i < 0 {
		s.at = len(s.text)
		return
	}
	s.at += i + len(what)
}

// token moves past a comment, a quoted text, a word or one byte.
func (s *splitter) token() {
	rest := s.text[s.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "--"):
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		s.at += i
	case strings.HasPrefix(rest, "/*"):
		s.comment()
	case c == '\'':
		s.quoted('\'', !s.conforming)
	case c == '"':
		s.quoted('"', false)
	case c == '$' && dollarQuote.MatchString(rest):
		tag := dollarQuote.FindString(rest)
		s.at += len(tag)
		s.until(tag)
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		s.at++
		s.quoted('\'', true)
	case (c == 'u' || c == 'U') && strings.HasPrefix(rest[1:], "&'"):
		s.at += 2
		s.quoted('\'', false)
	case isWord(c):
		for s.at < len(s.text) && (isWord(s.text[s.at]) || s.text[s.at] == '$') {
			s.at++
		}
	default:
		s.at++
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// comment moves past a comment, which may hold others.
func (s *splitter) comment() {
	for depth := 0; s.at < len(s.text); {
		switch rest := s.text[s.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
			if depth == 0 {
				return
			}
		default:
			s.at++
		}
	}
}

func (s *splitter) quoted(quote byte, escapes bool) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch {
		case s.text[s.at] == '\\' && escapes:
			s.at++
		case s.text[s.at] == quote:
			s.at++
			return
		}
	}
}

// stripComments removes the comments before a statement.
func stripComments(sql string) string {
	for {
		sql = strings.TrimSpace(sql)
		s := &splitter{text: sql, conforming: true}
		if !strings.HasPrefix(sql, "--") && !strings.HasPrefix(sql, "/*") {
			return sql
		}
		s.token()
		sql = sql[s.at:]
	}
}
