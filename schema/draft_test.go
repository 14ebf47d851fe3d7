package schema_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/fieldgate/fieldgate/schema"
)

// TestDraft makes schemas. Its commands:
//
//	tenant name    begins anew with a tenant
//	change         applies each line of the input in one Change and prints the
//	               schema, or the error with its sentinels and hint
//	generations    prints the generation of each name of the input
//
// A line is a verb and its arguments, separated by " | "; a list is separated by
// ", ", and a source may have a conversion after " => ".
func TestDraft(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/draft", func(t *testing.T, path string) {
		k, c := newKV(t), newClock()
		s := newStore(t, k, c)
		tenant := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "tenant":
				tenant = d.CmdArgs[0].Key
				if err := s.AddTenant(t.Context(), tenant); err != nil {
					return printError(err)
				}
				return describe(current(t, s, tenant))
			case "change":
				snapshot, err := s.Change(t.Context(), tenant, "ann", "test", func(draft *schema.Draft) error {
					for line := range strings.SplitSeq(d.Input, "\n") {
						if err := apply(draft, line); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return printError(err)
				}
				return describe(snapshot)
			case "generations":
				var b strings.Builder
				for name := range strings.SplitSeq(d.Input, "\n") {
					fmt.Fprintf(&b, "%s %d\n", name, current(t, s, tenant).Dataset(name).Generation)
				}
				return b.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func printError(err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "error: %v\n", err)
	var invalid *schema.Invalid
	var names []string
	if errors.As(err, &invalid) {
		names = append(names, "Invalid")
	}
	for name, sentinel := range map[string]error{
		"ErrNotFound": schema.ErrNotFound, "ErrExists": schema.ErrExists, "ErrFieldExists": schema.ErrFieldExists,
		"ErrFieldNotFound": schema.ErrFieldNotFound, "ErrUnknownType": schema.ErrUnknownType,
	} {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b.WriteString(strings.Join(names, " "))
	if invalid != nil && invalid.Hint != "" {
		fmt.Fprintf(&b, "\nhint: %s", invalid.Hint)
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// apply makes the declaration of one line.
func apply(d *schema.Draft, line string) error {
	args := strings.Split(line, " | ")
	verb, first, _ := strings.Cut(args[0], " ")
	args[0] = first
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch verb {
	case "create":
		m := schema.Metric{Name: arg(0), Aliases: list(arg(1)), TimestampAliases: list(arg(3)), TimestampPatterns: list(arg(4)), Comment: arg(5)}
		for _, text := range list(arg(2)) {
			name, typ, _ := strings.Cut(text, " ")
			f, err := field(name, typ, "")
			if err != nil {
				return err
			}
			m.Fields = append(m.Fields, f)
		}
		return d.CreateMetric(m)
	case "drop":
		return d.DropMetric(arg(0))
	case "end":
		return d.EndGeneration(arg(0))
	case "rename":
		return d.RenameMetric(arg(0), arg(1))
	case "alias":
		return d.AddMetricAlias(arg(0), arg(1))
	case "aliases":
		return d.SetMetricAliases(arg(0), list(arg(1)))
	case "add":
		f, err := field(arg(1), arg(2), arg(3))
		if err != nil {
			return err
		}
		return d.AddField(arg(0), f)
	case "drop-field":
		return d.DropField(arg(0), arg(1))
	case "rename-field":
		return d.RenameField(arg(0), arg(1), arg(2))
	case "order":
		return d.OrderFields(arg(0), list(arg(1)))
	case "type":
		typ, err := schema.ParseType(arg(2))
		if err != nil {
			return err
		}
		return d.ChangeFieldType(arg(0), arg(1), typ)
	case "source":
		return d.AddSource(arg(0), arg(1), sources(arg(2))[0])
	case "sources":
		return d.SetSources(arg(0), arg(1), sources(arg(2)))
	case "keys":
		return d.SetMetricKeys(list(arg(0)))
	case "timestamp-aliases":
		return d.SetTimestampAliases(arg(0), list(arg(1)))
	case "timestamp-patterns":
		return d.SetTimestampPatterns(arg(0), list(arg(1)))
	case "undeclared":
		reject, err := schema.ParseUndeclaredMetrics(arg(0))
		return errors.Join(err, d.SetRejectUndeclared(reject))
	case "missing-time":
		reject, err := schema.ParseMissingTime(arg(1))
		if err != nil {
			return err
		}
		return d.SetRejectMissingTime(arg(0), reject)
	case "comment":
		return d.SetComment(arg(0), arg(1), arg(2))
	}
	return fmt.Errorf("unknown verb %q", verb)
}

func field(name, typ, from string) (schema.Field, error) {
	t, err := schema.ParseType(typ)
	if err != nil {
		return schema.Field{}, err
	}
	return schema.Field{Name: name, Type: t, Sources: sources(from)}, nil
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ", ")
}

func sources(text string) []schema.Source {
	var out []schema.Source
	for _, s := range list(text) {
		name, convert, _ := strings.Cut(s, " => ")
		out = append(out, schema.Source{Name: name, Convert: convert})
	}
	return out
}

func TestNameLimits(t *testing.T) {
	t.Parallel()
	_, s, _ := setup(t)
	long := func(n int) string { return strings.Repeat("n", n) }
	text := schema.Type{Name: "text"}
	change(t, s, "acme", func(d *schema.Draft) error {
		return d.CreateMetric(schema.Metric{Name: "m", Fields: []schema.Field{{Name: "f", Type: text}}})
	})
	for name, c := range map[string]struct {
		edit func(d *schema.Draft) error
		ok   bool
	}{
		"metric of 63 bytes": {func(d *schema.Draft) error { return d.CreateMetric(schema.Metric{Name: long(63)}) }, true},
		"metric of 64 bytes": {func(d *schema.Draft) error { return d.CreateMetric(schema.Metric{Name: long(64)}) }, false},
		"metric without a name": {func(d *schema.Draft) error {
			return d.CreateMetric(schema.Metric{})
		}, false},
		"metric not UTF-8":          {func(d *schema.Draft) error { return d.CreateMetric(schema.Metric{Name: "a\xff"}) }, false},
		"metric with a zero byte":   {func(d *schema.Draft) error { return d.RenameMetric("m", "a\x00b") }, false},
		"metric with an underscore": {func(d *schema.Draft) error { return d.CreateMetric(schema.Metric{Name: "_m"}) }, true},
		"alias of 1,024 bytes":      {func(d *schema.Draft) error { return d.AddMetricAlias("m", long(1024)) }, true},
		"alias of 1,025 bytes":      {func(d *schema.Draft) error { return d.AddMetricAlias("m", long(1025)) }, false},
		"field of 63 bytes":         {func(d *schema.Draft) error { return d.AddField("m", schema.Field{Name: long(63), Type: text}) }, true},
		"field of 64 bytes":         {func(d *schema.Draft) error { return d.AddField("m", schema.Field{Name: long(64), Type: text}) }, false},
		"field not UTF-8":           {func(d *schema.Draft) error { return d.RenameField("m", "f", "\xff") }, false},
		"source of 1,024 bytes":     {func(d *schema.Draft) error { return d.AddSource("m", "f", schema.Source{Name: long(1024)}) }, true},
		"source of 1,025 bytes":     {func(d *schema.Draft) error { return d.AddSource("m", "f", schema.Source{Name: long(1025)}) }, false},
		"source without a name":     {func(d *schema.Draft) error { return d.AddSource("m", "f", schema.Source{}) }, true},
		"source not UTF-8":          {func(d *schema.Draft) error { return d.AddSource("m", "f", schema.Source{Name: "\xff"}) }, false},
		"conversion not UTF-8":      {func(d *schema.Draft) error { return d.AddSource("m", "f", schema.Source{Name: "x", Convert: "\xff"}) }, false},
		"conversion of 4,097 bytes": {func(d *schema.Draft) error {
			return d.AddSource("m", "f", schema.Source{Name: "x", Convert: long(4097)})
		}, false},
		"comment of 8,193 bytes":     {func(d *schema.Draft) error { return d.SetComment("m", "f", long(8193)) }, false},
		"field of no type":           {func(d *schema.Draft) error { return d.AddField("m", schema.Field{Name: "g"}) }, false},
		"timestamp pattern too long": {func(d *schema.Draft) error { return d.SetTimestampPatterns("m", []string{long(257)}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := current(t, s, "acme").Version
			_, err := s.Change(t.Context(), "acme", "ann", name, c.edit)
			var invalid *schema.Invalid
			if c.ok && err != nil || !c.ok && !errors.As(err, &invalid) {
				t.Errorf("error %v", err)
			}
			if after := current(t, s, "acme").Version; c.ok != (after > before) {
				t.Errorf("version %d, then %d", before, after)
			}
		})
	}
}

// TestManyFields fills a metric up to PostgreSQL's limit, and its document.
func TestManyFields(t *testing.T) {
	t.Parallel()
	_, s, _ := setup(t)
	text := schema.Type{Name: "text"}
	_, err := s.Change(t.Context(), "acme", "ann", "fill", func(d *schema.Draft) error {
		if err := d.CreateMetric(schema.Metric{Name: "m"}); err != nil {
			return err
		}
		for i := range 1599 {
			if err := d.AddField("m", schema.Field{Name: fmt.Sprint("f", i), Type: text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var invalid *schema.Invalid
	_, err = s.Change(t.Context(), "acme", "ann", "one more", func(d *schema.Draft) error {
		if err := d.DropField("m", "f7"); err != nil {
			return err
		}
		return d.AddField("m", schema.Field{Name: "g", Type: text})
	})
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, "1600") {
		t.Errorf("field 1,601: %v", err)
	}
	_, err = s.Change(t.Context(), "acme", "ann", "comments", func(d *schema.Draft) error {
		for i := range 40 {
			if err := d.SetComment("m", fmt.Sprint("f", i), strings.Repeat("c", 8000)); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, "larger") {
		t.Errorf("comments of 320 KB: %v", err)
	}
}
