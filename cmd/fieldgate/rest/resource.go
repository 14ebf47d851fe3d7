package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

type (
	// settingsBody is /v1/schema.
	settingsBody struct {
		MetricKeys        []string   `json:"metric_keys"`
		TimestampAliases  []string   `json:"timestamp_aliases"`
		TimestampPatterns []string   `json:"timestamp_patterns"`
		UndeclaredMetrics string     `json:"undeclared_metrics,omitempty" enum:"accept,reject"`
		Rules             []ruleBody `json:"rules,omitempty"`
	}
	// ruleBody says what becomes of later events of a metric that carry a name: they
	// are of the metric that To names, or errors.
	ruleBody struct {
		Metric string `json:"metric" must:"be,filled"`
		Sent   string `json:"sent_name" must:"be,filled"`
		To     string `json:"to,omitempty"`
	}
	// metricBody is a metric.
	metricBody struct {
		Name              string      `json:"name" must:"filled"`
		Aliases           []string    `json:"aliases"`
		TimestampAliases  []string    `json:"timestamp_aliases"`
		TimestampPatterns []string    `json:"timestamp_patterns"`
		MissingTime       string      `json:"missing_time,omitempty" enum:"arrival,reject"`
		Comment           string      `json:"comment,omitempty"`
		Fields            []fieldBody `json:"fields"`
	}
	// fieldBody is a field. Aliases are its sources after its own name, which stands
	// among them only if it has a conversion or is not the first.
	fieldBody struct {
		Name    string      `json:"name" must:"filled"`
		Type    string      `json:"type" must:"filled"`
		Aliases []aliasBody `json:"aliases"`
		Comment string      `json:"comment,omitempty"`
	}
	// aliasBody is a source: a JSON string, or an object if it has a conversion.
	aliasBody struct {
		Name    string `json:"name" must:"be"`
		Convert string `json:"convert"`
	}
)

// MarshalJSON writes a source without a conversion as its name alone.
func (a aliasBody) MarshalJSON() ([]byte, error) {
	type object aliasBody
	return encodeNamed(a.Name, a.Convert, object(a))
}

