package planner

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// parameter is a setting that sessions know.
type parameter struct {
	name  string // as SHOW ALL spells it
	value string // the default
	// fixed is why it cannot be set; "": it can.
	fixed string
	check checkFunc
	// isName: its values are cut as identifiers are (GUC_IS_NAME).
	isName bool
	// words are the values of an enumeration, low and high the bounds of a number and
	// unit what it counts; real numbers have fractions.
	words       []string
	low, high   float64
	unit        string
	real        bool
	description string
}

// checkFunc validates a value and gives it as it is shown. The value before is for
// those that change in part.
type checkFunc func(p *parameter, before, value string) (string, error)

// Why a parameter cannot be set.
const (
	never       = "cannot be changed"
	whenStarted = "cannot be changed without restarting the server"
	notNow      = "cannot be changed now"
	afterLogin  = "cannot be set after connection start"
)

// ownParameters are those that differ here from what PostgreSQL is built with, in
// their values, in what they may be, or in how they are checked; by lower-case name.
var ownParameters = map[string]*parameter{
	"application_name":            {name: "application_name", check: checkASCII, isName: true},
	"array_nulls":                 {name: "array_nulls", value: "on", check: checkWord, words: []string{"on"}},
	"client_encoding":             {name: "client_encoding", value: "UTF8", check: checkEncoding},
	"datestyle":                   {name: "DateStyle", value: "ISO, MDY", check: checkDateStyle},
	"default_text_search_config":  {name: "default_text_search_config", value: "pg_catalog.english", check: checkTextSearchConfig},
	"in_hot_standby":              {name: "in_hot_standby", value: "off", fixed: never},
	"is_superuser":                {name: "is_superuser", value: "off", fixed: never},
	"jit":                         {name: "jit", value: "off", check: checkBool},
	"lc_collate":                  {name: "lc_collate", value: "C.UTF-8", fixed: never},
	"lc_ctype":                    {name: "lc_ctype", value: "C.UTF-8", fixed: never},
	"lc_messages":                 {name: "lc_messages", value: "C", check: checkAny},
	"password_encryption":         {name: "password_encryption", value: "scram-sha-256", check: checkWord, words: []string{"scram-sha-256"}},
	"role":                        {name: "role", value: "none", check: checkRole},
	"server_version":              {name: "server_version", value: serverVersion, fixed: never},
	"server_version_num":          {name: "server_version_num", value: serverVersionNum, fixed: never},
	"session_authorization":       {name: "session_authorization", check: checkRole},
	"server_encoding":             {name: "server_encoding", value: "UTF8", fixed: never},
	"standard_conforming_strings": {name: "standard_conforming_strings", value: "on", check: checkConforming},
	"timezone":                    {name: "TimeZone", value: "UTC", check: checkZone},
	"timezone_abbreviations":      {name: "timezone_abbreviations", value: "Default", fixed: never},
	"transform_null_equals":       {name: "transform_null_equals", value: "off", check: checkWord, words: []string{"off"}},
}

// parameterNamed finds a setting by its lower-case name. A name with a dot is
// somebody's own. Those that mean nothing here are kept and shown all the same.
func parameterNamed(key string) (*parameter, bool) {
	if p, ok := parameters15()[key]; ok {
		return p, true
	}
	if strings.Contains(key, ".") {
		return &parameter{name: key, check: checkAny}, true
	}
	return nil, false
}

// parameters15 are all parameters of PostgreSQL 15, by lower-case name.
//
//nolint:gochecknoglobals // a lookup table, built when it is first needed
var parameters15 = sync.OnceValue(func() map[string]*parameter {
	all := make(map[string]*parameter, len(postgres.Settings()))
	for i := range postgres.Settings() {
		s := &postgres.Settings()[i]
		all[strings.ToLower(s.Name)] = newParameter(s)
	}
	for key, p := range ownParameters {
		if s, ok := all[key]; ok && p.description == "" {
			p.description = s.description
		}
		all[key] = p
	}
	return all
})

