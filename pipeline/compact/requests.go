package compact

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/pipeline/lease"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// ErrNobody says that no process that compacts answers.
var ErrNobody = errors.New("no process that compacts answers")

// Failed says that a process took a request to compact and could not serve it.
type Failed struct{ Reason string }

func (e *Failed) Error() string { return e.Reason }

// requestsFolder is where requests lie in the key-value store.
const requestsFolder = "compactions/"

const (
	// requestPause is the pause between two looks at requests, and at answers.
	requestPause = 500 * time.Millisecond
	// requestBeat is how often who serves a request says that it still does.
	requestBeat = 2 * time.Second
	// requestAge is when a request that nobody waits for any more is removed.
	requestAge = time.Hour
)

// request is a stored request for everything staged before it to be compacted.
type request struct {
	Format  int       `json:"format"`
	AskedAt time.Time `json:"asked_at"`
	// Beat rises while it is served.
	Beat uint64 `json:"beat,omitempty"`
	// Ends are, by archive, up to where the logs are to be archived and compacted.
	Ends map[string]sources.Watermarks `json:"ends,omitempty"`
	// Done says that it was served, with Error if that failed.
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`

	name    string
	version uint64
}

const requestFormat = 1

// Requests are how a process asks those that compact to do so at once.
type Requests struct {
	kv     schema.KV
	leases *lease.Holder
	// patience is how long a request may lie without a sign of being served, while
	// nobody is there who could.
	patience time.Duration
	logger   *slog.Logger
}

// NewRequests makes requests over a key-value store, to processes that have joined
// (Join) by leases like this one's. A request is given up when none is there and it
// was not touched for the length of patience: longer than it takes to take over from
// a process that died. A process that is there may be busy for as long as it takes.
func NewRequests(kv schema.KV, leases *lease.Holder, patience time.Duration, logger *slog.Logger) *Requests {
	return &Requests{kv: kv, leases: leases, patience: patience, logger: logger}
}

// Ask returns when everything that was staged before the call is in the lake.
// ErrNobody if no process sees to it.
func (r *Requests) Ask(ctx context.Context) error {
	q := &request{Format: requestFormat, AskedAt: time.Now().UTC().Truncate(time.Microsecond), name: rand.Text()}
	if err := r.put(ctx, q); err != nil {
		return err
	}
	defer r.remove(context.WithoutCancel(ctx), q)
	// From now on it is seen which of the processes have died.
	if _, err := present(ctx, r.leases); err != nil {
		return err
	}
	touched := time.Now()
	for {
		if err := sleep(ctx, requestPause/2); err != nil {
			return err
		}
		now, err := r.get(ctx, q.name)
		switch {
		case errors.Is(err, schema.ErrNotFound):
			return ErrNobody // it lay there for so long that it was removed
		case err != nil:
			return err
		case now.Done && now.Error != "":
			return &Failed{Reason: now.Error}
		case now.Done:
			return nil
		case now.version != q.version:
			q, touched = now, time.Now()
		}
		if time.Since(touched) <= r.patience {
			continue
		}
		there, err := present(ctx, r.leases)
		if err != nil {
			return err
		}
		if !there {
			return ErrNobody
		}
	}
}

// Ends are up to where requests want the archives, by archive; nil: there are none.
func (r *Requests) Ends(ctx context.Context) (map[string]sources.Watermarks, error) {
	open, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	var out map[string]sources.Watermarks
	for _, q := range open {
		for archive, ends := range q.Ends {
			if out == nil {
				out = map[string]sources.Watermarks{}
			}
			if out[archive] == nil {
				out[archive] = sources.Watermarks{}
			}
			for shard, end := range ends {
				if end.Compare(out[archive][shard]) > 0 {
					out[archive][shard] = end
				}
			}
		}
	}
	return out, nil
}

// Service is what serves requests.
type Service struct {
	Requests *Requests
	Leases   *lease.Holder
	// Compact compacts everything staged before the call. It tells want up to where it
	// wants an archive before it waits for that.
	Compact func(ctx context.Context, want func(archive string, ends sources.Watermarks) error) error
	// Join does this process's part of what another one serves.
	Join func(ctx context.Context, ends map[string]sources.Watermarks) error
}

// Run serves requests until ctx ends. Each is served by one process, and all take
// part.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := s.round(ctx); err != nil && ctx.Err() == nil {
			s.Requests.logger.Warn("serving requests to compact will be tried again", "err", err)
		}
		if err := sleep(ctx, requestPause); err != nil {
			return nil
		}
	}
}

func (s *Service) round(ctx context.Context) error {
	open, err := s.Requests.open(ctx)
	if err != nil {
		return err
	}
	var mine []*request
	var leases []*lease.Lease
	for _, q := range open {
		l, err := s.Leases.Take(ctx, requestsFolder+q.name, "")
		if err != nil {
			return err
		}
		if l != nil {
			mine, leases = append(mine, q), append(leases, l)
		}
	}
	if len(mine) > 0 {
		err = s.serve(ctx, mine)
	} else if ends, failed := s.Requests.Ends(ctx); failed != nil {
		err = failed
	} else if ends != nil {
		err = s.Join(ctx, ends)
	}
	for _, l := range leases {
		err = errors.Join(err, l.Remove(context.WithoutCancel(ctx)))
	}
	return err
}

// serve compacts once for all the requests, for as long as one of them is there.
func (s *Service) serve(ctx context.Context, mine []*request) error {
	within, cancel := context.WithCancel(ctx)
	ends := make(chan map[string]sources.Watermarks)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.beat(within, cancel, mine, ends)
	}()
	wanted := map[string]sources.Watermarks{}
	err := s.Compact(within, func(archive string, to sources.Watermarks) error {
		wanted[archive] = to
		told := map[string]sources.Watermarks{}
		for name, w := range wanted {
			told[name] = w
		}
		select {
		case ends <- told:
			return nil
		case <-within.Done():
			return within.Err()
		}
	})
	abandoned := within.Err() != nil
	cancel()
	<-ended
	if abandoned {
		return nil
	}
	var errs []error
	for _, q := range mine {
		q.Done = true
		if err != nil {
			q.Error = err.Error()
		}
		if failed := s.Requests.put(ctx, q); failed != nil && !errors.Is(failed, schema.ErrConflict) && !errors.Is(failed, schema.ErrNotFound) {
			errs = append(errs, failed)
		}
	}
	return errors.Join(errs...)
}

// beat tells who asked that the requests are served, and others up to where; it
// cancels when nobody waits any more.
func (s *Service) beat(ctx context.Context, cancel context.CancelFunc, mine []*request, ends <-chan map[string]sources.Watermarks) {
	tick := time.NewTicker(requestBeat)
	defer tick.Stop()
	var want map[string]sources.Watermarks
	for {
		waiting := 0
		for _, q := range mine {
			q.Beat++
			q.Ends = want
			err := s.Requests.put(ctx, q)
			if !errors.Is(err, schema.ErrConflict) && !errors.Is(err, schema.ErrNotFound) {
				waiting++ // what could not be written now is by the next beat
			}
		}
		if waiting == 0 {
			cancel()
			return
		}
		select {
		case <-ctx.Done():
			return
		case want = <-ends:
		case <-tick.C:
		}
	}
}

// open lists the requests that wait, and removes those that nobody waits for.
func (r *Requests) open(ctx context.Context) ([]*request, error) {
	var out []*request
	const page = 100
	for after := ""; ; {
		items, err := r.kv.List(ctx, requestsFolder, after, page)
		if err != nil {
			return nil, fmt.Errorf("list requests to compact: %w", err)
		}
		for _, item := range items {
			after = item.Key
			q, err := decodeRequest(item)
			if err != nil {
				return nil, err
			}
			switch {
			case time.Since(q.AskedAt) > requestAge:
				r.remove(ctx, q)
			case !q.Done:
				out = append(out, q)
			}
		}
		if len(items) < page {
			return out, nil
		}
	}
}

func (r *Requests) get(ctx context.Context, name string) (*request, error) {
	item, err := r.kv.Get(ctx, requestsFolder+name)
	if err != nil {
		return nil, fmt.Errorf("read request to compact: %w", err)
	}
	return decodeRequest(item)
}

func decodeRequest(item schema.Item) (*request, error) {
	q := &request{name: strings.TrimPrefix(item.Key, requestsFolder), version: item.Version}
	if err := json.Unmarshal(item.Value, q); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if q.Format != requestFormat {
		return nil, fmt.Errorf("decode %s: format %d is not known here", item.Key, q.Format)
	}
	return q, nil
}

// put writes a request that nobody else has written since.
func (r *Requests) put(ctx context.Context, q *request) error {
	value, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode request to compact: %w", err)
	}
	version, err := r.kv.Put(ctx, requestsFolder+q.name, value, q.version)
	if err != nil {
		return fmt.Errorf("write request to compact: %w", err)
	}
	q.version = version
	return nil
}

// remove removes a request, whoever has written it since. One that stays is removed
// when it is old.
func (r *Requests) remove(ctx context.Context, q *request) {
	for {
		err := r.kv.Delete(ctx, requestsFolder+q.name, q.version)
		if err == nil || errors.Is(err, schema.ErrNotFound) {
			return
		}
		now, failed := r.get(ctx, q.name)
		if !errors.Is(err, schema.ErrConflict) || failed != nil {
			r.logger.Warn("remove a request to compact", "err", errors.Join(err, failed))
			return
		}
		q = now
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
