package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
)

// retryAfter is when to try again what failed for want of something.
const retryAfter = time.Second

// errStale says that a resource is not in the version that If-Match asked for.
var errStale = errors.New("the resource is not in the version of If-Match; get it again")

// problem is a problem document (RFC 9457). The members after Detail are ours.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
	// SQLState, Position (in characters, from 1) and More (PostgreSQL's detail)
	// belong to SQL, of a query or a conversion.
	SQLState string `json:"sqlstate,omitempty"`
	Position int32  `json:"position,omitempty"`
	More     string `json:"more,omitempty"`

	retryAfter time.Duration
}

// statusOfSentinel is the table from the sentinels of package schema, and ours,
// to statuses. The first that err wraps decides.
func statusOfSentinel(err error) (status int, known bool) {
	var invalid *schema.Invalid
	switch {
	case errors.Is(err, errStale):
		return http.StatusConflict, true
	case errors.Is(err, schema.ErrExists):
		return http.StatusConflict, true
	case errors.Is(err, schema.ErrConflict):
		return http.StatusConflict, true
	case errors.Is(err, suggest.ErrAnswered), errors.Is(err, suggest.ErrNothing):
		return http.StatusConflict, true
	case errors.Is(err, schema.ErrNotFound), errors.Is(err, suggest.ErrNotFound), errors.Is(err, webhook.ErrNone):
		return http.StatusNotFound, true
	case errors.As(err, &invalid):
		return http.StatusBadRequest, true
	}
	return http.StatusInternalServerError, false
}

// statusOfSQLState is the table from classes of SQLSTATEs to statuses.
func statusOfSQLState(code string) int {
	switch {
	case code == pgerrcode.DependentObjectsStillExist:
		return http.StatusConflict
	case code == pgerrcode.InsufficientPrivilege:
		return http.StatusForbidden
	case code == pgerrcode.QueryCanceled:
		return http.StatusGatewayTimeout
	case pgerrcode.IsInsufficientResources(code), pgerrcode.IsConnectionException(code),
		pgerrcode.IsOperatorIntervention(code), pgerrcode.IsTransactionRollback(code):
		return http.StatusServiceUnavailable
	case pgerrcode.IsInternalError(code), pgerrcode.IsSystemError(code), pgerrcode.IsConfigurationFileError(code):
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// problemOf is what a client is told of an error. It says whether there is no
// more to be told: the log gets what is not.
func problemOf(err error) (p problem, told bool) {
	var known *ingest.Problem
	var sql *planner.Error
	switch {
	case errors.As(err, &known):
		p = problem{Status: known.Status, Detail: known.Detail, retryAfter: known.RetryAfter}
		return p.complete(), true
	case errors.As(err, &sql):
		p = problem{
			Status: statusOfSQLState(sql.Code), Detail: sql.Message, Hint: sql.Hint,
			SQLState: sql.Code, Position: sql.Position, More: sql.Detail,
		}
		return p.complete(), sql.Err == nil && p.Status != http.StatusInternalServerError
	case errors.Is(err, context.DeadlineExceeded):
		p = problem{
			Status: http.StatusGatewayTimeout, SQLState: pgerrcode.QueryCanceled,
			Detail: "canceling statement due to statement timeout",
		}
		return p.complete(), true
	case errors.Is(err, context.Canceled):
		// A client that went away is told nothing; this one hears of the server's end.
		p = problem{
			Status: http.StatusServiceUnavailable, SQLState: pgerrcode.AdminShutdown,
			Detail: "terminating connection due to administrator command",
		}
		return p.complete(), true
	}
	status, isKnown := statusOfSentinel(err)
	if !isKnown {
		p = problem{Status: status, Detail: "the server failed; its log says why"}
		return p.complete(), false
	}
	p = problem{Status: status, Detail: err.Error()}
	var invalid *schema.Invalid
	if errors.As(err, &invalid) {
		p.Detail, p.Hint = invalid.Error(), invalid.Hint
	}
	return p.complete(), true
}

// complete fills in what follows from the status.
func (p problem) complete() problem {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if p.Status == http.StatusServiceUnavailable && p.retryAfter == 0 {
		p.retryAfter = retryAfter
	}
	return p
}

// writeProblem answers a request with what err is to a client.
func (a *API) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p, told := problemOf(err)
	if !told {
		a.cfg.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	body, err := json.Marshal(p)
	if err != nil {
		a.cfg.Logger.Error("problem has no JSON", "err", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may be gone
}

// badRequest is a request that cannot be read.
func badRequest(detail string) error {
	return &ingest.Problem{Status: http.StatusBadRequest, Detail: detail}
}
