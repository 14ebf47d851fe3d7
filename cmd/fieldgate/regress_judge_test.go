package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
)

// A verdict says how our answer compares with PostgreSQL's.
const (
	verdictSame      = "same"
	verdictRefused   = "refused"   // by 0A000, where PostgreSQL says something else
	verdictError     = "error"     // another SQLSTATE, or one where PostgreSQL answers
	verdictDifferent = "different" // an answer, without error, that is not PostgreSQL's
	verdictUnstable  = "unstable"  // written by hand: the answer depends on the order of rows that tie
)

const (
	// regressShown is how many rows of an answer the long form shows.
	regressShown = 20
	// regressKnown is the least share of a file's verdicts whose statements the
	// fetched file must have, in percent.
	regressKnown = 90
	// noReason stands where a reason is to be written.
	noReason = "?"
)

func askRegress(t *testing.T, conn *pgconn.PgConn, sql string) *regressAnswer {
	t.Helper()
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	a := &regressAnswer{}
	if err != nil {
		if !errors.As(err, &a.err) {
			t.Fatalf("%s: %v", sql, err)
		}
		return a
	}
	if len(results) == 0 {
		return a
	}
	last := results[len(results)-1]
	for _, f := range last.FieldDescriptions {
		a.names = append(a.names, f.Name)
		a.types = append(a.types, f.DataTypeOID)
	}
	for _, row := range last.Rows {
		values := make([]string, len(row))
		for i, v := range row {
			values[i] = `\N`
			if v != nil {
				values[i] = string(v)
			}
		}
		a.rows = append(a.rows, strings.Join(values, "|"))
	}
	return a
}

func (a *regressAnswer) heading() string {
	parts := make([]string, len(a.names))
	for i := range parts {
		parts[i] = fmt.Sprintf("%s:%d", a.names[i], a.types[i])
	}
	return strings.Join(parts, "|")
}

// message is an error whole.
func (a *regressAnswer) message() string {
	e := a.err
	text := fmt.Sprintf("%s %s\n", e.Code, e.Message)
	for _, part := range []struct{ name, text string }{{"detail", e.Detail}, {"hint", e.Hint}} {
		if part.text != "" {
			text += part.name + ": " + part.text + "\n"
		}
	}
	if e.Position != 0 {
		text += fmt.Sprintf("at %d\n", e.Position)
	}
	return text
}

func (a *regressAnswer) sameShape(b *regressAnswer) bool {
	return a.err == nil && b.err == nil && slices.Equal(a.names, b.names) && slices.Equal(a.types, b.types)
}

func (a *regressAnswer) sameRows(b *regressAnswer, ordered bool) bool {
	x, y := a.rows, b.rows
	if !ordered {
		x, y = slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	}
	return slices.Equal(x, y)
}

func judge(got, want *regressAnswer, ordered bool) string {
	switch {
	case got.err != nil && want.err != nil && got.err.Code == want.err.Code:
		return verdictSame
	case got.err != nil && got.err.Code == pgerrcode.FeatureNotSupported:
		return verdictRefused
	case got.err != nil:
		return verdictError
	case got.sameShape(want) && got.sameRows(want, ordered):
		return verdictSame
	}
	return verdictDifferent
}

// regressCounts are the verdicts on a file, or on all.
type regressCounts struct {
	same, different, refused, errors int
	unstable                         int // rows that tie; see verdictUnstable
	messages                         int // same but for an error's message, detail, hint or position
}

func (c *regressCounts) count(verdict string, got, want *regressAnswer) {
	switch verdict {
	case verdictSame:
		c.same++
		if got.err != nil && got.message() != want.message() {
			c.messages++
		}
	case verdictDifferent:
		c.different++
	case verdictRefused:
		c.refused++
	case verdictError:
		c.errors++
	case verdictUnstable:
		c.unstable++
	}
}

func (c *regressCounts) add(d regressCounts) {
	c.same += d.same
	c.different += d.different
	c.refused += d.refused
	c.errors += d.errors
	c.unstable += d.unstable
	c.messages += d.messages
}

func (c regressCounts) String() string {
	total := c.same + c.different + c.refused + c.errors + c.unstable
	return fmt.Sprintf("%d statements, same %d (%.1f %%), different without error %d, refused %d, errors that differ %d, unstable %d; error texts that differ %d",
		total, c.same, 100*float64(c.same)/float64(max(total, 1)), c.different, c.refused, c.errors, c.unstable, c.messages)
}

// unstable says that the statement's answer depends on the order of rows that tie.
func (v *verdicts) unstable(s regressStatement) bool {
	return strings.HasPrefix(v.known[s.hash], verdictUnstable)
}

// verdicts are those of testdata/regress on one file. Its lines are a comment,
// or a statement's hash, the verdict, and the reason if it is not "same".
type verdicts struct {
	path    string
	known   map[string]string // by hash: verdict, or verdict and reason
	order   []string          // hashes as they were met
	met     map[string]string // by hash: what came of it
	unknown int
}

func readVerdicts(t *testing.T, name string) *verdicts {
	t.Helper()
	v := &verdicts{path: filepath.Join("testdata", "regress", name), known: map[string]string{}, met: map[string]string{}}
	f, err := os.Open(v.path)
	if errors.Is(err, os.ErrNotExist) {
		return v
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if hash, rest, ok := strings.Cut(lines.Text(), " "); ok && hash != "#" {
			v.known[hash] = rest
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return v
}

// hold checks the verdict on a statement against the committed one. With rewrite
// it only keeps it, and the reason if the verdict is still the same.
func (v *verdicts) hold(t *testing.T, s regressStatement, verdict string, rewrite bool) {
	t.Helper()
	known, is := v.known[s.hash]
	old, reason, _ := strings.Cut(known, " ")
	if !rewrite {
		switch {
		case old == verdictUnstable && reason != "":
		case is && old != verdict:
			t.Errorf("%s: %s, and the committed verdict is %s\n%s", s.hash, verdict, old, s.sql)
		case is && old != verdictSame && (reason == "" || reason == noReason):
			t.Errorf("%s: %s without a reason\n%s", s.hash, verdict, s.sql)
		case !is && verdict == verdictDifferent:
			t.Errorf("%s: %s, and not known\n%s", s.hash, verdict, s.sql)
		}
	}
	if !is {
		v.unknown++
	}
	v.order = append(v.order, s.hash)
	switch {
	case verdict == verdictSame && old != verdictUnstable:
		v.met[s.hash] = verdict
	case old == verdict && reason != "", old == verdictUnstable:
		v.met[s.hash] = known
	default:
		v.met[s.hash] = verdict + " " + noReason
	}
}

// complete checks that the file has the statements that the verdicts are on.
func (v *verdicts) complete(t *testing.T) {
	t.Helper()
	if len(v.known) == 0 && len(v.met) > 0 {
		t.Errorf("%s has no verdict", v.path)
	}
	if found := len(v.met) - v.unknown; found*100 < len(v.known)*regressKnown {
		t.Errorf("%s: %d of %d statements found", v.path, found, len(v.known))
	}
}

func (v *verdicts) write(t *testing.T, c regressCounts) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", c)
	for _, hash := range v.order {
		fmt.Fprintf(&b, "%s %s\n", hash, v.met[hash])
	}
	if err := os.MkdirAll(filepath.Dir(v.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(v.path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
