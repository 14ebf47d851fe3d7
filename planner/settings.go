package planner

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Setting is a parameter of a session and its value as SHOW gives it.
type Setting struct {
	Name, Value string
}

// settings are the parameters of a session. Only what differs from the defaults
// is stored; what is set for the transaction lies over what is set for the
// session.
type settings struct {
	defaults map[string]string // by lower-case name, of this session
	session  map[string]string
	local    map[string]string
	// saved are the states to go back to: of the transaction's start, then of its
	// savepoints.
	saved []savedSettings
	// reported holds the values that the client knows.
	reported map[string]string
	zone     *time.Location
	// starting: some can be set now alone.
	starting bool
	// notices tell of values that were cut; nobody has heard them yet.
	notices []*Notice
}

type savedSettings struct{ session, local map[string]string }

func newSettings(id Identity) *settings {
	owner := "off"
	if id.Owner {
		owner = "on"
	}
	return &settings{
		defaults: map[string]string{"session_authorization": id.User, "is_superuser": owner},
		session:  map[string]string{},
		local:    map[string]string{},
		zone:     time.UTC,
	}
}

// start applies the parameters of the startup message, which are the session's
// defaults: RESET goes back to them.
func (s *settings) start(startup []Setting) error {
	s.starting = true
	defer func() { s.starting = false }()
	for _, p := range startup {
		if err := s.setDefault(p.Name, p.Value); err != nil {
			return err
		}
	}
	return nil
}

// takeNotices are the notices since the last call.
func (s *settings) takeNotices() []*Notice {
	out := s.notices
	s.notices = nil
	return out
}

func (s *settings) setDefault(name, value string) error {
	key, canonical, err := s.check(name, value)
	if err != nil {
		return err
	}
	s.defaults[key] = canonical
	s.refresh()
	return nil
}

// check validates a value and gives it in the form in which it is shown.
func (s *settings) check(name, value string) (key, canonical string, err error) {
	key = strings.ToLower(name)
	p, ok := parameterNamed(key)
	if !ok {
		return "", "", errorf(pgerrcode.UndefinedObject, "unrecognized configuration parameter %q", name)
	}
	switch {
	case p.fixed != "" && (p.fixed != afterLogin || !s.starting):
		return "", "", p.setError()
	case p.isName && len(value) > maxIdentifier:
		s.notices = append(s.notices, cutNotice(value))
		value = cutName(value)
	case strings.Contains(key, "."):
		if err := checkCustom(name); err != nil {
			return "", "", err
		}
	case p.words != nil || p.high != 0 || p.low != 0:
		named := *p
		named.name = name // PostgreSQL's errors have the name as it was given there
		p = &named
	}
	before := s.get(key)
	if key == "role" {
		before = s.get("session_authorization") // the one that can be taken
	}
	canonical, err = p.check(p, before, value)
	return key, canonical, err
}

// set changes a setting, for the transaction only if local.
func (s *settings) set(name, value string, local bool) error {
	key, canonical, err := s.check(name, value)
	if err != nil {
		return err
	}
	if local {
		s.local[key] = canonical
	} else {
		s.session[key] = canonical
		delete(s.local, key)
	}
	s.refresh()
	return nil
}

// reset goes back to the session's default.
func (s *settings) reset(name string, local bool) error {
	key := strings.ToLower(name)
	p, ok := parameterNamed(key)
	if !ok {
		return errorf(pgerrcode.UndefinedObject, "unrecognized configuration parameter %q", name)
	}
	if p.fixed != "" {
		return p.setError()
	}
	if _, set := s.session[key]; set && strings.Contains(key, ".") {
		s.session[key] = "" // once it is there it stays
		return nil
	}
	if local {
		s.local[key] = s.defaultOf(key, p)
	} else {
		delete(s.session, key)
		delete(s.local, key)
	}
	s.refresh()
	return nil
}

func (s *settings) resetAll() {
	for key := range s.session {
		if strings.Contains(key, ".") {
			s.session[key] = ""
			continue
		}
		delete(s.session, key)
	}
	clear(s.local)
	s.refresh()
}

func (s *settings) defaultOf(key string, p *parameter) string {
	if v, ok := s.defaults[key]; ok {
		return v
	}
	if _, ok := parameters15()["default_"+key]; ok {
		return s.get("default_" + key) // of transaction_isolation and the like
	}
	return p.value
}

// get is the value of a known setting.
func (s *settings) get(key string) string {
	for _, m := range []map[string]string{s.local, s.session} {
		if v, ok := m[key]; ok {
			return v
		}
	}
	if p, ok := parameterNamed(key); ok {
		return s.defaultOf(key, p)
	}
	return ""
}

// show is the value as SHOW gives it; 42704 if there is no such setting.
func (s *settings) show(name string) (string, error) {
	key := strings.ToLower(name)
	_, known := parameters15()[key]
	_, custom := s.session[key]
	if _, local := s.local[key]; !known && !custom && !local {
		if _, started := s.defaults[key]; !started {
			return "", errorf(pgerrcode.UndefinedObject, "unrecognized configuration parameter %q", name)
		}
	}
	return s.get(key), nil
}

