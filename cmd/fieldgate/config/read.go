package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// envPrefix is how the environment's variables of settings begin.
const envPrefix = "FIELDGATE_"

// Setting is one key of a configuration.
type Setting struct {
	Key   string // dotted, as in stream.kind
	Value reflect.Value
	// standard is the value that it has by default.
	standard reflect.Value
}

// IsDefault says that nothing else was said.
func (s *Setting) IsDefault() bool {
	return reflect.DeepEqual(s.Value.Interface(), s.standard.Interface())
}

// Variable is the setting's name in the environment.
func (s *Setting) Variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// SettingsOf lists the settings of c in their order.
func SettingsOf(c *Config) []Setting {
	standard := Default()
	var list []Setting
	var walk func(prefix string, v, d reflect.Value)
	walk = func(prefix string, v, d reflect.Value) {
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("yaml")
			if name == "-" {
				continue
			}
			key := prefix + name
			if v.Field(i).Kind() == reflect.Struct {
				walk(key+".", v.Field(i), d.Field(i))
				continue
			}
			list = append(list, Setting{key, v.Field(i), d.Field(i)})
		}
	}
	walk("", reflect.ValueOf(c).Elem(), reflect.ValueOf(&standard).Elem())
	return list
}

// Load reads the file, if one is named, and the environment over the
// defaults. What cannot be read is an error, *Invalid if it lists all that a file and
// the environment have wrong; the settings concerned keep their defaults.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	var m mistakes
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		var document yaml.Node
		if err := yaml.Unmarshal(text, &document); err != nil {
			return c, fmt.Errorf("configuration %s: %w", path, err)
		}
		r := reader{file: path, settings: SettingsOf(&c), mistakes: &m}
		for _, root := range document.Content {
			r.section("", root)
		}
	}
	overlay(SettingsOf(&c), environ, &m)
	return c, m.err()
}

// reader reads a file into settings.
type reader struct {
	file     string
	settings []Setting
	mistakes *mistakes
}

// section reads the members of a mapping; prefix is its key with a dot.
func (r *reader) section(prefix string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a key with nothing below it
	}
	if n.Kind != yaml.MappingNode {
		r.add(strings.TrimSuffix(prefix, "."), n, "is not a list of settings: write key: value lines")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := prefix+n.Content[i].Value, n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if seen[key] {
			r.add(key, n.Content[i], "is there twice: keep one")
			continue
		}
		seen[key] = true
		at := slices.IndexFunc(r.settings, func(s Setting) bool { return s.Key == key })
		switch {
		case at >= 0:
			r.set(&r.settings[at], value)
		case slices.ContainsFunc(r.settings, func(s Setting) bool { return strings.HasPrefix(s.Key, key+".") }):
			r.section(key+".", value)
		default:
			r.add(key, n.Content[i], "%s", r.unknown(key))
		}
	}
}

func (r *reader) add(key string, n *yaml.Node, format string, args ...any) {
	r.mistakes.add(strings.TrimPrefix(key+" ", " ")+fmt.Sprintf("(%s:%d)", r.file, n.Line), format, args...)
}

// unknown says what may have been meant by a key.
func (r *reader) unknown(key string) string {
	for _, word := range []string{"secret", "password", "access_key", "token", "credential"} {
		if strings.Contains(strings.ToLower(key), word) {
			return "secrets are not settings: AWS credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS's own files or a role; users and keys from fieldgate user and fieldgate key"
		}
	}
	var keys []string
	for _, s := range r.settings {
		keys = append(keys, s.Key)
	}
	if nearest, ok := nearestName(key, keys); ok {
		return "there is no such setting; did you mean " + nearest + "?"
	}
	return "there is no such setting; fieldgate config prints all"
}

// set reads one value.
func (r *reader) set(s *Setting, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // nothing after the colon: the default
	}
	if n.Decode(s.Value.Addr().Interface()) == nil && (s.Value.Kind() != reflect.String || n.Tag == "!!str") {
		return
	}
	want := map[reflect.Kind]string{
		reflect.String: "text; put it in quotes", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Slice: "a list, such as [ingest, stage]",
	}[s.Value.Kind()]
	got := n.Value
	if n.Kind != yaml.ScalarNode {
		got = "what is there"
	}
	r.add(s.Key, n, "%s is not %s", got, want)
}

// overlay sets the settings for which the environment has a variable.
func overlay(settings []Setting, environ []string, m *mistakes) {
	byVariable := map[string]*Setting{}
	var names, sections []string
	for i := range settings {
		s := &settings[i]
		byVariable[s.Variable()] = s
		names = append(names, s.Variable())
		if section, _, ok := strings.Cut(s.Key, "."); ok {
			sections = append(sections, envPrefix+strings.ToUpper(section)+"_")
		}
	}
	for _, e := range environ {
		name, text, ok := strings.Cut(e, "=")
		if !ok || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		s, ok := byVariable[name]
		if !ok {
			// Others may have variables of this prefix for themselves, but not these.
			nearest, near := nearestName(name, names)
			if near || slices.ContainsFunc(sections, func(s string) bool { return strings.HasPrefix(name, s) }) {
				hint := "; fieldgate config prints all"
				if near {
					hint = "; did you mean " + nearest + "?"
				}
				m.add(name, "there is no such setting%s", hint)
			}
			continue
		}
		if err := s.setText(text); err != nil {
			m.add(name, "%v", err)
		}
	}
}

// setText sets a setting from text. A list is its items between commas.
func (s *Setting) setText(text string) error {
	switch s.Value.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		s.Value.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		s.Value.SetInt(int64(n))
	case reflect.Slice:
		var items []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		s.Value.Set(reflect.ValueOf(items))
	case reflect.String:
		s.Value.SetString(text)
	default:
		return errors.New("it cannot come from the environment")
	}
	return nil
}

// nearestName finds the name that a typing error may have meant: the last part
// that differs in a third of its letters at most.
func nearestName(name string, names []string) (nearest string, ok bool) {
	least := len(name)/3 + 1
	for _, n := range names {
		if d := distance(name, n); d < least {
			nearest, least, ok = n, d, true
		}
	}
	return nearest, ok
}

// distance is how many letters must be put in, taken out or changed to make one
// text of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
