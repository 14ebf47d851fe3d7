package planner

import (
	"context"
	"errors"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/schema/suggest"
	"github.com/fieldgate/fieldgate/schema/webhook"
)

// answer is fieldgate.accept, dismiss and as_metric.
func (s *Session) answer(ctx context.Context, name string, args *adminArgs) error {
	if err := s.preventAdminInBlock(name); err != nil {
		return err
	}
	advisor, id := s.planner.cfg.Advisor, args.values[0].number
	if advisor == nil {
		return unsupported(nowhere, "%s.%s on this server", schemaFieldgate, name)
	}
	state := suggest.StateAccepted
	var change *suggest.Change
	var err error
	switch name {
	case "accept":
		change, err = advisor.Accept(ctx, s.id.Tenant, id)
	case "as_metric":
		change, err = advisor.AsMetric(ctx, s.id.Tenant, id, args.str(1))
	default:
		state = suggest.StateDismissed
	}
	if err == nil && change != nil {
		err = s.changeSchema(ctx, change.What, change.Edit)
	}
	if err == nil {
		err = advisor.Settle(ctx, s.id.Tenant, id, state, s.id.User)
	}
	return answerError(err)
}

// answerError gives what package suggest refuses its SQLSTATE.
func answerError(err error) error {
	code, hint := "", ""
	switch {
	case errors.Is(err, suggest.ErrNotFound):
		code, hint = pgerrcode.UndefinedObject, "fieldgate.suggestions lists those that are open."
	case errors.Is(err, suggest.ErrAnswered):
		code = pgerrcode.ObjectNotInPrerequisiteState
	case errors.Is(err, suggest.ErrNothing):
		code, hint = pgerrcode.ObjectNotInPrerequisiteState, "Declare what is meant, or dismiss the suggestion."
	default:
		return err
	}
	return &Error{Code: code, Message: err.Error(), Hint: hint, Err: err}
}

// changeWebhook is fieldgate.set_webhook and drop_webhook.
func (s *Session) changeWebhook(ctx context.Context, name string, args *adminArgs) error {
	if err := s.preventAdminInBlock(name); err != nil {
		return err
	}
	hooks := s.planner.cfg.Hooks
	if hooks == nil {
		return unsupported(nowhere, "%s.%s on this server", schemaFieldgate, name)
	}
	if name == "set_webhook" {
		err := hooks.Set(ctx, s.id.Tenant, args.str(0), args.str(1), s.id.User)
		var invalid *schema.Invalid
		if errors.As(err, &invalid) {
			return &Error{Code: pgerrcode.InvalidParameterValue, Message: err.Error(), Err: err}
		}
		return err
	}
	err := hooks.Drop(ctx, s.id.Tenant)
	if errors.Is(err, webhook.ErrNone) {
		return &Error{Code: pgerrcode.UndefinedObject, Message: err.Error(), Err: err}
	}
	return err
}

// countMissed tells the advisor of a name that a user asked for in vain.
func (s *Session) countMissed(err error) {
	var e *Error
	if advisor := s.planner.cfg.Advisor; advisor != nil && errors.As(err, &e) && e.missed != nil {
		advisor.Missed(s.id.Tenant, e.missed.table, e.missed.name, s.id.User)
	}
}

// missedColumn is a name that a table has no column of.
type missedColumn struct{ table, name string }

// missedOf is the name as one of the only table that it can be meant of; nil if
// there are several.
func missedOf(items []*item, name string) *missedColumn {
	var found *missedColumn
	for _, it := range items {
		if it.metric == nil || it.metric.schema != schemaPublic {
			continue
		}
		if found != nil {
			return nil
		}
		found = &missedColumn{it.metric.name, name}
	}
	return found
}
