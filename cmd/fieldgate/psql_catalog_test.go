package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// describeCommands are psql 15's commands that list objects.
const describeCommands = `d da dA dAc dAf dAo dAp db dc dC dd dD ddp dE des det deu dew df dfa dfn dfp dft dfw dF dFd dFp dFt dg di dl dL dm dn do dO dp dP
	dPi dPt drds dRp dRs ds dt dti dtvmsE dT du dv dx dX dy l lo_list z`

// describePatterns are commands with patterns, of what there is and what there is not.
const describePatterns = `
da pg_catalog.a*
dA b*
dAc btree
dAc btree integer
dAc+ gin
dAc+ * integer
dAf btree
dAf+ hash
dAf * text
dAo btree float_ops
dAo+ gist
dAp+ btree float_ops
dAp gin jsonb_ops
dc *latin1*
dcS *utf8_to_latin*
dcS+ pg_catalog.*
dCS *
dC+ json
dC int4
dd *
ddS *
dd pg_catalog.*
dD *
dDS+ information_schema.*
dE *
df pg_catalog.lower
df+ pg_catalog.lower
df lower text
df *.to_char timestamp text
dfS *
dF english
dF+ english
dF+ simple
dFS *
dFd+ english*
dFp+ default
dFt+ snowball
dg *
duS+ pg_*
dL+ *
dn+ public
dnS+ *
do pg_catalog.@@
do+ pg_catalog.||
doS *
do + integer integer
do - NONE bigint
dOS+ pg_catalog.C
dp press
dp pg_catalog.pg_cl*
z information_schema.*
dP *
drds *
ds *.*
dt *.*
dtS pg_*
dt+ p*
dT *
dTS+ *
dvS *
dx plpgsql
dX+ *
dy *
l template*
l+ template*
sf lower(text)
sf+ lower(text)
sf format(text)
sf age(timestamptz)
sf ts_debug(text)
sf json_populate_record
sf generate_series(bigint, bigint)
sf int4_to_char
sf nope
sv press
sv nope
d press
d+ press
d "Odd Name.x"
d pg_class
d+ pg_class
dS pg_catalog.pg_am
d pg_stat_activity
d information_schema.columns
d *.press
d fieldgate_twin.public.press
d a.b.c.d
d other.public.press
dt other.public.press
dn pg_toast
encoding
`

// notHere says of a line of PostgreSQL's that it is about what is not there here:
// PL/pgSQL and its extension; the collations of the operating system and of ICU; TOAST
// tables and indexes, also those of the catalogs, which are computed; the database
// postgres; functions of the libraries behind text search.
var notHere = regexp.MustCompile(`plpgsql|-x-icu|C\.utf8|ucs_basic|unicode\||pg_toast|_index\||^Indexes:$|^    "pg_\w+_index"|^postgres\||dsnowball` +
	`|^information_schema\|_pg_`)

// sizes differ: nobody writes the same files.
var sizeColumn = regexp.MustCompile(`\|\d+ (bytes|kB|MB)`)

// TestPsqlDescribes compares what all of psql's commands that list objects print, by
// themselves, with S and +, and with patterns: never an error that PostgreSQL does not
// give, and the same lines but for objects that are not there.
func TestPsqlDescribes(t *testing.T) {
	t.Parallel()
	psql := testdeps.Psql(t)
	w := startTwin(t)
	w.withPostgres(t)
	var commands []string
	for c := range strings.FieldsSeq(describeCommands) {
		for _, suffix := range []string{"", "+", "S", "S+"} {
			commands = append(commands, c+suffix)
		}
	}
	commands = append(commands, strings.Split(strings.TrimSpace(describePatterns), "\n")...)
	// No index nor extension is there, so psql says so where PostgreSQL has a list.
	commands = slices.DeleteFunc(commands, func(c string) bool {
		return strings.HasPrefix(c, "diS") || c == "dx+" || c == "dxS+"
	})
	// A role that is no superuser may not read the size of pg_global nor how to
	// connect to a subscription's origin there; here there is nothing to hide.
	commands = slices.DeleteFunc(commands, func(c string) bool {
		return strings.HasPrefix(c, "db") && strings.HasSuffix(c, "+") || strings.HasPrefix(c, "dRs") && strings.HasSuffix(c, "+")
	})
	ours, theirs := listings(t, psql, w.ours, commands), listings(t, psql, w.theirs, commands)
	for i, command := range commands {
		got, want := described(command, ours[i], true), described(command, theirs[i], false)
		if slices.Equal(got, want) {
			continue
		}
		t.Errorf(`\%s`, command)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Logf("PostgreSQL %s", line)
			}
		}
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Logf("here       %s", line)
			}
		}
	}
}

// listings runs commands in one session and gives what each prints, errors last.
func listings(t *testing.T, psql, dsn string, commands []string) []string {
	t.Helper()
	var script strings.Builder
	for i, c := range commands {
		fmt.Fprintf(&script, "\\echo @@%d\n\\warn @@%d\n\\%s\n", i, i, c)
	}
	path := filepath.Join(t.TempDir(), "commands.psql")
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), psql, "-X", "-P", "pager=off", "-P", "format=unaligned", "-P", "null=(null)", "-P", "footer=off", "-d", dsn, "-f", path)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("psql: %v\n%s", err, errs.String())
	}
	printed := make([]string, len(commands))
	for _, stream := range []string{out.String(), errs.String()} {
		for i := range commands {
			_, rest, ok := strings.Cut(stream, fmt.Sprintf("@@%d\n", i))
			if !ok {
				t.Fatalf("nothing of \\%s:\n%s", commands[i], stream)
			}
			section, _, _ := strings.Cut(rest, fmt.Sprintf("@@%d\n", i+1))
			printed[i] += section
		}
	}
	return printed
}

// shared are the databases and roles that a command lists and both servers have;
// others are what other tests made.
var shared = regexp.MustCompile(`^(pg_|fieldgate_twin|template|fieldgate=|List of|Name|Role name|ERROR)`)

// described are the lines of what a command prints, as they can be compared.
func described(command, text string, ours bool) []string {
	global := regexp.MustCompile(`^(l|du|dg)S?\+?( |$)`).MatchString(command)
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "psql:") { // the script's path and line
			_, line, _ = strings.Cut(line, ": ")
		}
		if notHere.MatchString(line) {
			continue
		}
		if !ours {
			line = regexp.MustCompile(`\bpostgres\b`).ReplaceAllString(line, "fieldgate")
		}
		if global && !shared.MatchString(line) {
			continue
		}
		lines = append(lines, sizeColumn.ReplaceAllString(line, "|size"))
	}
	return lines
}
