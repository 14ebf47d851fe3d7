package planner

import (
	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema"
)

// adminChange is what a function of schema fieldgate does to the schema.
type adminChange struct {
	// what says it for the schema's history.
	what func(a *adminArgs) string
	edit func(d *schema.Draft, a *adminArgs) error
	// conversion is the argument that is SQL, or nil.
	conversion *int
}

// adminChanges are the changes, by adminKey.
var adminChanges = map[string]adminChange{
	"add_alias/2": {
		what: onMetric("add alias to"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.AddMetricAlias(a.str(0), a.str(1)) },
	},
	"add_alias/4": {
		what: onField("add source to"), conversion: argumentNumber(3),
		edit: func(d *schema.Draft, a *adminArgs) error {
			return d.AddSource(a.str(0), a.str(1), schema.Source{Name: a.str(2), Convert: a.str(3)})
		},
	},
	"drop_alias/2": {
		what: onMetric("drop alias of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.DropMetricAlias(a.str(0), a.str(1)) },
	},
	"drop_alias/3": {
		what: onField("drop source of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.DropSource(a.str(0), a.str(1), a.str(2)) },
	},
	"set_aliases/2": {
		what: onMetric("set aliases of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetMetricAliases(a.str(0), a.strs(1)) },
	},
	"set_sources/4": {what: onField("set sources of"), edit: setSources},
	"set_conversion/4": {
		what: onField("set conversion of"), conversion: argumentNumber(3),
		edit: func(d *schema.Draft, a *adminArgs) error {
			return d.SetConversion(a.str(0), a.str(1), a.str(2), a.str(3))
		},
	},
	"set_field_order/2": {
		what: onMetric("order fields of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.OrderFields(a.str(0), a.strs(1)) },
	},
	"set_metric_keys/1": {
		what: always("set metric keys"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetMetricKeys(a.strs(0)) },
	},
	"set_timestamp_aliases/1": {
		what: always("set timestamp aliases"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetTimestampAliases("", a.strs(0)) },
	},
	"set_timestamp_aliases/2": {
		what: onMetric("set timestamp aliases of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetTimestampAliases(a.str(0), a.strs(1)) },
	},
	"set_timestamp_patterns/1": {
		what: always("set timestamp patterns"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetTimestampPatterns("", a.strs(0)) },
	},
	"set_timestamp_patterns/2": {
		what: onMetric("set timestamp patterns of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.SetTimestampPatterns(a.str(0), a.strs(1)) },
	},
	"set_undeclared_metrics/1": {
		what: always("set the policy on undeclared metrics"),
		edit: func(d *schema.Draft, a *adminArgs) error {
			reject, err := schema.ParseUndeclaredMetrics(a.str(0))
			if err != nil {
				return invalidPolicy(err)
			}
			return d.SetRejectUndeclared(reject)
		},
	},
	"as_error/2": {
		what: onMetric("make errors of events of"),
		edit: func(d *schema.Draft, a *adminArgs) error {
			return d.SetRule(schema.Rule{Metric: tableOf(d, a.str(0)), Sent: a.str(1)})
		},
	},
	"drop_error/2": {
		what: onMetric("make no errors of events of"),
		edit: func(d *schema.Draft, a *adminArgs) error { return d.DropRule(tableOf(d, a.str(0)), a.str(1)) },
	},
	"set_missing_time/2": {
		what: onMetric("set the policy on missing times of"),
		edit: func(d *schema.Draft, a *adminArgs) error {
			reject, err := schema.ParseMissingTime(a.str(1))
			if err != nil {
				return invalidPolicy(err)
			}
			return d.SetRejectMissingTime(a.str(0), reject)
		},
	},
}

// tableOf is the name of the table that a sent metric name belongs to.
func tableOf(d *schema.Draft, sent string) string {
	if m, ok := d.MetricOfSent(sent); ok {
		return m.Name
	}
	return sent
}

func always(text string) func(*adminArgs) string { return func(*adminArgs) string { return text } }

func onMetric(text string) func(*adminArgs) string {
	return func(a *adminArgs) string { return text + " metric " + a.str(0) }
}

func onField(text string) func(*adminArgs) string {
	return func(a *adminArgs) string { return text + " field " + a.str(0) + "." + a.str(1) }
}

func argumentNumber(i int) *int { return &i }

func invalidPolicy(err error) error {
	return &Error{Code: pgerrcode.InvalidParameterValue, Message: err.Error(), Err: err}
}

// setSources is fieldgate.set_sources.
func setSources(d *schema.Draft, a *adminArgs) error {
	metric, field := a.str(0), a.str(1)
	before := map[string]string{}
	if m, ok := d.Metric(metric); ok {
		if f, ok := m.Field(field); ok {
			for _, s := range f.Sources {
				before[s.Name] = s.Convert
			}
		}
	}
	names, conversions := a.strs(2), a.strs(3)
	if !a.values[3].null && len(conversions) != len(names) {
		return errorAt(a.values[3].at, pgerrcode.ArraySubscriptError, "%d conversions are given for %d sources", len(conversions), len(names))
	}
	sources := make([]schema.Source, len(names))
	for i, name := range names {
		sources[i] = schema.Source{Name: name, Convert: before[name]}
		if !a.values[3].null {
			sources[i].Convert = conversions[i]
		}
	}
	return d.SetSources(metric, field, sources)
}