// UnmarshalJSON reads both forms.
func (a *aliasBody) UnmarshalJSON(data []byte) error {
	type object aliasBody
	const form = "an alias of a field is a JSON string, or an object with name and convert"
	if err := decodeNamed(data, &a.Name, &a.Convert, (*object)(a), form); err != nil || a.Name != "" || data[0] != '{' {
		return err
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if _, given := members["name"]; !given {
		return badRequest(form)
	}
	return nil
}

// encodeNamed writes an object that has nothing beside its name as a JSON string.
func encodeNamed(name, beside string, object any) ([]byte, error) {
	if beside == "" {
		return json.Marshal(name)
	}
	return json.Marshal(object)
}

// decodeNamed reads what encodeNamed writes; form says what that is.
func decodeNamed(data []byte, name, beside *string, object any, form string) error {
	switch data[0] {
	case '"':
		*beside = ""
		return json.Unmarshal(data, name)
	case '{':
		return decodeStrict(data, object)
	}
	return badRequest(form)
}

// list gives an empty list where there is none, as JSON tells them apart.
func list(items []string) []string { return append([]string{}, items...) }

func settingsOf(s *schema.Snapshot) settingsBody {
	body := settingsBody{
		MetricKeys:        list(s.MetricKeys),
		TimestampAliases:  list(s.TimestampAliases),
		TimestampPatterns: list(s.TimestampPatterns),
		UndeclaredMetrics: policyText(s.RejectUndeclared),
	}
	for _, r := range s.Rules {
		body.Rules = append(body.Rules, ruleBody(r))
	}
	return body
}

func metricOf(m *schema.Metric) metricBody {
	body := metricBody{
		Name:              m.Name,
		Aliases:           list(m.Aliases),
		TimestampAliases:  list(m.TimestampAliases),
		TimestampPatterns: list(m.TimestampPatterns),
		MissingTime:       policyText(m.RejectMissingTime),
		Comment:           m.Comment,
		Fields:            make([]fieldBody, len(m.Fields)),
	}
	for i := range m.Fields {
		body.Fields[i] = fieldOf(&m.Fields[i])
	}
	return body
}

func fieldOf(f *schema.Field) fieldBody {
	body := fieldBody{Name: f.Name, Type: f.Type.String(), Aliases: []aliasBody{}, Comment: f.Comment}
	for i, s := range f.Sources {
		if i > 0 || s.Convert != "" || s.Name != f.Name {
			body.Aliases = append(body.Aliases, aliasBody(s))
		}
	}
	return body
}

// field is the declaration that a body makes.
func (b fieldBody) field(metric string) (schema.Field, error) {
	t, err := schema.ParseType(b.Type)
	var invalid *schema.Invalid
	if errors.As(err, &invalid) {
		invalid.Where = fmt.Sprintf("metric %q: field %q: %s", metric, b.Name, invalid.Where)
	}
	if err != nil {
		return schema.Field{}, err
	}
	f := schema.Field{Name: b.Name, Type: t, Comment: b.Comment}
	for _, a := range b.Aliases {
		f.Sources = append(f.Sources, schema.Source(a))
	}
	return f, nil
}

// policyText is what a policy is called where it is not the default, which is left
// out.
func policyText(reject bool) string {
	if reject {
		return schema.PolicyReject
	}
	return ""
}

// setSettings makes a tenant's settings what a body says.
func setSettings(d *schema.Draft, b *settingsBody) error {
	reject, err := schema.ParseUndeclaredMetrics(b.UndeclaredMetrics)
	if err != nil {
		return err
	}
	var rules []schema.Rule
	for _, r := range b.Rules {
		rules = append(rules, schema.Rule(r))
	}
	for _, set := range []func() error{
		func() error { return d.SetMetricKeys(b.MetricKeys) },
		func() error { return d.SetTimestampAliases("", b.TimestampAliases) },
		func() error { return d.SetTimestampPatterns("", b.TimestampPatterns) },
		func() error { return d.SetRejectUndeclared(reject) },
		func() error { return d.SetRules(rules) },
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

// addMetric declares what a body says.
func addMetric(d *schema.Draft, b *metricBody) error {
	reject, err := schema.ParseMissingTime(b.MissingTime)
	if err != nil {
		return err
	}
	m := schema.Metric{
		RejectMissingTime: reject,
		Name:              b.Name,
		Aliases:           b.Aliases,
		TimestampAliases:  b.TimestampAliases,
		TimestampPatterns: b.TimestampPatterns,
		Comment:           b.Comment,
	}
	for _, fb := range b.Fields {
		f, err := fb.field(b.Name)
		if err != nil {
			return err
		}
		m.Fields = append(m.Fields, f)
	}
	return d.CreateMetric(m)
}

// changeMetric makes the metric that is called name into what a body says. A new
// name leaves the old one among the aliases.
func changeMetric(d *schema.Draft, name string, b *metricBody) error {
	reject, err := schema.ParseMissingTime(b.MissingTime)
	if err != nil {
		return err
	}
	aliases := b.Aliases
	if b.Name != name {
		if err := d.RenameMetric(name, b.Name); err != nil {
			return err
		}
		aliases = slices.DeleteFunc(slices.Clone(aliases), func(a string) bool { return a == b.Name })
		if !slices.Contains(aliases, name) {
			aliases = slices.Insert(aliases, 0, name)
		}
	}
	for _, set := range []func() error{
		func() error { return d.SetMetricAliases(b.Name, aliases) },
		func() error { return d.SetTimestampAliases(b.Name, b.TimestampAliases) },
		func() error { return d.SetTimestampPatterns(b.Name, b.TimestampPatterns) },
		func() error { return d.SetRejectMissingTime(b.Name, reject) },
		func() error { return d.SetComment(b.Name, "", b.Comment) },
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return changeFields(d, b)
}

// changeFields makes the metric's fields into the body's, which are matched by
// name.
func changeFields(d *schema.Draft, b *metricBody) error {
	wanted := make(map[string]schema.Field, len(b.Fields))
	for _, fb := range b.Fields {
		f, err := fb.field(b.Name)
		if err != nil {
			return err
		}
		if _, twice := wanted[f.Name]; twice {
			return &schema.Invalid{Where: fmt.Sprintf("metric %q", b.Name), Reason: fmt.Sprintf("field %q is listed twice", f.Name)}
		}
		wanted[f.Name] = f
	}
	if err := releaseSources(d, b.Name, wanted); err != nil {
		return err
	}
	var order []string
	for _, fb := range b.Fields {
		if err := putField(d, b.Name, wanted[fb.Name]); err != nil {
			return err
		}
		if fb.Name != schema.TimestampField {
			order = append(order, fb.Name)
		}
	}
	return d.OrderFields(b.Name, order)
}

// releaseSources drops the fields that are not wanted, and the sources of the
// others that are not, so that other fields can have them.
func releaseSources(d *schema.Draft, metric string, wanted map[string]schema.Field) error {
	m, ok := d.Metric(metric)
	if !ok {
		return fmt.Errorf("metric %q: %w", metric, schema.ErrNotFound)
	}
	for _, f := range m.Fields {
		want, keep := wanted[f.Name]
		if !keep {
			if err := d.DropField(metric, f.Name); err != nil {
				return err
			}
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(f.Sources), func(s schema.Source) bool {
			return !slices.ContainsFunc(want.Sources, func(w schema.Source) bool { return w.Name == s.Name })
		})
		if err := d.SetSources(metric, f.Name, kept); err != nil {
			return err
		}
	}
	return nil
}

// putField declares a field, or changes the one that has its name.
func putField(d *schema.Draft, metric string, f schema.Field) error {
	m, _ := d.Metric(metric)
	if _, there := m.Field(f.Name); !there {
		return d.AddField(metric, f)
	}
	if err := d.ChangeFieldType(metric, f.Name, f.Type); err != nil {
		return err
	}
	if err := d.SetSources(metric, f.Name, f.Sources); err != nil {
		return err
	}
	return d.SetComment(metric, f.Name, f.Comment)
}

// changeField makes the field that is called name into what a body says. A new
// name leaves the old one among the sources.
func changeField(d *schema.Draft, metric, name string, b fieldBody) error {
	f, err := b.field(metric)
	if err != nil {
		return err
	}
	if f.Name != name {
		if err := d.RenameField(metric, name, f.Name); err != nil {
			return err
		}
		if !slices.ContainsFunc(f.Sources, func(s schema.Source) bool { return s.Name == name }) {
			f.Sources = slices.Insert(f.Sources, 0, schema.Source{Name: name})
		}
	}
	return putField(d, metric, f)
}

// writeResource answers with a resource and its entity tag.
func writeResource(w http.ResponseWriter, status int, version uint64, body any) error {
	w.Header().Set("ETag", etag(version))
	return writeJSON(w, status, body)
}

// writeJSON answers with a body.
func writeJSON(w http.ResponseWriter, status int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode resource: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // the client may be gone
	return nil
}
