package planner_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/sources"
	"github.com/fieldgate/fieldgate/sources/bolt"
)

// clock is the time in all tests.
var clock = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)

// world is a planner over a schema in a file, with an engine and stores that
// only write down what they are asked.
type world struct {
	planner  *planner.Planner
	schemas  *schema.Store
	observed *schema.Observed
	engine   *recorder
	session  *planner.Session
}

func newWorld(t testing.TB) *world {
	t.Helper()
	kv, err := bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "kv")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kv.Close() }) // the file goes with the test
	now := func() time.Time { return clock }
	w := &world{engine: &recorder{}}
	if w.schemas, err = schema.NewStore(kv, schema.StoreConfig{Now: now}); err != nil {
		t.Fatal(err)
	}
	if err := w.schemas.AddTenant(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	if w.observed, err = schema.NewObserved(kv, schema.ObservedConfig{Schemas: w.schemas, Now: now}); err != nil {
		t.Fatal(err)
	}
	w.useCatalog(t, wholeCatalog(t))
	return w
}

// useCatalog begins anew with a catalog.
func (w *world) useCatalog(t testing.TB, catalog sources.Catalog) {
	t.Helper()
	var err error
	w.planner, err = planner.New(planner.Config{
		Schemas: w.schemas, Observed: w.observed, Engine: w.engine, Nearline: w.engine, Lake: w.engine,
		Catalog: catalog, Admin: w.engine, Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.session = w.open(t, "demo", true)
}

func (w *world) open(t testing.TB, user string, owner bool) *planner.Session {
	t.Helper()
	s, err := w.planner.NewSession(planner.Identity{Tenant: "demo", User: user, Owner: owner}, nil, planner.Client{PID: 7})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// observe has a device send fields of the kinds: "mag:n place:s".
func (w *world) observe(t testing.TB, metric, fields string) {
	t.Helper()
	e := &schema.Event{Dataset: schema.Dataset{Tenant: "demo", Metric: metric}, ReceivedAt: clock.UnixMicro()}
	if snapshot, err := w.schemas.Current(t.Context(), "demo"); err == nil {
		e.Dataset = snapshot.Dataset(metric)
	}
	for field := range strings.FieldsSeq(fields) {
		i := strings.LastIndexByte(field, ':')
		e.Values = append(e.Values, schema.Value{Name: field[:i], Kind: schema.Kind(field[i+1])})
	}
	w.observed.Note(e)
}

// run prepares and executes the statements of a text and says what came of each.
func run(t testing.TB, s *planner.Session, sql string) string {
	t.Helper()
	var b strings.Builder
	statements, err := s.Parse(t.Context(), sql)
	if err != nil {
		return errorText(err)
	}
	for _, st := range statements {
		p, err := s.Prepare(t.Context(), st, nil)
		var r *planner.Result
		if err == nil {
			r, err = s.Execute(t.Context(), p, nil)
		}
		if err != nil {
			b.WriteString(errorText(err))
			continue
		}
		for _, n := range r.Notices {
			fmt.Fprintf(&b, "%s %s: %s\n", n.Severity, n.Code, n.Message)
		}
		b.WriteString(rowsText(t, r))
		fmt.Fprintf(&b, "%s [%c]\n", r.Tag, s.Status())
	}
	return b.String()
}

func rowsText(t testing.TB, r *planner.Result) string {
	t.Helper()
	if r.Rows == nil {
		return ""
	}
	var b strings.Builder
	for {
		c, err := r.Rows.Next(t.Context())
		if err != nil {
			return errorText(err)
		}
		if c == nil {
			break
		}
		for row := range c.Rows {
			for i, v := range c.Columns {
				fmt.Fprintf(&b, "%s=%s ", r.Columns[i].Name, v.Bytes[row])
			}
			b.WriteByte('\n')
		}
	}
	if err := r.Rows.Close(); err != nil {
		return errorText(err)
	}
	return b.String()
}

func errorText(err error) string {
	var e *planner.Error
	if !errors.As(err, &e) {
		return "INTERNAL: " + err.Error() + "\n"
	}
	s := fmt.Sprintf("ERROR %s: %s", e.Code, e.Message)
	if e.Position > 0 {
		s += fmt.Sprintf(" (at %d)", e.Position)
	}
	if e.Detail != "" {
		s += "\n  DETAIL: " + e.Detail
	}
	if e.Hint != "" {
		s += "\n  HINT: " + e.Hint
	}
	return s + "\n"
}

// columnsText are names and types of a result.
func columnsText(columns []planner.ResultColumn) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "%s %s\n", c.Name, postgres.FormatType(c.T.OID, c.T.Typmod))
	}
	return b.String()
}