// all are the settings that SHOW ALL lists, by name.
func (s *settings) all() []Setting {
	out := make([]Setting, 0, len(parameters15()))
	for _, key := range slices.Sorted(maps.Keys(parameters15())) {
		out = append(out, Setting{Name: parameters15()[key].name, Value: s.get(key)})
	}
	return out
}

// beginTransaction keeps the state to go back to, and fixes the transaction's
// modes: another default concerns the next one.
func (s *settings) beginTransaction() {
	s.save()
	for _, key := range []string{"transaction_isolation", "transaction_read_only", "transaction_deferrable"} {
		s.local[key] = s.get(key)
	}
}

// endStatement ends what was set for a transaction that was one statement.
func (s *settings) endStatement() {
	if len(s.local) > 0 {
		clear(s.local)
		s.refresh()
	}
}

// fail goes back to the innermost savepoint, or the start, as the transaction does.
func (s *settings) fail() {
	if len(s.saved) > 0 {
		s.restore(len(s.saved) - 1)
	}
}

// save keeps the state to go back to.
func (s *settings) save() {
	s.saved = append(s.saved, savedSettings{maps.Clone(s.session), maps.Clone(s.local)})
}

// restore goes back to a saved state, which stays saved.
func (s *settings) restore(level int) {
	if level >= len(s.saved) {
		return
	}
	s.session, s.local = maps.Clone(s.saved[level].session), maps.Clone(s.saved[level].local)
	s.saved = s.saved[:level+1]
	s.refresh()
}

// end ends the transaction: what was set for it alone is gone.
func (s *settings) end(ok bool) {
	if !ok {
		s.restore(0)
	}
	s.saved = nil
	clear(s.local)
	s.refresh()
}

// refresh keeps what is derived from settings.
func (s *settings) refresh() {
	zone, err := postgres.LoadZone(s.get("timezone"))
	if err != nil {
		zone = time.UTC // checked when it was set
	}
	s.zone = zone
}

// values is what reading and printing of values depends on.
func (s *settings) values(now time.Time) postgres.Env {
	env := postgres.DefaultEnv()
	env.Zone, env.Now = s.zone, now
	format, order, _ := strings.Cut(s.get("datestyle"), ", ")
	env.DateFormat, env.DateOrder = dateFormats[format], dateOrders[order]
	env.IntervalStyle = intervalStyles[s.get("intervalstyle")]
	env.ByteaEscape = s.get("bytea_output") == "escape"
	if digits, err := strconv.Atoi(s.get("extra_float_digits")); err == nil { // checked when it was set
		env.ExtraFloatDigits = digits
	}
	return env
}

// searchPath are the schemas of search_path that exist.
func (s *settings) searchPath() []string {
	var path []string
	for part := range strings.SplitSeq(s.get("search_path"), ",") {
		name := strings.Trim(strings.TrimSpace(part), `"`)
		if name == "$user" {
			name = s.get("session_authorization")
		}
		if isSchema(name) && !slices.Contains(path, name) {
			path = append(path, name)
		}
	}
	return path
}

// reportedNames are the settings that a client is told of, at the start and when
// they change (GUC_REPORT).
var reportedNames = []string{
	"server_version", "server_encoding", "client_encoding", "application_name", "is_superuser", "session_authorization",
	"DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings",
	"default_transaction_read_only", "in_hot_standby",
}

func (s *settings) reportable() []Setting {
	out := make([]Setting, len(reportedNames))
	for i, name := range reportedNames {
		out[i] = Setting{Name: name, Value: s.get(strings.ToLower(name))}
	}
	return out
}

func (s *settings) markReported() {
	s.reported = make(map[string]string, len(reportedNames))
	for _, v := range s.reportable() {
		s.reported[v.Name] = v.Value
	}
}

// Setting is a parameter's value as SHOW gives it, "" if there is none.
func (s *Session) Setting(name string) string { return s.settings.get(strings.ToLower(name)) }

// Reported are the settings that the client is told at the start of a session.
func (s *Session) Reported() []Setting { return s.settings.reportable() }

// TakeChanged are those of them that changed since the last call.
func (s *Session) TakeChanged() []Setting {
	var changed []Setting
	for _, v := range s.settings.reportable() {
		if s.settings.reported[v.Name] != v.Value {
			s.settings.reported[v.Name] = v.Value
			changed = append(changed, v)
		}
	}
	return changed
}

// snapshot are all settings by their names, numbers in their parameters' own units
// as pg_settings has them.
func (s *settings) snapshot() map[string]string {
	out := make(map[string]string, len(parameters15()))
	for key, p := range parameters15() {
		value := s.get(key)
		if p.unit != "" {
			if n, err := p.number(value); err == nil {
				value = p.plain(n)
			}
		}
		out[p.name] = value
	}
	return out
}