// newParameter is one of PostgreSQL's parameters as it is built.
func newParameter(s *postgres.Setting) *parameter {
	p := &parameter{name: s.Name, value: s.Value, words: s.Words, unit: s.Unit, description: s.Description, check: checkAny}
	switch s.Context {
	case "internal":
		p.fixed = never
	case "postmaster":
		p.fixed = whenStarted
	case "sighup":
		p.fixed = notNow
	case "backend", "superuser-backend":
		p.fixed = afterLogin
	}
	switch s.Type {
	case "bool":
		p.check = checkBool
	case "enum":
		p.check = checkWord
	case "integer", "real":
		p.check, p.real = checkNumber, s.Type == "real"
		// Both come from PostgreSQL and are numbers.
		p.low, _ = strconv.ParseFloat(s.Min, 64)
		p.high, _ = strconv.ParseFloat(s.Max, 64)
		if n, err := strconv.ParseFloat(s.Value, 64); err == nil {
			p.value = p.show(n)
		}
	}
	if s.Context == "superuser" || s.Context == "superuser-backend" {
		p.check = checkSuperuser
	}
	return p
}

// setError says why a parameter cannot be set.
func (p *parameter) setError() error {
	return errorf(pgerrcode.CantChangeRuntimeParam, "parameter %q %s", p.name, p.fixed)
}

// valid names custom parameters (valid_custom_variable_name of guc.c).
var validCustom = regexp.MustCompile(`^[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*(\.[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*)+$`)

// checkCustom refuses a name that nobody's own parameter can have.
func checkCustom(name string) error {
	if validCustom.MatchString(name) {
		return nil
	}
	return errorf(pgerrcode.InvalidName, "invalid configuration parameter name %q", name).
		withDetail("Custom parameter names must be two or more simple identifiers separated by dots.")
}

func checkSuperuser(p *parameter, _, _ string) (string, error) {
	return "", errorf(pgerrcode.InsufficientPrivilege, "permission denied to set parameter %q", p.name)
}

// checkRole accepts a user's own name; there is nobody else to become.
func checkRole(_ *parameter, before, value string) (string, error) {
	if value == before || value == "none" {
		return value, nil
	}
	return "", errorf(pgerrcode.InvalidParameterValue, "role %q does not exist", value)
}

func invalidValue(p *parameter, value string) *Error {
	return errorf(pgerrcode.InvalidParameterValue, "invalid value for parameter %q: \"%s\"", p.name, value)
}

func checkAny(_ *parameter, _, value string) (string, error) { return value, nil }

// checkASCII replaces what is not printable ASCII, as PostgreSQL does.
func checkASCII(_ *parameter, _, value string) (string, error) {
	b := []byte(value)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b), nil
}

func checkBool(p *parameter, _, value string) (string, error) {
	d, err := postgres.ParseLiteral(postgres.BoolOID, -1, value, postgres.Env{})
	switch {
	case err != nil:
		return "", errorf(pgerrcode.InvalidParameterValue, "parameter %q requires a Boolean value", p.name)
	case d.Int != 0:
		return "on", nil
	}
	return "off", nil
}

// checkConforming refuses the reading of plain strings with escapes.
func checkConforming(p *parameter, _, value string) (string, error) {
	on, err := checkBool(p, "", value)
	if err == nil && on != "on" {
		return "", unsupported(-1, "standard_conforming_strings = off")
	}
	return on, err
}

func checkWord(p *parameter, _, value string) (string, error) {
	word := strings.ToLower(value)
	if slices.Contains(p.words, word) {
		return word, nil
	}
	if d, err := checkBool(p, "", value); err == nil && slices.Contains(p.words, d) {
		return d, nil
	}
	if p.name == "client_min_messages" && (word == "debug" || word == "info") {
		return map[string]string{"debug": "debug2", "info": "info"}[word], nil // old names, which are not listed
	}
	return "", invalidValue(p, value).withHint("Available values: %s.", strings.Join(p.words, ", "))
}

