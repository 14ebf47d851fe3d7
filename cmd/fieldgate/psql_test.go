package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// psql runs psql's own commands and statements as the development user.
func (i *instance) psql(t *testing.T, commands ...string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(i.c.PGAddr)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-X", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", port, "-U", "demo", "demo"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	cmd := exec.CommandContext(t.Context(), testdeps.Psql(t), args...)
	cmd.Env = append(os.Environ(), "PGPASSWORD=demo")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("psql %s: %v", strings.Join(commands, " "), err)
	}
	return string(out)
}

// TestPsqlBrowses sees that psql's listings show what is declared.
func TestPsqlBrowses(t *testing.T) {
	t.Parallel()
	testdeps.Psql(t)
	i := start(t, t.TempDir())
	i.psql(t, `create table press (temperature double precision, ok boolean, label varchar(20))`, `comment on table press is 'the hot ones'`)
	tests := []struct {
		command string
		want    []string
	}{
		{`\l`, []string{"demo", "UTF8"}},
		{`\dn`, []string{"errors", "fieldgate", "public"}},
		{`\dt`, []string{"public | press | table | demo"}},
		{`\dt+`, []string{"the hot ones"}},
		{`\d`, []string{"press"}},
		{`\d press`, []string{
			`Table "public.press"`, "timestamp | timestamp with time zone", "temperature | double precision", "ok | boolean",
			"label | character varying(20)",
		}},
		{`\d errors.stream`, []string{"handled_at | timestamp with time zone", "event_bytes | bytea"}},
		{`\du`, []string{"demo"}},
		{`\db+`, []string{"pg_default | fieldgate", "0 bytes"}},
		{`\sf fieldgate.add_alias(text, text)`, []string{"CREATE OR REPLACE FUNCTION fieldgate.add_alias(metric text, alias text)", "RETURNS void"}},
		{`\df`, nil},
		{`\dv fieldgate.*`, []string{"observed_metrics"}},
	}
	for _, test := range tests {
		got := i.psql(t, test.command)
		// Columns are padded to the widest value; the test is about the words.
		words := strings.Join(strings.Fields(got), " ")
		for _, want := range test.want {
			if !strings.Contains(words, want) {
				t.Errorf("%s lacks %q:\n%s", test.command, want, got)
			}
		}
	}
}
