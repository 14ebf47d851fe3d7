// Package webhook tells owners of suggestions: what is new is posted to the URL
// that a tenant has set, in batches, signed, and again until it is taken. Hooks
// keeps the URLs, Sender posts. A server that does not answer holds up nobody but
// its own tenant's notifications.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/fieldgate/fieldgate/schema"
)

// Hook is where a tenant wants to be told.
type Hook struct {
	URL string
	// Secret signs what is posted; "": it is not signed.
	Secret string
	SetBy  string
	SetAt  time.Time
	// DeliveredAt is when something was last taken, zero if nothing was. Error says
	// why what came after was not.
	DeliveredAt time.Time
	Error       string
}

// document is a Hook as it is stored, under webhooks/<tenant>.
type document struct {
	Format int    `json:"format"`
	URL    string `json:"url,omitempty"`
	Secret string `json:"secret,omitempty"`
	// Generation tells the tenant from one that was dropped and had its name.
	Generation  uint32     `json:"generation,omitempty"`
	SetBy       string     `json:"set_by,omitempty"`
	SetAt       time.Time  `json:"set_at"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	Error       string     `json:"error,omitempty"`

	version uint64
}

const (
	documentFormat = 1
	keyPrefix      = "webhooks/"
	// maxURL and maxSecret are in bytes.
	maxURL    = 2048
	maxSecret = 256
)

// ErrNone says that a tenant has no webhook.
var ErrNone = errors.New("no webhook is set")

// Hooks keeps the webhooks of all tenants in a KV. It is safe for concurrent use.
type Hooks struct {
	kv      schema.KV
	schemas *schema.Store
	now     func() time.Time
}

// NewHooks keeps webhooks in kv. now is the clock; nil is time.Now.
func NewHooks(kv schema.KV, schemas *schema.Store, now func() time.Time) *Hooks {
	if now == nil {
		now = time.Now
	}
	return &Hooks{kv: kv, schemas: schemas, now: now}
}

// Set has a tenant told at a URL, in place of the one that it had. Errors are
// *schema.Invalid if it cannot be posted to.
func (h *Hooks) Set(ctx context.Context, tenant, to, secret, who string) error {
	if err := check(to, secret); err != nil {
		return err
	}
	return h.change(ctx, tenant, func(d *document) error {
		*d = document{URL: to, Secret: secret, SetBy: who, SetAt: h.now().UTC().Truncate(time.Microsecond), version: d.version}
		return nil
	})
}

func check(to, secret string) error {
	invalid := func(reason string) error { return &schema.Invalid{Where: "webhook", Reason: reason} }
	if len(to) > maxURL || len(secret) > maxSecret {
		return invalid(fmt.Sprintf("a URL has at most %d bytes, a secret %d", maxURL, maxSecret))
	}
	u, err := url.Parse(to)
	if err != nil {
		return invalid("this is no URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return invalid("the URL must be one of http or https, with a host")
	}
	if u.User != nil || u.Fragment != "" {
		return invalid("the URL must have no user and no fragment")
	}
	return nil
}

// Drop ends the notifications of a tenant. ErrNone if there was no webhook.
func (h *Hooks) Drop(ctx context.Context, tenant string) error {
	return h.change(ctx, tenant, func(d *document) error {
		if d.URL == "" {
			return ErrNone
		}
		*d = document{SetAt: d.SetAt, version: d.version}
		return nil
	})
}

// Get gives a tenant's webhook. ErrNone if there is none.
func (h *Hooks) Get(ctx context.Context, tenant string) (*Hook, error) {
	d, err := h.read(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if d.URL == "" {
		return nil, ErrNone
	}
	hook := &Hook{URL: d.URL, Secret: d.Secret, SetBy: d.SetBy, SetAt: d.SetAt, Error: d.Error}
	if d.DeliveredAt != nil {
		hook.DeliveredAt = *d.DeliveredAt
	}
	return hook, nil
}

// delivered notes how a post ended, if the hook is still the one posted to.
func (h *Hooks) delivered(ctx context.Context, tenant string, hook *Hook, failure error) error {
	err := h.change(ctx, tenant, func(d *document) error {
		if d.URL != hook.URL {
			return ErrNone
		}
		d.Error = ""
		if failure != nil {
			d.Error = failure.Error()
			return nil
		}
		now := h.now().UTC().Truncate(time.Microsecond)
		d.DeliveredAt = &now
		return nil
	})
	if errors.Is(err, ErrNone) {
		return nil
	}
	return err
}

// change writes what edit makes of a tenant's document.
func (h *Hooks) change(ctx context.Context, tenant string, edit func(d *document) error) error {
	snapshot, err := h.schemas.Current(ctx, tenant)
	if err != nil {
		return err
	}
	for {
		d, err := h.read(ctx, tenant)
		if err != nil {
			return err
		}
		if err := edit(d); err != nil {
			return err
		}
		d.Format, d.Generation = documentFormat, snapshot.FirstGeneration
		value, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode webhook: %w", err)
		}
		_, err = h.kv.Put(ctx, keyPrefix+tenant, value, d.version)
		if err == nil {
			return nil
		}
		if !errors.Is(err, schema.ErrConflict) {
			return fmt.Errorf("write webhook of tenant %q: %w", tenant, err)
		}
	}
}

// read gives a tenant's document, without a URL if it has no webhook.
func (h *Hooks) read(ctx context.Context, tenant string) (*document, error) {
	snapshot, err := h.schemas.Current(ctx, tenant)
	if err != nil {
		return nil, err
	}
	item, err := h.kv.Get(ctx, keyPrefix+tenant)
	if errors.Is(err, schema.ErrNotFound) {
		return &document{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read webhook of tenant %q: %w", tenant, err)
	}
	d, err := decode(item)
	if err != nil {
		return nil, err
	}
	if d.Generation != snapshot.FirstGeneration {
		return &document{version: d.version}, nil
	}
	return d, nil
}

func decode(item schema.Item) (*document, error) {
	var d document
	if err := json.Unmarshal(item.Value, &d); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.Key, err)
	}
	if d.Format != documentFormat {
		return nil, fmt.Errorf("decode %s: format %d is not known here", item.Key, d.Format)
	}
	d.version = item.Version
	return &d, nil
}