// checkEncoding accepts the names of encodings that texts convert to.
func checkEncoding(p *parameter, _, value string) (string, error) {
	e, ok := postgres.EncodingNamed(value)
	if !ok {
		return "", invalidValue(p, value)
	}
	if !e.Converts() {
		return "", errorf(pgerrcode.FeatureNotSupported, "invalid value for parameter %q: %q", p.name, value).
			withDetail("Conversion between %s and UTF8 is not supported.", e.Name)
	}
	return e.Name, nil
}

func checkZone(p *parameter, _, value string) (string, error) {
	name := value
	if hours, err := strconv.ParseFloat(value, 64); err == nil {
		name = zoneOfHours(hours)
	}
	zone, err := postgres.LoadZone(name)
	if err != nil {
		return "", invalidValue(p, value)
	}
	if strings.EqualFold(zone.String(), name) {
		return zone.String(), nil
	}
	return strings.ToUpper(name), nil // a specification, which alone says all, in PostgreSQL's spelling
}

// zoneOfHours is the POSIX name of an offset in hours east, as SET TIME ZONE 2
// makes it: <+02>-02.
func zoneOfHours(hours float64) string {
	if hours == 0 {
		return "UTC"
	}
	minutes := int(math.Round(math.Abs(hours) * 60))
	at := twoDigits(minutes / 60)
	if minutes%60 != 0 {
		at += ":" + twoDigits(minutes%60)
	}
	if hours < 0 {
		return "<-" + at + ">+" + at
	}
	return "<+" + at + ">-" + at
}

func twoDigits(n int) string { return strconv.Itoa(n/10%10) + strconv.Itoa(n%10) }

var (
	dateFormats = map[string]postgres.DateFormat{
		"ISO": postgres.ISODates, "SQL": postgres.SQLDates, "Postgres": postgres.PostgresDates, "German": postgres.GermanDates,
	}
	dateOrders     = map[string]postgres.DateOrder{"MDY": postgres.MDY, "DMY": postgres.DMY, "YMD": postgres.YMD}
	intervalStyles = map[string]postgres.IntervalStyle{
		"postgres": postgres.PostgresIntervals, "postgres_verbose": postgres.PostgresVerboseIntervals,
		"sql_standard": postgres.SQLStandardIntervals, "iso_8601": postgres.ISO8601Intervals,
	}
	dateStyleWords = map[string]string{
		"iso": "ISO", "sql": "SQL", "postgres": "Postgres", "german": "German",
		"mdy": "MDY", "us": "MDY", "noneuro": "MDY", "noneuropean": "MDY",
		"dmy": "DMY", "euro": "DMY", "european": "DMY", "ymd": "YMD",
	}
)

// checkDateStyle reads a format, an order, or both; what is not said stays.
func checkDateStyle(p *parameter, before, value string) (string, error) {
	format, order, _ := strings.Cut(before, ", ")
	orderGiven, formatGiven := false, ""
	for word := range strings.SplitSeq(value, ",") {
		word = strings.ToLower(strings.TrimSpace(word))
		if word == "default" {
			format, order = "ISO", "MDY"
			continue
		}
		known, ok := dateStyleWords[word]
		if !ok {
			return "", invalidValue(p, value).withDetail("Unrecognized key word: \"%s\".", word)
		}
		if _, isOrder := dateOrders[known]; isOrder {
			if orderGiven && order != known {
				return "", conflictingStyle(p, value)
			}
			order, orderGiven = known, true
			continue
		}
		if formatGiven != "" && formatGiven != known {
			return "", conflictingStyle(p, value)
		}
		format, formatGiven = known, known
		if known == "German" && !orderGiven {
			order = "DMY"
		}
	}
	return format + ", " + order, nil
}

func conflictingStyle(p *parameter, value string) error {
	return invalidValue(p, value).withDetail(`Conflicting "datestyle" specifications.`)
}
