package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/suggest"
)

// The headers of a post. The signature is t=<seconds since 1970>,v1=<hexadecimal
// HMAC-SHA-256 under the secret of the seconds, a period and the body>. The delivery
// is the same for the same suggestions, so that who took them twice can tell.
const (
	SignatureHeader = "Fieldgate-Signature"
	DeliveryHeader  = "Fieldgate-Delivery"
)

// Config configures a Sender. The first three are required.
type Config struct {
	Hooks   *Hooks
	Advisor *suggest.Advisor
	Schemas *schema.Store
	// Interval is how often it is looked for something to tell, and so how long
	// suggestions are gathered into a batch. Default 5 s.
	Interval time.Duration
	// FirstRetry and LastRetry are the waits after the first and after many failures
	// in a row. Defaults 5 s and 1 h.
	FirstRetry, LastRetry time.Duration
	// Timeout bounds one post. Default 10 s.
	Timeout time.Duration
	// Logger takes what fails. Default: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		set     *time.Duration
		standby time.Duration
	}{{&c.Interval, 5 * time.Second}, {&c.FirstRetry, 5 * time.Second}, {&c.LastRetry, time.Hour}, {&c.Timeout, 10 * time.Second}} {
		if *d.set == 0 {
			*d.set = d.standby
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.Hooks == nil || c.Advisor == nil || c.Schemas == nil {
		return errors.New("webhook: hooks, suggestions or schemas are missing")
	}
	return nil
}

const (
	// batch is how many suggestions a post has at most.
	batch = 100
	// senders is how many tenants are posted to at a time.
	senders = 16
	// grace is how long a post may still take when the Sender is to end.
	grace = time.Second
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
)

// Sender posts suggestions to the tenants' webhooks.
type Sender struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex // guards waits
	waits map[string]*wait
}

// wait is when a tenant is posted to again after failures.
type wait struct {
	url   string
	delay time.Duration
	until time.Time
}

// NewSender returns a Sender. Nothing is posted before Run.
func NewSender(cfg Config) (*Sender, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: cfg.Timeout, Control: refuseLinkLocal}
	return &Sender{cfg: cfg, waits: map[string]*wait{}, client: &http.Client{
		Timeout:   cfg.Timeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		// Who answers elsewhere would get what was signed for here.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// refuseLinkLocal keeps tenants from having the server ask what only machines of
// its own may, such as a cloud's metadata service.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if at.Addr().Unmap().IsLinkLocalUnicast() {
		return fmt.Errorf("address %s is link-local", at.Addr())
	}
	return nil
}

// Run posts what is new until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.cfg.Interval)
	defer ticker.Stop()
	defer s.client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := s.sendAll(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("send notifications", "err", err)
		}
	}
}

// sendAll posts to every tenant that has something to be told.
func (s *Sender) sendAll(ctx context.Context) error {
	tenants, err := s.cfg.Schemas.Tenants(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(senders)
	for _, tenant := range tenants {
		group.Go(func() error {
			if err := s.send(ctx, tenant); err != nil && ctx.Err() == nil && !errors.Is(err, schema.ErrNotFound) {
				s.cfg.Logger.Warn("notify", "tenant", tenant, "err", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// send posts to one tenant, unless it has no webhook, nothing is new, or it is to
// be left alone for now.
func (s *Sender) send(ended context.Context, tenant string) error {
	ctx := ended
	hook, err := s.cfg.Hooks.Get(ctx, tenant)
	if errors.Is(err, ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.waiting(tenant, hook.URL) {
		return nil
	}
	news, err := s.cfg.Advisor.News(ctx, tenant, batch)
	if err != nil || len(news) == 0 {
		return err
	}
	// What is under way when ctx ends has a moment to end well, and not be sent again.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ended, func() { time.AfterFunc(grace, cancel) })()
	failure := s.post(ctx, tenant, hook, news)
	if ctx.Err() != nil {
		return nil
	}
	s.note(tenant, hook.URL, failure)
	if failure == nil {
		if err := s.cfg.Advisor.Told(ctx, tenant, news); err != nil {
			return err
		}
	}
	return errors.Join(failure, s.cfg.Hooks.delivered(ctx, tenant, hook, failure))
}

func (s *Sender) waiting(tenant, to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waits[tenant]
	return w != nil && w.url == to && time.Now().Before(w.until)
}

// note sets when a tenant is posted to again: at once after a success, and later
// and later after failures.
func (s *Sender) note(tenant, to string, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure == nil {
		delete(s.waits, tenant)
		return
	}
	w := s.waits[tenant]
	if w == nil || w.url != to {
		w = &wait{url: to, delay: s.cfg.FirstRetry / 2}
		s.waits[tenant] = w
	}
	w.delay = min(2*w.delay, s.cfg.LastRetry)
	w.until = time.Now().Add(w.delay)
}

type (
	// notification is the body of a post.
	notification struct {
		Tenant      string       `json:"tenant"`
		SentAt      time.Time    `json:"sent_at"`
		Suggestions []suggestion `json:"suggestions"`
	}
	suggestion struct {
		ID         int64           `json:"id"`
		Kind       string          `json:"kind"`
		Metric     string          `json:"metric"`
		Field      string          `json:"field,omitempty"`
		Sent       string          `json:"sent_name,omitempty"`
		Type       string          `json:"type,omitempty"`
		Convert    string          `json:"convert,omitempty"`
		Confidence float64         `json:"confidence"`
		Evidence   json.RawMessage `json:"evidence"`
		CreatedAt  time.Time       `json:"created_at"`
	}
)

// post sends suggestions once.
func (s *Sender) post(ctx context.Context, tenant string, hook *Hook, news []suggest.Suggestion) error {
	now := time.Now().UTC()
	n := notification{Tenant: tenant, SentAt: now.Truncate(time.Millisecond)}
	delivery := sha256.New()
	for _, one := range news {
		n.Suggestions = append(n.Suggestions, suggestion(one))
		delivery.Write(fmt.Appendf(nil, "%s/%d/", tenant, one.ID))
	}
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode notification: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Fieldgate")
	r.Header.Set(DeliveryHeader, hex.EncodeToString(delivery.Sum(nil)[:16]))
	if hook.Secret != "" {
		r.Header.Set(SignatureHeader, sign(hook.Secret, now.Unix(), body))
	}
	res, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the answer is %s", res.Status)
	}
	return nil
}

// sign is the signature of a body.
func sign(secret string, seconds int64, body []byte) string {
	at := strconv.FormatInt(seconds, 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
