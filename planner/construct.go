package planner

import (
	"strings"
	"unicode"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// statementNames are what SQL calls the statements whose names in the parser do
// not say it.
var statementNames = map[string]string{
	"AlterTableStmt":          "ALTER TABLE",
	"CheckPointStmt":          "CHECKPOINT",
	"ClusterStmt":             "CLUSTER",
	"CreateStmt":              "CREATE TABLE",
	"CreateTableAsStmt":       "CREATE TABLE AS",
	"CreatedbStmt":            "CREATE DATABASE",
	"DeclareCursorStmt":       "DECLARE",
	"DropdbStmt":              "DROP DATABASE",
	"IndexStmt":               "CREATE INDEX",
	"RuleStmt":                "CREATE RULE",
	"ViewStmt":                "CREATE VIEW",
	"VacuumStmt":              "VACUUM",
	"CreateFunctionStmt":      "CREATE FUNCTION",
	"CreateRoleStmt":          "CREATE ROLE",
	"CreateTrigStmt":          "CREATE TRIGGER",
	"CreateSchemaStmt":        "CREATE SCHEMA",
	"CreateSeqStmt":           "CREATE SEQUENCE",
	"AlterOwnerStmt":          "ALTER OWNER",
	"SecLabelStmt":            "SECURITY LABEL",
	"ReassignOwnedStmt":       "REASSIGN OWNED",
	"RefreshMatViewStmt":      "REFRESH MATERIALIZED VIEW",
	"ConstraintsSetStmt":      "SET CONSTRAINTS",
	"ImportForeignSchemaStmt": "IMPORT FOREIGN SCHEMA",
}

// statementName is what SQL calls a statement: CREATE FUNCTION, INSERT.
func statementName(n *pgquery.Node) string {
	if v := n.GetVacuumStmt(); v != nil && !v.IsVacuumcmd {
		return "ANALYZE"
	}
	if g := n.GetGrantStmt(); g != nil && !g.IsGrant {
		return "REVOKE"
	}
	if f := n.GetFetchStmt(); f != nil && f.Ismove {
		return "MOVE"
	}
	name := messageName(n)
	if known, ok := statementNames[name]; ok {
		return known
	}
	return words(strings.TrimSuffix(name, "Stmt"))
}

// words writes CamelCase as SQL writes words.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// messageName is the parser's name of a node.
func messageName(n *pgquery.Node) string {
	if n.GetNode() == nil {
		return ""
	}
	m := n.ProtoReflect()
	return string(m.Get(m.WhichOneof(m.Descriptor().Oneofs().Get(0))).Message().Descriptor().Name())
}

// constructNames are what SQL calls the nodes whose names in the parser say too
// little.
var constructNames = map[string]string{
	"A_Star":                    "a star here",
	"CurrentOfExpr":             "CURRENT OF",
	"JsonArrayAgg":              "JSON_ARRAYAGG",
	"JsonArrayConstructor":      "JSON_ARRAY",
	"JsonArrayQueryConstructor": "JSON_ARRAY",
	"JsonIsPredicate":           "IS JSON",
	"JsonObjectAgg":             "JSON_OBJECTAGG",
	"JsonObjectConstructor":     "JSON_OBJECT",
	"MultiAssignRef":            "a multiple assignment",
	"NamedArgExpr":              "a named argument here",
	"XmlExpr":                   "XML",
	"XmlSerialize":              "XMLSERIALIZE",
}

// nodeName names a construct for a refusal.
func nodeName(n *pgquery.Node) string {
	name := messageName(n)
	if known, ok := constructNames[name]; ok {
		return known
	}
	if name == "" {
		return "an empty expression"
	}
	return name
}

// withIngestHint says how data gets in, since SQL does not write any.
func withIngestHint(e *Error) *Error {
	return e.withHint("Events are written over HTTP, with POST /v1/events or POST /v1/events/{metric}.")
}

// typeText is a type with its modifier, for messages.
func typeText(t Type) string {
	if t.Typmod < 0 {
		return t.OID.String()
	}
	return postgres.FormatType(t.OID, t.Typmod)
}

// namesItself says whether a query names a table without schema, anywhere.
func namesItself(n *pgquery.SelectStmt, name string) bool {
	found := false
	visitMessages(n.ProtoReflect(), func(m protoreflect.Message) bool {
		if s, ok := m.Interface().(*pgquery.SelectStmt); ok && hides(s.WithClause, name) {
			return false
		}
		if rv, ok := m.Interface().(*pgquery.RangeVar); ok && rv.Schemaname == "" && rv.Relname == name {
			found = true
		}
		return !found
	})
	return found
}

// hides says that a WITH clause has a query of the name that hides the outer one
// from all of the statement: from its own queries too, as it is the first.
func hides(n *pgquery.WithClause, name string) bool {
	for i, c := range n.GetCtes() {
		if c.GetCommonTableExpr().Ctename == name {
			return i == 0 || n.Recursive
		}
	}
	return false
}

// visitMessages visits a message and those in it as long as visit says to go on.
func visitMessages(m protoreflect.Message, visit func(protoreflect.Message) bool) {
	if !visit(m) {
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			list := v.List()
			for i := range list.Len() {
				visitMessages(list.Get(i).Message(), visit)
			}
		default:
			visitMessages(v.Message(), visit)
		}
		return true
	})
}
