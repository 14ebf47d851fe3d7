package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fieldgate/fieldgate/pipeline/tally"
	"github.com/fieldgate/fieldgate/schema"
)

// usage is what a process has consumed of the tables since it opened them.
type usage struct {
	tally.Head
	Tables map[string]used `json:"tables"`
}

// usageFolder has the reports of the processes that use the tables.
func (t *Tables) usageFolder() string { return "tables/" + t.cfg.Prefix + "/usage/" }

// NewReporter makes what tells in the key-value store what this process consumes of the
// tables, for the one that scales them. Their capacity must follow that.
func (t *Tables) NewReporter(kv schema.KV) *tally.Reporter {
	return tally.NewReporter(kv, t.usageFolder(), func() tally.Report {
		return usage{Head: tally.NewHead(t.cfg.Now().Sub(t.meter.began)), Tables: t.meter.all()}
	}, t.cfg.Logger)
}

// ScalerConfig says whose capacity is looked after, and how. Tables must be given, and KV
// if their capacity follows what is consumed.
type ScalerConfig struct {
	Tables *Tables
	// KV has the reports of the processes that use the tables.
	KV schema.KV
	// Interval is the pause between two looks, and about what consumption is averaged over.
	// Default 20 s, and 10 min while tables are on demand, when nothing is consumed that
	// matters.
	Interval time.Duration
	// DryRun says what would be done and does nothing.
	DryRun bool
	Logger *slog.Logger
}

// Scaler gives the tables of weeks as much capacity as what all processes consume needs,
// by what their reporters tell, and makes tables that are paid otherwise than configured
// be so. One process at a time runs one. What DynamoDB itself says of a table is all that
// it must know, so that another process can go on. It is for one goroutine.
type Scaler struct {
	cfg    ScalerConfig
	users  *tally.Watcher[usage] // nil: tables are on demand
	tables map[string]*scaled
}

// scaled is what is known of one table.
type scaled struct {
	scaling

	told map[string]said // by message
	held time.Time       // nothing is asked of DynamoDB before, since it said no
}

// said is what a line of the log said of a table, and when.
type said struct {
	outcome, text string
	at            time.Time
}

const (
	// holdTime is how long DynamoDB is not asked again for what would exceed a limit.
	holdTime = 5 * time.Minute
	// tellEvery is how often the same outcome is told with other figures.
	tellEvery = 15 * time.Minute
)

// NewScaler makes a Scaler. Nothing happens before Run.
func NewScaler(cfg ScalerConfig) (*Scaler, error) {
	s := &Scaler{cfg: cfg, tables: map[string]*scaled{}}
	if cfg.Tables == nil || cfg.Interval < 0 {
		return nil, errors.New("scaler of tables: tables and an interval are needed")
	}
	followed := cfg.Tables.cfg.Throughput.isFollowed()
	if followed {
		if cfg.KV == nil {
			return nil, errors.New("scaler of tables: a key-value store is needed")
		}
		s.users = tally.NewWatcher[usage](cfg.KV, cfg.Tables.usageFolder())
	}
	if s.cfg.Interval == 0 {
		if s.cfg.Interval = 10 * time.Minute; followed {
			s.cfg.Interval = 20 * time.Second
		}
	}
	if s.cfg.Logger == nil {
		s.cfg.Logger = cfg.Tables.cfg.Logger
	}
	return s, nil
}

