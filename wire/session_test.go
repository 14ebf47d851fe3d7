package wire_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
	"github.com/fieldgate/fieldgate/wire"
)

// script makes sessions that understand a few statements of their own:
//
//	rows N           N rows (n bigint, t text), in chunks of 3
//	echo TYPE        the parameter $1, of type int8, text or xml, as it came
//	wide N           N rows of ten columns, for speed
//	fill N           N chunks of 1 MB
//	wait             runs until it is stopped
//	drip N           N rows, one a chunk, each after a token of more
//	fail CODE        the error CODE
//	crash            a panic
//	notice           a notice
//	set NAME VALUE   a setting
//	begin, commit, rollback
//	deallocate NAME  DEALLOCATE
//	change           rows of another shape than prepared
//	value NAME       the vector that the test put in values
type script struct {
	running  chan string   // a statement that blocks has begun
	more     chan struct{} // lets drip go on
	live     atomic.Int32  // sessions open
	results  atomic.Int32  // results open
	chunks   atomic.Int32  // chunks handed out by fill
	mu       sync.Mutex
	starts   []map[string]string
	identity []planner.Identity
	values   map[string]planner.Vector
	// calm: no statement blocks, panics or gives more than a few rows.
	calm bool
}

func newScript() *script {
	return &script{running: make(chan string, 16), more: make(chan struct{})}
}

