package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/ingest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Session is what a query needs of a planner session. Its errors are
// *planner.Error, context errors, or internal.
type Session interface {
	// Parse splits a text into its statements; none if it is empty.
	Parse(ctx context.Context, sql string) ([]*planner.Statement, error)
	// Prepare binds a statement without running anything.
	Prepare(ctx context.Context, st *planner.Statement, paramTypes []postgres.OID) (*planner.Prepared, error)
	// Execute starts a prepared statement. ctx governs the rows of its result
	// until they are closed.
	Execute(ctx context.Context, p *planner.Prepared, params []planner.Param) (*planner.Result, error)
	// Close ends the session.
	Close()
}

var _ Session = (*planner.Session)(nil)

// queryBody is the body of /v1/query.
type queryBody struct {
	SQL    string            `json:"sql"`
	Params []json.RawMessage `json:"params"`
}

// query runs one statement in a session of its own and streams its rows.
func (a *API) query(w http.ResponseWriter, r *http.Request, key *ingest.Key) error {
	format, err := negotiate(r.Header.Values("Accept"))
	if err != nil {
		return err
	}
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	var b queryBody
	if err := decodeStrict(data, &b); err != nil {
		return err
	}
	session, err := a.cfg.NewSession(planner.Identity{
		Tenant: key.Tenant,
		User:   "api_key_" + key.ID,
		Owner:  key.Allows(ingest.ScopeSchema),
	})
	if err != nil {
		return err
	}
	defer session.Close()
	ctx, cancel := context.WithTimeout(r.Context(), a.cfg.StatementTimeout)
	defer cancel()
	result, err := start(ctx, session, &b)
	if err != nil {
		return err
	}
	if result.Rows == nil {
		result.Rows = noRows{}
	}
	err = a.stream(ctx, w, format, result)
	if closeErr := result.Rows.Close(); closeErr != nil {
		a.cfg.Logger.Error("result not closed", "err", closeErr)
	}
	return err
}

// start runs the one statement of a body.
func start(ctx context.Context, session Session, b *queryBody) (*planner.Result, error) {
	statements, err := session.Parse(ctx, b.SQL)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 {
		return nil, &planner.Error{
			Code:    pgerrcode.SyntaxError,
			Message: fmt.Sprintf("a query is one statement, and this is %d", len(statements)),
		}
	}
	p, err := session.Prepare(ctx, statements[0], nil)
	if err != nil {
		return nil, err
	}
	if len(b.Params) != len(p.ParamTypes) {
		return nil, badRequest(fmt.Sprintf("the statement has %d parameters, and %d values are given", len(p.ParamTypes), len(b.Params)))
	}
	params := make([]planner.Param, len(b.Params))
	for i, raw := range b.Params {
		if params[i], err = paramOf(raw, p.ParamTypes[i]); err != nil {
			return nil, badRequest(fmt.Sprintf("parameter $%d: %v", i+1, err))
		}
	}
	result, err := session.Execute(ctx, p, params)
	if err == nil && result.Copy != nil {
		err = &planner.Error{
			Code: pgerrcode.FeatureNotSupported, Message: "COPY over HTTP is not supported",
			Hint: "Ask for text/csv by the Accept header, and send the query alone.",
		}
		return nil, errors.Join(err, result.Rows.Close())
	}
	return result, err
}

// paramOf is a JSON value as the text form of a parameter's type: a string is
// that text, an array is an array if the type is one, and everything else is its
// JSON.
func paramOf(raw json.RawMessage, t postgres.OID) (planner.Param, error) {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case 'n':
		return planner.Param{Null: true}, nil
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return planner.Param{}, err
		}
		return planner.Param{Bytes: []byte(s)}, nil
	case '[':
		if elem := postgres.ElemOf(t); elem != 0 {
			text, err := arrayLiteral(nil, raw, elem)
			return planner.Param{Bytes: text}, err
		}
	}
	return planner.Param{Bytes: raw}, nil
}

// arrayLiteral appends a JSON array as PostgreSQL writes arrays.
func arrayLiteral(dst []byte, raw json.RawMessage, elem postgres.OID) ([]byte, error) {
	const delimiter = ','
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	isJSON := elem == postgres.JSONOID || elem == postgres.JSONBOID
	dst = append(dst, '{')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, delimiter)
		}
		if item[0] == '[' && !isJSON {
			var err error
			if dst, err = arrayLiteral(dst, item, elem); err != nil {
				return nil, err
			}
			continue
		}
		p, err := paramOf(item, elem)
		switch {
		case err != nil:
			return nil, err
		case p.Null:
			dst = append(dst, "NULL"...)
		default:
			dst = postgres.AppendArrayItem(dst, p.Bytes, delimiter)
		}
	}
	return append(dst, '}'), nil
}

// noRows is the result of a statement that returns none.
type noRows struct{}

func (noRows) Next(context.Context) (*planner.Chunk, error) { return nil, nil }

func (noRows) Close() error { return nil }
