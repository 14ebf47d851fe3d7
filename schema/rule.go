package schema

import (
	"fmt"
	"slices"
)

// Rule says what becomes of the later events of a metric that carry a name: they
// are of another metric, or errors. It decides at write, as a metric key does.
type Rule struct {
	// Metric is the name of a declared metric, or the sent name of one that nobody
	// declared.
	Metric string `json:"metric"`
	// Sent is the sent name of a field.
	Sent string `json:"sent_name"`
	// To is the name of the metric that the events are of; "": they are errors.
	To string `json:"to,omitempty"`
}

// maxRules bounds a tenant's rules: each event of a metric is held against those of
// the metric.
const maxRules = 1000

// SetRule makes a rule, in place of one that there is for the metric and the name.
func (d *Draft) SetRule(r Rule) error {
	rules := slices.Clone(d.next.Rules)
	i := slices.IndexFunc(rules, func(o Rule) bool { return o.Metric == r.Metric && o.Sent == r.Sent })
	if i < 0 {
		rules = append(rules, r)
	} else {
		rules[i] = r
	}
	return d.SetRules(rules)
}

// DropRule undoes a rule.
func (d *Draft) DropRule(metric, sent string) error {
	rules := slices.Clone(d.next.Rules)
	i := slices.IndexFunc(rules, func(o Rule) bool { return o.Metric == metric && o.Sent == sent })
	if i < 0 {
		return &Invalid{Where: whereMetric(metric), Reason: fmt.Sprintf("no rule on %q: not found", sent), Err: ErrNotFound}
	}
	return d.SetRules(slices.Delete(rules, i, i+1))
}

// SetRules replaces the tenant's rules, of which the first that an event meets
// decides.
func (d *Draft) SetRules(rules []Rule) error {
	if slices.Equal(d.next.Rules, rules) {
		return nil
	}
	where := fmt.Sprintf("tenant %q", d.next.Tenant)
	if len(rules) > maxRules {
		return &Invalid{Where: where, Reason: fmt.Sprintf("%d rules, at most %d are allowed", len(rules), maxRules)}
	}
	seen := map[[2]string]bool{}
	for _, r := range rules {
		at := fmt.Sprintf("%s: rule on %q", whereMetric(r.Metric), r.Sent)
		if err := checkText(at, "the metric", r.Metric, maxSentName); err != nil {
			return err
		}
		if err := checkSentField(at, r.Sent); err != nil {
			return err
		}
		if seen[[2]string{r.Metric, r.Sent}] {
			return &Invalid{Where: at, Reason: "it is given twice"}
		}
		seen[[2]string{r.Metric, r.Sent}] = true
		if r.To == "" {
			continue
		}
		if err := checkText(at, "the target", r.To, maxName); err != nil {
			return err
		}
		if r.To == r.Metric {
			return &Invalid{Where: at, Reason: "the target is the metric itself"}
		}
	}
	d.next.Rules = slices.Clone(rules)
	d.settings, d.changed = true, true
	return nil
}

// renameInRules has the rules follow a metric's new name.
func (d *Draft) renameInRules(oldName, newName string) {
	rules := slices.Clone(d.next.Rules)
	for i := range rules {
		if rules[i].Metric == oldName {
			rules[i].Metric = newName
		}
		if rules[i].To == oldName {
			rules[i].To = newName
		}
	}
	if !slices.Equal(rules, d.next.Rules) {
		d.next.Rules = rules
		d.settings, d.changed = true, true
	}
}

// dropFromRules undoes the rules of a metric that is dropped, and those to it.
func (d *Draft) dropFromRules(name string) {
	rules := slices.DeleteFunc(slices.Clone(d.next.Rules), func(r Rule) bool { return r.Metric == name || r.To == name })
	if len(rules) != len(d.next.Rules) {
		d.next.Rules = rules
		d.settings, d.changed = true, true
	}
}

// RulesOf are the rules on a metric by its name, in order.
func (s *Snapshot) RulesOf(metric string) []Rule {
	return slices.DeleteFunc(slices.Clone(s.Rules), func(r Rule) bool { return r.Metric != metric })
}
