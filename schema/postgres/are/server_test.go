package are_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/schema/postgres/are"
)

var (
	questions = flag.Int("questions", 5000, "how many patterns to ask PostgreSQL about")
	seed      = flag.Uint64("seed", 1, "which patterns")
)

// TestAgainstServer makes patterns, and asks a real PostgreSQL what their first
// match in a text is and what its groups are.
func TestAgainstServer(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), testdeps.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	r := rand.New(rand.NewPCG(*seed, 0))
	matched := 0
	for range *questions {
		g := &maker{Rand: r}
		pattern, text := g.alternatives(2), g.text()
		want := askServer(t, conn, pattern, text)
		if got := ask(pattern, text); got != want {
			t.Errorf("%q in %q:\n      got %s\nPostgreSQL %s", pattern, text, got, want)
		}
		if strings.HasPrefix(want, "{") {
			matched++
		}
	}
	t.Logf("%d of %d matched", matched, *questions)
}

func askServer(t *testing.T, conn *pgx.Conn, pattern, text string) string {
	t.Helper()
	var groups []*string
	err := conn.QueryRow(t.Context(), "SELECT regexp_match($1, $2)", text, pattern).Scan(&groups)
	var fault *pgconn.PgError
	switch {
	case errors.As(err, &fault):
		return fault.Message
	case err != nil:
		t.Fatalf("%q in %q: %v", pattern, text, err)
	case groups == nil:
		return "no match"
	}
	return groupsText(groups)
}

func groupsText(groups []*string) string {
	var b strings.Builder
	b.WriteByte('{')
	for _, g := range groups {
		if g == nil {
			b.WriteString("NULL,")
			continue
		}
		fmt.Fprintf(&b, "%q,", *g)
	}
	return b.String() + "}"
}

func ask(pattern, text string) string {
	re, err := are.Compile(pattern, are.Options{})
	if err != nil {
		return "invalid regular expression: " + err.Error()
	}
	in := re.Text(text)
	at, err := in.Find(0)
	if err != nil {
		return err.Error()
	}
	if matches, err := in.Match(0); err != nil || (at != nil) != matches {
		return "Find and Match differ"
	}
	if at == nil {
		return "no match"
	}
	if len(at) > 2 {
		at = at[2:]
	}
	var groups []*string
	for i := 0; i < len(at); i += 2 {
		if at[i] < 0 {
			groups = append(groups, nil)
			continue
		}
		part := in.Slice(at[i], at[i+1])
		groups = append(groups, &part)
	}
	return groupsText(groups)
}

// maker makes patterns and texts of few letters, so that they match often.
type maker struct {
	*rand.Rand
	closed int
}

func (g *maker) text() string {
	var b strings.Builder
	for range g.IntN(12) {
		b.WriteByte("aaabbc -"[g.IntN(8)])
	}
	return b.String()
}

func (g *maker) alternatives(depth int) string {
	out := g.branch(depth)
	for g.IntN(4) == 0 {
		out += "|" + g.branch(depth)
	}
	return out
}

func (g *maker) branch(depth int) string {
	var b strings.Builder
	for range g.IntN(4) {
		b.WriteString(g.piece(depth))
	}
	return b.String()
}

func (g *maker) piece(depth int) string {
	switch n := g.IntN(30); {
	case n == 0:
		return []string{"^", "$", `\m`, `\M`, `\y`, `\Y`, `\A`, `\Z`, "[[:<:]]"}[g.IntN(9)]
	case n == 1 && depth > 0:
		return []string{"(?=", "(?!", "(?<=", "(?<!"}[g.IntN(4)] + g.plain(depth-1) + ")"
	case n < 8 && depth > 0:
		inside := "(" + g.alternatives(depth-1) + ")"
		g.closed++
		return inside + g.quantifier()
	case n < 11 && depth > 0:
		return "(?:" + g.alternatives(depth-1) + ")" + g.quantifier()
	case n < 14 && g.closed > 0:
		return fmt.Sprintf(`\%d`, 1+g.IntN(g.closed)) + g.quantifier()
	}
	return []string{"a", "b", "c", ".", "[ab]", "[^a]", `\w`, `\s`, `\W`, "[a-c]", "[[:alpha:]-]", "-"}[g.IntN(12)] + g.quantifier()
}

// plain is an alternative without groups, as look-around must be.
func (g *maker) plain(depth int) string {
	return strings.ReplaceAll((&maker{Rand: g.Rand}).alternatives(min(depth, 0)), "(", "(?:")
}

func (g *maker) quantifier() string {
	if g.IntN(2) == 0 {
		return ""
	}
	return []string{"*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{1,1}", "{1,1}?", "{0}", "{2,}"}[g.IntN(13)]
}

// TestSearchEnds searches for what only trying every division of the text would
// rule out: an odd number of letters in pairs of equal parts.
func TestSearchEnds(t *testing.T) {
	t.Parallel()
	re, err := are.Compile(`^(?:(a|aa|aaa)\1)*$`, are.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if matches, err := re.Text(strings.Repeat("a", 200)).Match(0); !matches || err != nil {
		t.Errorf("an even number: %v, %v", matches, err)
	}
	var unsupported are.Unsupported
	if at, err := re.Text(strings.Repeat("a", 201)).Find(0); !errors.As(err, &unsupported) {
		t.Errorf("an odd number: %v, %v", at, err)
	}
}