// recorder is engine, nearline and lake: it knows no rows but those it is given,
// and writes down the calls in their order.
type recorder struct {
	rows  *planner.Chunk
	more  []*planner.Chunk // after rows
	fail  error            // what rows fail with
	query *planner.Query
	plan  *planner.Plan
	calls []string
}

func (r *recorder) Check(_ context.Context, q *planner.Query) error {
	r.query = q
	return nil
}

func (r *recorder) Run(_ context.Context, p *planner.Plan) (planner.Rows, error) {
	r.plan = p
	r.calls = append(r.calls, "run")
	return &givenRows{r}, nil
}

func (r *recorder) Explain(*planner.Plan) (*planner.EngineExplain, error) {
	return &planner.EngineExplain{SQL: "select"}, nil
}

func (r *recorder) Compact(_ context.Context, tenant string) error {
	r.calls = append(r.calls, "compact "+tenant)
	return nil
}

func (r *recorder) Pin(_ context.Context, datasets []schema.Dataset) (sources.Pin, error) {
	r.calls = append(r.calls, fmt.Sprintf("pin %d", len(datasets)))
	return &pin{r}, nil
}

func (r *recorder) Load(_ context.Context, ds schema.Dataset) (sources.Manifest, error) {
	r.calls = append(r.calls, "load "+ds.Metric)
	return &manifest{r: r, metric: ds.Metric}, nil
}

type givenRows struct{ r *recorder }

func (n *givenRows) Next(context.Context) (*planner.Chunk, error) {
	if n.r.fail != nil {
		return nil, n.r.fail
	}
	c := n.r.rows
	n.r.rows = nil
	if len(n.r.more) > 0 {
		n.r.rows, n.r.more = n.r.more[0], n.r.more[1:]
	}
	return c, nil
}

func (n *givenRows) Close() error {
	n.r.calls = append(n.r.calls, "close")
	return nil
}

type pin struct{ r *recorder }

func (p *pin) Splits(_ context.Context, ds schema.Dataset, _ sources.Watermarks, filter sources.Filter) (sources.Recent, error) {
	p.r.calls = append(p.r.calls, "splits "+ds.Metric)
	if filter.Bounds.Empty() {
		return sources.Recent{}, nil
	}
	return batchOf(3), nil
}

// Window is complete from the year 2040 on.
func (p *pin) Window(_ context.Context, ds schema.Dataset, _ sources.Watermarks, filter sources.Filter) (sources.Recent, bool, error) {
	if filter.Bounds.Min < time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() {
		return sources.Recent{}, false, nil
	}
	p.r.calls = append(p.r.calls, "window "+ds.Metric)
	return batchOf(5), true, nil
}

func batchOf(rows int) sources.Recent {
	return sources.Recent{Splits: []sources.Split{{Batch: &sources.BatchSplit{Batch: &sources.Batch{Rows: rows}}}}}
}

func (p *pin) Release() { p.r.calls = append(p.r.calls, "release") }

type manifest struct {
	r      *recorder
	metric string
}

func (m *manifest) Version() uint64 { return 1 }

func (m *manifest) FilesKnown() int { return 4 }

// Unstaged are the rows of 2050.
func (m *manifest) Unstaged(bounds sources.Bounds) bool {
	return bounds.Overlaps(sources.Bounds{
		Min: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), Max: time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(),
	})
}

func (m *manifest) Watermarks() sources.Watermarks { return nil }

func (m *manifest) Files(_ context.Context, bounds sources.Bounds) ([]*sources.FileSplit, int, error) {
	m.r.calls = append(m.r.calls, "files "+m.metric)
	if bounds.Empty() {
		return nil, 4, nil
	}
	return []*sources.FileSplit{{Path: "a.parquet", Bytes: 1000, Rows: 10}}, 4, nil
}