func (s *script) open(id planner.Identity, given []planner.Setting, _ planner.Client) (wire.Session, error) {
	startup := make(map[string]string, len(given))
	for _, p := range given {
		startup[p.Name] = p.Value
	}
	if startup["statement_timeout"] == "bad" {
		return nil, &planner.Error{Code: pgerrcode.InvalidParameterValue, Message: `invalid value for parameter "statement_timeout": "bad"`}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, startup)
	s.identity = append(s.identity, id)
	s.live.Add(1)
	settings := map[string]string{"TimeZone": "UTC", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1", "statement_timeout": "0"}
	for k, v := range startup {
		settings[k] = v
	}
	return &session{script: s, status: 'I', settings: settings}, nil
}

type session struct {
	planner.Objects

	script   *script
	status   byte
	implicit bool
	settings map[string]string
	changed  []planner.Setting
}

func (s *session) Parse(_ context.Context, sql string) ([]*planner.Statement, error) {
	var out []*planner.Statement
	for _, part := range strings.Split(sql, ";") {
		part = strings.TrimSpace(part)
		if part == "syntax" {
			return nil, &planner.Error{Code: pgerrcode.SyntaxError, Message: `syntax error at or near "syntax"`, Position: int32(strings.Index(sql, "syntax")) + 1}
		}
		if part != "" && !strings.HasPrefix(part, "--") {
			out = append(out, &planner.Statement{Text: part})
		}
	}
	return out, nil
}

func column(name string, oid postgres.OID) planner.ResultColumn {
	return planner.ResultColumn{Name: name, T: planner.Type{OID: oid, Typmod: -1}}
}

func (s *session) Prepare(_ context.Context, st *planner.Statement, types []postgres.OID) (*planner.Prepared, error) {
	verb, arg, _ := strings.Cut(st.Text, " ")
	if s.status == 'E' && verb != "rollback" && verb != "commit" {
		return nil, &planner.Error{Code: pgerrcode.InFailedSQLTransaction, Message: "current transaction is aborted, commands ignored until end of transaction block"}
	}
	p := &planner.Prepared{Statement: st}
	switch verb {
	case "rows", "drip", "change":
		p.Columns = []planner.ResultColumn{column("n", postgres.Int8OID), column("t", postgres.TextOID)}
	case "fill":
		p.Columns = []planner.ResultColumn{column("t", postgres.TextOID)}
	case "wait":
		p.Columns = []planner.ResultColumn{column("w", postgres.VoidOID)}
	case "wide":
		p.Columns = wideColumns()
	case "echo":
		t, ok := postgres.TypeByName(arg)
		if !ok || t.OID != postgres.Int8OID && t.OID != postgres.TextOID && t.OID != postgres.XMLOID {
			return nil, &planner.Error{Code: pgerrcode.UndefinedObject, Message: fmt.Sprintf("type %q does not exist", arg)}
		}
		p.Columns = []planner.ResultColumn{column("v", t.OID)}
		p.ParamTypes = []postgres.OID{t.OID}
		if len(types) > 0 && types[0] != 0 {
			p.ParamTypes = types
		}
	case "value":
		p.Columns = []planner.ResultColumn{column("v", s.script.value(arg).T.OID)}
	case "unknown":
		return nil, &planner.Error{Code: pgerrcode.UndefinedTable, Message: `relation "unknown" does not exist`, Position: 1, Hint: "Perhaps known."}
	}
	return p, nil
}

func (s *session) Run(ctx context.Context, st *planner.Statement) (*planner.Result, error) {
	p, err := s.Prepare(ctx, st, nil)
	if err != nil {
		return nil, err
	}
	if len(p.ParamTypes) > 0 {
		return nil, &planner.Error{Code: pgerrcode.UndefinedParameter, Message: "there is no parameter $1"}
	}
	return s.execute(ctx, p, nil)
}

func (s *session) Bind(p *planner.Prepared, params []planner.Param) (*planner.Prepared, func(context.Context) (*planner.Result, error), error) {
	return p, func(ctx context.Context) (*planner.Result, error) { return s.execute(ctx, p, params) }, nil
}

func (s *session) execute(ctx context.Context, p *planner.Prepared, params []planner.Param) (*planner.Result, error) {
	verb, arg, _ := strings.Cut(p.Statement.Text, " ")
	if s.status == 'E' && verb != "rollback" && verb != "commit" {
		return nil, &planner.Error{Code: pgerrcode.InFailedSQLTransaction, Message: "current transaction is aborted, commands ignored until end of transaction block"}
	}
	n, _ := strconv.Atoi(arg)
	if s.script.calm {
		n = min(max(n, 0), 10)
		switch verb {
		case "wait", "stall", "drip", "crash", "fill":
			verb = "notice"
		}
	}
	result := &planner.Result{Tag: "SELECT", Columns: p.Columns}
	switch verb {
	case "rows":
		result.Rows = s.rows(countRows(n))
	case "drip":
		result.Rows = s.rows(s.drip(n))
	case "wide":
		result.Rows = s.rows(wideRows(n))
	case "fill":
		result.Rows = s.rows(s.fill(n))
	case "wait":
		result.Rows = s.rows(s.wait)
	case "value":
		v := s.script.value(arg)
		result.Rows = s.rows(once(&planner.Chunk{Rows: 1, Columns: []planner.Vector{v}}))
	case "echo":
		v, err := echo(p.Columns[0].T.OID, params[0])
		if err != nil {
			return nil, err
		}
		result.Rows = s.rows(once(&planner.Chunk{Rows: 1, Columns: []planner.Vector{v}}))
	case "change":
		result.Columns = []planner.ResultColumn{column("n", postgres.Int4OID), column("t", postgres.TextOID)}
		result.Rows = s.rows(countRows(0))
	case "stall": // blocks before the first row
		s.script.running <- verb
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return s.command(verb, arg)
	}
	s.script.results.Add(1)
	return result, nil
}

func (s *session) command(verb, arg string) (*planner.Result, error) {
	result := &planner.Result{Tag: strings.ToUpper(verb)}
	switch verb {
	case "fail":
		if arg == "internal" {
			return nil, errors.New("secret detail")
		}
		return nil, &planner.Error{Code: arg, Message: "failed as asked"}
	case "crash":
		panic("crash as asked")
	case "notice":
		result.Notices = []*planner.Notice{{Severity: "WARNING", Code: pgerrcode.NoActiveSQLTransaction, Message: "there is no transaction in progress"}}
	case "set":
		name, value, _ := strings.Cut(arg, " ")
		s.settings[name] = value
		if name == "TimeZone" {
			s.changed = append(s.changed, planner.Setting{Name: name, Value: value})
		}
	case "begin":
		s.status = 'T'
	case "commit", "rollback":
		if s.status == 'E' {
			result.Tag = "ROLLBACK"
		}
		s.status = 'I'
		return result, s.EndPortals(verb == "commit")
	case "deallocate":
		if _, err := s.Prepared(arg); err != nil {
			return nil, err
		}
		s.DropPrepared(arg)
	}
	return result, nil
}

func (s *session) Idle() {}

func (s *session) TakeNotices() []*planner.Notice { return nil }

func (s *session) Status() byte { return s.status }
func (s *session) Fail() {
	if s.status == 'T' {
		s.status = 'E'
	}
}
func (s *session) BeginImplicit()     { s.implicit = true }
func (s *session) EndImplicit(_ bool) { s.implicit = false }
func (s *session) Setting(name string) string {
	return s.settings[name]
}

func (s *session) Reported() []planner.Setting {
	return []planner.Setting{{Name: "server_version", Value: "15.0"}, {Name: "client_encoding", Value: "UTF8"}, {Name: "standard_conforming_strings", Value: "on"}}
}

func (s *session) TakeChanged() []planner.Setting {
	out := s.changed
	s.changed = nil
	return out
}

func (s *session) Close() {
	_ = s.EndPortals(false) // of a script, nothing fails
	s.script.live.Add(-1)
}

// rows counts as an open result until it is closed.
type rows struct {
	script *script
	next   func(ctx context.Context) (*planner.Chunk, error)
	closed bool
}

func (s *session) rows(next func(context.Context) (*planner.Chunk, error)) *rows {
	return &rows{script: s.script, next: next}
}

func (r *rows) Next(ctx context.Context) (*planner.Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.next(ctx)
}

func (r *rows) Close() error {
	if !r.closed {
		r.closed = true
		r.script.results.Add(-1)
	}
	return nil
}

func intsAndTexts(from, to int) *planner.Chunk {
	c := &planner.Chunk{Rows: to - from, Columns: make([]planner.Vector, 2)}
	c.Columns[1].Valid = make([]uint64, (to-from)/64+1)
	for i := from; i < to; i++ {
		c.Columns[0].Int64s = append(c.Columns[0].Int64s, int64(i+1))
		c.Columns[1].Bytes = append(c.Columns[1].Bytes, fmt.Appendf(nil, "row %d", i+1))
		if i%2 == 0 { // every second text is NULL
			c.Columns[1].Valid[(i-from)/64] |= 1 << ((i - from) % 64)
		}
	}
	return c
}

func countRows(n int) func(context.Context) (*planner.Chunk, error) {
	at := 0
	return func(context.Context) (*planner.Chunk, error) {
		if at == n {
			return nil, nil
		}
		from := at
		at = min(at+3, n)
		return intsAndTexts(from, at), nil
	}
}

func (s *session) drip(n int) func(context.Context) (*planner.Chunk, error) {
	at := 0
	return func(ctx context.Context) (*planner.Chunk, error) {
		if at == n {
			return nil, nil
		}
		if at > 0 {
			select {
			case <-s.script.more:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		at++
		return intsAndTexts(at-1, at), nil
	}
}

func (s *session) fill(n int) func(context.Context) (*planner.Chunk, error) {
	megabyte := []byte(strings.Repeat("x", 1<<20))
	at := 0
	return func(context.Context) (*planner.Chunk, error) {
		if at == n {
			return nil, nil
		}
		at++
		s.script.chunks.Add(1)
		return &planner.Chunk{Rows: 1, Columns: []planner.Vector{{Bytes: [][]byte{megabyte}}}}, nil
	}
}

func (s *session) wait(ctx context.Context) (*planner.Chunk, error) {
	s.script.running <- "wait"
	<-ctx.Done()
	return nil, ctx.Err()
}

// echo is a parameter as a value of the type.
func echo(oid postgres.OID, p planner.Param) (planner.Vector, error) {
	v := planner.Vector{Bytes: [][]byte{p.Bytes}, Int64s: []int64{0}}
	switch {
	case p.Null:
		v.Valid = []uint64{0}
	case oid != postgres.Int8OID:
	case p.Binary && len(p.Bytes) == 8:
		v.Int64s[0] = int64(binary.BigEndian.Uint64(p.Bytes))
	default:
		n, err := strconv.ParseInt(string(p.Bytes), 10, 64)
		if err != nil || p.Binary {
			return v, &planner.Error{Code: pgerrcode.InvalidTextRepresentation, Message: fmt.Sprintf("invalid input syntax for type bigint: %q", p.Bytes)}
		}
		v.Int64s[0] = n
	}
	return v, nil
}

func once(c *planner.Chunk) func(context.Context) (*planner.Chunk, error) {
	return func(context.Context) (*planner.Chunk, error) {
		out := c
		c = nil
		return out, nil
	}
}

func (s *script) value(name string) planner.Vector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[name]
}

// wideColumns are ten columns of the types that devices send most.
func wideColumns() []planner.ResultColumn {
	return []planner.ResultColumn{
		column("ts", postgres.TimestampTZOID), column("device", postgres.TextOID), column("temperature", postgres.Float8OID),
		column("humidity", postgres.Float8OID), column("count", postgres.Int8OID), column("state", postgres.TextOID),
		column("ok", postgres.BoolOID), column("level", postgres.Int4OID), column("pressure", postgres.Float8OID), column("note", postgres.TextOID),
	}
}

// wideRows gives n rows in chunks of 2048, always the same chunk.
func wideRows(n int) func(context.Context) (*planner.Chunk, error) {
	const size = 2048
	c := &planner.Chunk{Rows: size, Columns: make([]planner.Vector, 10)}
	for i := range size {
		c.Columns[0].Int64s = append(c.Columns[0].Int64s, 1_700_000_000_000_000+int64(i)*1_000_003)
		c.Columns[1].Bytes = append(c.Columns[1].Bytes, fmt.Appendf(nil, "device-%04d", i))
		c.Columns[2].Float64s = append(c.Columns[2].Float64s, 20+float64(i%100)/10)
		c.Columns[3].Float64s = append(c.Columns[3].Float64s, float64(i%1000)/7)
		c.Columns[4].Int64s = append(c.Columns[4].Int64s, int64(i*i))
		c.Columns[5].Bytes = append(c.Columns[5].Bytes, []byte("running"))
		c.Columns[6].Bools = append(c.Columns[6].Bools, i%3 == 0)
		c.Columns[7].Int32s = append(c.Columns[7].Int32s, int32(i%17))
		c.Columns[8].Float64s = append(c.Columns[8].Float64s, 1013.25+float64(i%10))
		c.Columns[9].Bytes = append(c.Columns[9].Bytes, nil)
	}
	c.Columns[9].Valid = make([]uint64, size/64)
	at := 0
	return func(context.Context) (*planner.Chunk, error) {
		if at >= n {
			return nil, nil
		}
		out := *c
		out.Rows = min(size, n-at)
		at += out.Rows
		return &out, nil
	}
}
