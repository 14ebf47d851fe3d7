package schema

import (
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// firstFunctionOID numbers the functions of schema fieldgate, below every user's
// table and above PostgreSQL's own.
const firstFunctionOID = 16100

const (
	argText  = postgres.TextOID
	argTexts = postgres.TextArrayOID
)

// function makes one of schema fieldgate that returns nothing. An argument is its name and type; those
// that defaults has SQL for, the last ones, may be left out.
func function(name, description string, args []argument, defaults ...string) postgres.Proc {
	p := postgres.Proc{
		Name: name, Kind: postgres.FunctionProc, Volatility: postgres.Volatile, Ret: postgres.VoidOID, Description: description,
		Signature: &postgres.Signature{Defaults: defaults},
	}
	for _, a := range args {
		p.Args = append(p.Args, a.t)
		p.Signature.Names = append(p.Signature.Names, a.name)
	}
	return p
}

// tableFunction makes one that returns rows of columns.
func tableFunction(name, description string, args, columns []argument, defaults ...string) postgres.Proc {
	p := function(name, description, args, defaults...)
	p.ReturnsSet, p.Ret, p.Volatility = true, postgres.RecordOID, postgres.Stable
	s := p.Signature
	s.AllArgs = append([]postgres.OID(nil), p.Args...)
	s.Modes = strings.Repeat("i", len(args)) + strings.Repeat("t", len(columns))
	for _, c := range columns {
		s.AllArgs, s.Names = append(s.AllArgs, c.t), append(s.Names, c.name)
	}
	return p
}

type argument struct {
	name string
	t    postgres.OID
}

// Functions are those of schema fieldgate: what PostgreSQL has no statement for.
// The planner runs them, the catalog lists them. Their order is that of their
// numbers, so new ones come last.
func Functions() []postgres.Proc {
	metric, field, sent := argument{"metric", argText}, argument{"field", argText}, argument{"sent_name", argText}
	conversion := argument{"conversion", argText}
	policy := argument{"policy", argText}
	const count = postgres.Int8OID
	previewed := []argument{{"rows", count}, {"cast_failures", count}, {"filled", count}, {"conflicts", count}}
	list := []postgres.Proc{
		function("compact", "Returns when every event acknowledged before the call is in the lake.", nil),
		function("add_alias", "Adds a sent name whose events belong to the table, those of the past included.",
			[]argument{metric, {"alias", argText}}),
		function("add_alias", "Adds a sent name that can give the field its value, after those it has. The conversion is an expression over value and other fields.",
			[]argument{metric, field, sent, conversion}, "NULL"),
		function("drop_alias", "Removes a sent name from those whose events belong to the table.",
			[]argument{metric, {"alias", argText}}),
		function("drop_alias", "Removes a sent name from those that give the field its value.",
			[]argument{metric, field, sent}),
		function("set_aliases", "Replaces the sent names whose events belong to the table beside those of its own name.",
			[]argument{metric, {"aliases", argTexts}}),
		function("set_sources", "Replaces the sent names that give the field its value, in the order in which they are asked. "+
			"Without conversions, each name keeps the one it has.",
			[]argument{metric, field, {"sources", argTexts}, {"conversions", argTexts}}, "NULL"),
		function("set_conversion", "Replaces the conversion of one sent name of a field; NULL removes it.",
			[]argument{metric, field, sent, conversion}),
		function("set_field_order", "Puts the fields of a table, all of which are listed, in order.",
			[]argument{metric, {"fields", argTexts}}),
		function("set_metric_keys", "Replaces the fields that name an event's metric, the first that an event has deciding. Holds for later events.",
			[]argument{{"keys", argTexts}}),
		function("set_timestamp_aliases", "Replaces the fields that give an event's time, for all metrics. Holds for later events.",
			[]argument{{"aliases", argTexts}}),
		function("set_timestamp_aliases", "Replaces the fields that give the time of a metric's events, before those of all metrics. Holds for later events.",
			[]argument{metric, {"aliases", argTexts}}),
		function("set_timestamp_patterns", "Replaces the patterns that read times written as text, for all metrics. Holds for later events.",
			[]argument{{"patterns", argTexts}}),
		function("set_timestamp_patterns", "Replaces the patterns that read a metric's times written as text, before those of all metrics. Holds for later events.",
			[]argument{metric, {"patterns", argTexts}}),
		function("set_undeclared_metrics", "Says what becomes of later events of metrics that nobody declared: accept or reject.",
			[]argument{policy}),
		function("set_missing_time", "Says what becomes of a metric's later events without a time: arrival or reject.",
			[]argument{metric, policy}),
		function("restore_schema", "Declares what the version had declared, and nothing else; fieldgate.schema_history lists the versions.",
			[]argument{{"version", postgres.Int8OID}}),
		tableFunction("conflicts", "Lists the events in which sources of a field give different values, each source's by its name.",
			[]argument{metric, field},
			[]argument{{"timestamp", postgres.TimestampTZOID}, {"id", argText}, {"sent_metric", argText}, {"sources", argTexts}, {"values", argTexts}}),
		tableFunction("preview_alias", "Counts, before anything is changed, the events that a further source of a field would be read in: "+
			"whose values no cast reads, where the field has no value yet, and where it has another.",
			[]argument{metric, field, sent, conversion}, previewed, "NULL"),
		tableFunction("preview_alias", "Counts, before anything is changed, the events that a further alias of a metric would bring.",
			[]argument{metric, {"alias", argText}}, previewed),
		function("accept", "Declares what the suggestion says; fieldgate.suggestions lists them.",
			[]argument{{"id", count}}),
		function("dismiss", "Answers the suggestion: it does not come back.",
			[]argument{{"id", count}}),
		function("as_metric", "Makes what the suggestion is about a metric of its own, of that name: a new metric, or the later events of a metric "+
			"that carry the new field.",
			[]argument{{"id", count}, {"name", argText}}),
		function("as_error", "Has later events of the metric that carry the sent name become rows of errors.stream; drop_error undoes it.",
			[]argument{metric, sent}),
		function("drop_error", "Undoes as_error: later events of the metric that carry the sent name are rows again.",
			[]argument{metric, sent}),
		function("set_webhook", "Has new suggestions posted to a URL of http or https, signed with the secret unless that is NULL.",
			[]argument{{"url", argText}, {"secret", argText}}, "NULL"),
		function("drop_webhook", "Ends the posting of suggestions.", nil),
	}
	for i := range list {
		list[i].OID = firstFunctionOID + postgres.OID(i)
	}
	return list
}

// FunctionByOID finds one of them.
func FunctionByOID(oid postgres.OID) (*postgres.Proc, bool) {
	list := Functions()
	if oid < firstFunctionOID || int(oid-firstFunctionOID) >= len(list) {
		return nil, false
	}
	return &list[oid-firstFunctionOID], true
}