// Run looks at the tables until ctx ends. What goes wrong is tried again at the next
// look. Tables whose capacity is fixed need none of that.
func (s *Scaler) Run(ctx context.Context) error {
	if t := s.cfg.Tables.cfg.Throughput; t != nil && t.Fixed {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("scaling of the tables of recent events will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Look does with each table what is advised for what was consumed since the last look.
func (s *Scaler) Look(ctx context.Context) error {
	t := s.cfg.Tables
	demands, complete := map[string]demand{}, false
	if s.users != nil {
		var err error
		if complete, err = s.users.Look(ctx, func(before, now *usage, seconds float64) { addUsage(demands, before, now, seconds) }); err != nil {
			return err
		}
	}
	if err := t.loadWeeks(ctx); err != nil {
		return err
	}
	now := t.cfg.Now()
	var failed error
	look := func(name string, use tableUse, level capacity) capacity {
		units, err := s.look(ctx, name, use, demands[name], complete, level)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("capacity of table %s: %w", name, err))
		}
		return units
	}
	order, known := t.weeks.all()
	var level capacity // of the newest week that is provisioned, which the next begins with
	for _, w := range order {
		if known[w].State != weekOpen {
			delete(s.tables, t.placeOf(w).rows)
			continue
		}
		if units := look(t.placeOf(w).rows, useOf(w, now), level); units != (capacity{}) {
			level = units
		}
	}
	look(t.late().rows, useRare, capacity{})
	look(t.control(), useRare, capacity{})
	return failed
}

// addUsage adds what a process has consumed between two reports, a second.
func addUsage(demands map[string]demand, before, now *usage, seconds float64) {
	for name, u := range now.Tables {
		b, d := before.Tables[name], demands[name]
		d.read += (u.Read - b.Read) / seconds
		d.write += (u.Write - b.Write) / seconds
		d.readRefused += float64(u.ReadRefused-b.ReadRefused) / seconds
		d.writeRefused += float64(u.WriteRefused-b.WriteRefused) / seconds
		demands[name] = d
	}
}

// look does what is advised for one table, and gives the units that it has.
func (s *Scaler) look(ctx context.Context, name string, use tableUse, d demand, complete bool, level capacity) (capacity, error) {
	t := s.cfg.Tables
	known := s.tables[name]
	if known == nil {
		known = &scaled{scaling: scaling{cfg: t.cfg.Throughput}}
		s.tables[name] = known
	}
	now := t.cfg.Now()
	known.observe(now, d, complete)
	st, ready, err := t.standing(ctx, name)
	if err != nil || !ready {
		return st.units, err
	}
	a := known.advise(now, use, st, d, level)
	if a.isHot {
		s.tell(ctx, known, slog.LevelError, "a table refuses requests though most of its capacity is free: they are for one partition", name, "", "reason", a.reason)
	}
	switch {
	case s.cfg.DryRun:
		s.explain(ctx, known, name, &a)
	case a.change && !now.Before(known.held):
		return st.units, s.change(ctx, name, known, st, &a)
	}
	return st.units, nil
}

// explain says what would be done with a table and why.
func (s *Scaler) explain(ctx context.Context, known *scaled, name string, a *advice) {
	message, outcome, about := "dry run: the capacity of a table would stay", "stays", []any{"processes", s.processes()}
	if a.change {
		message, outcome = "dry run: the capacity of a table would change", a.to.String()
		about = append(about, "to", outcome)
	}
	s.tell(ctx, known, slog.LevelInfo, message, name, outcome, append(about, "reason", a.reason)...)
}

// processes is how many tell what they consume.
func (s *Scaler) processes() int {
	if s.users == nil {
		return 0
	}
	return s.users.Processes()
}

// tell says something of a table, unless that has just been said.
func (s *Scaler) tell(ctx context.Context, known *scaled, level slog.Level, message, table, outcome string, about ...any) {
	now := said{outcome: outcome, text: fmt.Sprint(about...), at: s.cfg.Tables.cfg.Now()}
	before, is := known.told[message]
	if is && before.outcome == now.outcome && (before.text == now.text || now.at.Sub(before.at) < tellEvery) {
		return
	}
	if known.told == nil || outcome != before.outcome {
		known.told = map[string]said{}
	}
	known.told[message] = now
	s.cfg.Logger.Log(ctx, level, message, append([]any{"table", table}, about...)...) //nolint:sloglint // its callers' messages are constant
}

// String is how people read a capacity.
func (c capacity) String() string {
	if c == (capacity{}) {
		return "on demand"
	}
	return fmt.Sprintf("%d read and %d write units a second", c.read, c.write)
}

// change changes a table. What DynamoDB does not allow is left for a while.
func (s *Scaler) change(ctx context.Context, name string, known *scaled, st standing, a *advice) error {
	in := &awsdynamodb.UpdateTableInput{TableName: &name}
	if a.to == (capacity{}) {
		in.BillingMode = types.BillingModePayPerRequest
	} else {
		in.ProvisionedThroughput = a.to.provisioned()
		if st.units == (capacity{}) {
			in.BillingMode = types.BillingModeProvisioned
		}
	}
	// To call, a limit that is reached would be throttling, to be waited out.
	var limited error
	_, err := call(ctx, func(ctx context.Context, in *awsdynamodb.UpdateTableInput, options ...func(*awsdynamodb.Options)) (*awsdynamodb.UpdateTableOutput, error) {
		out, err := s.cfg.Tables.api.UpdateTable(ctx, in, options...)
		if hasCode(err, codeLimit) {
			limited, err = err, nil
		}
		return out, err
	}, in)
	switch {
	case limited != nil:
		known.held = s.cfg.Tables.cfg.Now().Add(holdTime)
		s.tell(ctx, known, slog.LevelError, "a quota of AWS keeps a table from its capacity", name, a.to.String(), "to", a.to.String(), "reason", a.reason, "err", limited)
		return nil
	case err == nil:
		s.cfg.Logger.Info("changing the capacity of a table", "table", name, "to", a.to.String(), "processes", s.processes(), "reason", a.reason)
		return nil
	case hasCode(err, codeInUse), hasCode(err, codeNotFound):
		return nil // another change is under way, or it was dropped
	}
	return fmt.Errorf("change it: %w", err)
}

// standing is how a table stands; it is ready to be changed if no change is under way.
func (t *Tables) standing(ctx context.Context, name string) (st standing, ready bool, err error) {
	out, err := call(ctx, t.api.DescribeTable, &awsdynamodb.DescribeTableInput{TableName: &name})
	switch {
	case hasCode(err, codeNotFound):
		return standing{}, false, nil
	case err != nil:
		return standing{}, false, wrapCall("look at table", name, err)
	}
	table := out.Table
	if b := table.BillingModeSummary; b != nil && b.LastUpdateToPayPerRequestDateTime != nil {
		st.demanded = *b.LastUpdateToPayPerRequestDateTime
	}
	isOnDemand := table.BillingModeSummary != nil && table.BillingModeSummary.BillingMode == types.BillingModePayPerRequest
	if p := table.ProvisionedThroughput; p != nil && !isOnDemand {
		st.units = capacity{read: value(p.ReadCapacityUnits), write: value(p.WriteCapacityUnits)}
		st.decreases = value(p.NumberOfDecreasesToday)
		if p.LastDecreaseDateTime != nil {
			st.decreased = *p.LastDecreaseDateTime
		}
	}
	return st, table.TableStatus == types.TableStatusActive, nil
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// newCapacity is that of the table of a week that is made now.
func (t *Tables) newCapacity(ctx context.Context, w week) (capacity, error) {
	throughput := t.cfg.Throughput
	switch {
	case throughput == nil:
		return capacity{}, nil
	case throughput.Fixed:
		return capacity{read: throughput.Read.Least, write: throughput.Write.Least}, nil
	case useOf(w, t.cfg.Now()) != useCurrent:
		return capacity{}, nil
	}
	before, _, err := t.standing(ctx, t.placeOf(w-1).rows)
	if err != nil || before.units == (capacity{}) {
		return capacity{}, err
	}
	return throughput.clamp(before.units), nil
}
