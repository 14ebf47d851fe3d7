package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fieldgate/fieldgate/"

// layers says which of our packages each package may import. A package that is
// not listed here does not exist; change the table when the design changes.
var layers = map[string][]string{
	"schema":                   {"schema/postgres"},
	"schema/postgres":          {"schema/postgres/are"},
	"schema/postgres/are":      {},
	"schema/postgres/generate": {},
	"schema/profile":           {"schema", "schema/postgres"},
	"schema/suggest":           {"schema", "schema/profile"},
	"schema/webhook":           {"schema", "schema/suggest"},
	"schema/schematest":        {"schema"},
	"sources/vfs":              {},
	"sources/vfs/vfstest":      {"sources/vfs"},
	"sources/objstore":         {"sources/vfs"},
	"sources/zstd":             {},
	"sources/objstore/objstoretest": {
		"sources/objstore",
	},
	"pipeline/stream":            {"sources/vfs"},
	"pipeline/stream/streamtest": {"pipeline/stream"},
	"deploy/testdeps":            {},
	"deploy/testdeps/faultproxy": {},
	"deploy/testdeps/lambda":     {},

	"sources":         {"schema", "pipeline/stream"},
	"pipeline/record": {"schema", "pipeline/stream", "sources/zstd"},

	"sources/nearline":              {"schema", "sources", "pipeline/stream"},
	"sources/nearline/nearlinetest": {"schema", "sources", "sources/nearline", "pipeline/stream"},
	"sources/lake":                  {"schema", "sources", "sources/objstore", "sources/vfs", "pipeline/stream"},
	"sources/pgcatalog":             {"schema", "schema/postgres", "schema/profile", "schema/suggest", "sources"},
	"sources/pgcatalog/generate":    {"schema/postgres"},

	"sources/bolt":     {"schema"},
	"sources/dynamodb": {"schema", "sources", "sources/nearline", "sources/objstore", "pipeline/stream", "pipeline/tally"},
	"sources/s3":       {"sources/objstore"},
	"pipeline/kinesis": {"schema", "pipeline/stream", "pipeline/tally"},
	"pipeline/lease":   {"schema"},
	"pipeline/tally":   {"schema"},

	"planner":          {"schema", "schema/postgres", "schema/suggest", "schema/webhook", "sources"},
	"pipeline":         {"schema", "schema/profile", "sources", "sources/nearline", "sources/lake", "sources/objstore", "pipeline/lease", "pipeline/stream", "pipeline/record"},
	"pipeline/compact": {"schema", "pipeline/lease", "sources", "sources/nearline", "sources/lake", "sources/objstore", "pipeline/stream", "pipeline/record"},
	"ingest":           {"schema", "pipeline/stream", "pipeline/record"},
	"wire/auth":        {"schema"},

	"planner/duckdb/textsearch": {"schema/postgres"},
	"planner/duckdb":            {"schema", "schema/postgres", "sources", "schema/postgres/are", "planner", "planner/duckdb/textsearch"},
	"wire":                      {"schema", "schema/postgres", "planner", "wire/auth"},
	"wire/wiretest":             {},

	"cmd/fieldgate/browse": {},
	"cmd/fieldgate/config": {"sources/s3"},
	"cmd/fieldgate/stores": {
		"cmd/fieldgate/config", "schema", "schema/profile", "sources", "sources/bolt", "sources/dynamodb", "sources/lake", "sources/nearline",
		"sources/objstore", "sources/s3", "sources/vfs", "pipeline", "pipeline/kinesis", "pipeline/record", "pipeline/stream",
	},
	"cmd/fieldgate/peers": {"pipeline/lease", "planner", "schema", "schema/postgres", "sources"},
	"cmd/fieldgate/rest":  {"schema", "schema/postgres", "schema/suggest", "schema/webhook", "planner", "ingest", "pipeline"},
}

// programs wire everything and may import any package.
var programs = []string{"cmd/fieldgate", "cmd/fieldgate/bench", "cmd/fieldgate-lambda"}

// shapeless are names that say nothing about what a package is.
var shapeless = []string{"util", "utils", "common", "helpers", "types", "models", "base", "misc", "lib", "core", "internal"}

type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

// ours lists the packages of the module by their path in it.
func ours(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		if len(p.GoFiles) > 0 {
			packages[strings.TrimPrefix(p.ImportPath, module)] = p
		}
	}
	if len(packages) == 0 {
		t.Fatal("go list names no package")
	}
	return packages
}

func TestLayers(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		allowed, known := layers[name]
		if !known && !slices.Contains(programs, name) {
			t.Errorf("%s: not in the table of layers", name)
			continue
		}
		if !known {
			continue
		}
		for _, imported := range p.Imports {
			inner, is := strings.CutPrefix(imported, module)
			if is && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s, which its layer must not", name, inner)
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for name := range ours(t) {
		for _, part := range strings.Split(name, "/") {
			if slices.Contains(shapeless, part) {
				t.Errorf("%s: %q does not say what the package is", name, part)
			}
		}
		if path.Base(name) != strings.ToLower(path.Base(name)) {
			t.Errorf("%s: package names are lower case", name)
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	for name, p := range ours(t) {
		comments := 0
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if parsed.Doc != nil {
				comments++
			}
		}
		if comments != 1 {
			t.Errorf("%s: %d package comments, want 1", name, comments)
		}
	}
}
