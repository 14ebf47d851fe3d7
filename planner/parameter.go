package planner

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// parameter is a setting that sessions know.
type parameter struct {
	name  string // as SHOW ALL spells it
	value string // the default
	fixed bool   // cannot be set
	check checkFunc
	// words are the values of an enumeration, low and high the bounds of a number.
	words     []string
	low, high int64
}

// checkFunc validates a value and gives it as it is shown. The value before is for
// those that change in part.
type checkFunc func(p *parameter, before, value string) (string, error)

// parameters15 are PostgreSQL 15's settings that clients ask for or set, by
// lower-case name. Those that mean nothing here are kept and shown all the same.
var parameters15 = map[string]*parameter{
	"application_name":      {name: "application_name", check: checkASCII},
	"array_nulls":           {name: "array_nulls", value: "on", check: checkBool},
	"backslash_quote":       {name: "backslash_quote", value: "safe_encoding", check: checkWord, words: []string{"safe_encoding", "on", "off"}},
	"bytea_output":          {name: "bytea_output", value: "hex", check: checkWord, words: []string{"escape", "hex"}},
	"check_function_bodies": {name: "check_function_bodies", value: "on", check: checkBool},
	"client_encoding":       {name: "client_encoding", value: "UTF8", check: checkEncoding},
	"client_min_messages": {name: "client_min_messages", value: "notice", check: checkWord, words: []string{
		"debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "info", "notice", "warning", "error",
	}},
	"datestyle":                           {name: "DateStyle", value: "ISO, MDY", check: checkDateStyle},
	"default_table_access_method":         {name: "default_table_access_method", value: "heap", check: checkAny},
	"default_tablespace":                  {name: "default_tablespace", check: checkAny},
	"default_transaction_deferrable":      {name: "default_transaction_deferrable", value: "off", check: checkBool},
	"default_transaction_isolation":       {name: "default_transaction_isolation", value: "read committed", check: checkWord, words: isolationLevels},
	"default_transaction_read_only":       {name: "default_transaction_read_only", value: "off", check: checkBool},
	"escape_string_warning":               {name: "escape_string_warning", value: "on", check: checkBool},
	"extra_float_digits":                  {name: "extra_float_digits", value: "1", check: checkInt, low: -15, high: 3},
	"geqo":                                {name: "geqo", value: "on", check: checkBool},
	"idle_in_transaction_session_timeout": {name: "idle_in_transaction_session_timeout", value: "0", check: checkMillis},
	"idle_session_timeout":                {name: "idle_session_timeout", value: "0", check: checkMillis},
	"in_hot_standby":                      {name: "in_hot_standby", value: "off", fixed: true},
	"integer_datetimes":                   {name: "integer_datetimes", value: "on", fixed: true},
	"intervalstyle":                       {name: "IntervalStyle", value: "postgres", check: checkWord, words: []string{"postgres", "postgres_verbose", "sql_standard", "iso_8601"}},
	"is_superuser":                        {name: "is_superuser", value: "off", fixed: true},
	"jit":                                 {name: "jit", value: "off", check: checkBool},
	"lc_collate":                          {name: "lc_collate", value: "C", fixed: true},
	"lc_ctype":                            {name: "lc_ctype", value: "C.UTF-8", fixed: true},
	"lc_messages":                         {name: "lc_messages", value: "C", check: checkAny},
	"lc_monetary":                         {name: "lc_monetary", value: "C", check: checkAny},
	"lc_numeric":                          {name: "lc_numeric", value: "C", check: checkAny},
	"lc_time":                             {name: "lc_time", value: "C", check: checkAny},
	"lock_timeout":                        {name: "lock_timeout", value: "0", check: checkMillis},
	"max_identifier_length":               {name: "max_identifier_length", value: "63", fixed: true},
	"max_index_keys":                      {name: "max_index_keys", value: "32", fixed: true},
	"plan_cache_mode":                     {name: "plan_cache_mode", value: "auto", check: checkWord, words: []string{"auto", "force_generic_plan", "force_custom_plan"}},
	"quote_all_identifiers":               {name: "quote_all_identifiers", value: "off", check: checkBool},
	"role":                                {name: "role", value: "none", check: checkWord, words: []string{"none"}},
	"row_security":                        {name: "row_security", value: "on", check: checkBool},
	"search_path":                         {name: "search_path", value: `"$user", public`, check: checkAny},
	"server_encoding":                     {name: "server_encoding", value: "UTF8", fixed: true},
	"server_version":                      {name: "server_version", value: serverVersion, fixed: true},
	"server_version_num":                  {name: "server_version_num", value: serverVersionNum, fixed: true},
	"session_authorization":               {name: "session_authorization", fixed: true},
	"ssl":                                 {name: "ssl", value: "off", fixed: true},
	"standard_conforming_strings":         {name: "standard_conforming_strings", value: "on", check: checkWord, words: []string{"on"}},
	"statement_timeout":                   {name: "statement_timeout", value: "0", check: checkMillis},
	"synchronize_seqscans":                {name: "synchronize_seqscans", value: "on", check: checkBool},
	"synchronous_commit":                  {name: "synchronous_commit", value: "on", check: checkWord, words: []string{"local", "remote_write", "remote_apply", "on", "off"}},
	"temp_tablespaces":                    {name: "temp_tablespaces", check: checkAny},
	"timezone":                            {name: "TimeZone", value: "UTC", check: checkZone},
	"timezone_abbreviations":              {name: "timezone_abbreviations", value: "Default", fixed: true},
	"transaction_deferrable":              {name: "transaction_deferrable", value: "off", check: checkBool},
	"transaction_isolation":               {name: "transaction_isolation", value: "read committed", check: checkWord, words: isolationLevels},
	"transaction_read_only":               {name: "transaction_read_only", value: "off", check: checkBool},
	"transform_null_equals":               {name: "transform_null_equals", value: "off", check: checkWord, words: []string{"off"}},
	"work_mem":                            {name: "work_mem", value: "4MB", check: checkAny},
	"xmloption":                           {name: "xmloption", value: "content", check: checkWord, words: []string{"content", "document"}},
}

var isolationLevels = []string{"serializable", "repeatable read", "read committed", "read uncommitted"}

// parameterNamed finds a setting. A name with a dot is somebody's own.
func parameterNamed(key string) (*parameter, bool) {
	if p, ok := parameters15[key]; ok {
		return p, true
	}
	if strings.Contains(key, ".") {
		return &parameter{name: key, check: checkAny}, true
	}
	return nil, false
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

func checkWord(p *parameter, _, value string) (string, error) {
	word := strings.ToLower(value)
	if slices.Contains(p.words, word) {
		return word, nil
	}
	if d, err := checkBool(p, "", value); err == nil && slices.Contains(p.words, d) {
		return d, nil
	}
	return "", invalidValue(p, value).withHint("Available values: %s.", strings.Join(p.words, ", "))
}

func checkInt(p *parameter, _, value string) (string, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil {
		return "", invalidValue(p, value)
	}
	if n < p.low || n > p.high {
		return "", errorf(pgerrcode.InvalidParameterValue, "%d is outside the valid range for parameter %q (%d .. %d)", n, p.name, p.low, p.high)
	}
	return strconv.FormatInt(n, 10), nil
}

// timeUnits are the units of a time in settings, in milliseconds, largest first.
var timeUnits = []struct {
	name   string
	millis float64
}{{"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"min", 60 * 1000}, {"s", 1000}, {"ms", 1}, {"us", 0.001}}

// checkMillis reads a time, in milliseconds unless it has a unit, and shows it in
// the largest unit that divides it.
func checkMillis(p *parameter, _, value string) (string, error) {
	text := strings.TrimSpace(value)
	digits := len(text) - len(strings.TrimLeft(text, "+-.0123456789eE"))
	n, err := strconv.ParseFloat(text[:digits], 64)
	unit := strings.TrimSpace(text[digits:])
	i := slices.IndexFunc(timeUnits, func(u struct {
		name   string
		millis float64
	},
	) bool {
		return u.name == unit
	})
	if err != nil || i < 0 && unit != "" {
		return "", invalidValue(p, value).withHint(`Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".`)
	}
	if i >= 0 {
		n *= timeUnits[i].millis
	}
	n = math.RoundToEven(n)
	if n < 0 || n > math.MaxInt32 {
		return "", errorf(pgerrcode.InvalidParameterValue, "%s ms is outside the valid range for parameter %q (0 .. %d)",
			strconv.FormatFloat(n, 'f', -1, 64), p.name, math.MaxInt32)
	}
	millis := int64(n)
	if millis == 0 {
		return "0", nil
	}
	for _, u := range timeUnits {
		if step := int64(u.millis); step > 0 && millis%step == 0 {
			return strconv.FormatInt(millis/step, 10) + u.name, nil
		}
	}
	return strconv.FormatInt(millis, 10) + "ms", nil
}

// checkEncoding accepts the names of UTF8 only.
func checkEncoding(p *parameter, _, value string) (string, error) {
	var b strings.Builder
	for _, r := range strings.ToLower(value) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if name := b.String(); name == "utf8" || name == "unicode" {
		return "UTF8", nil
	}
	return "", invalidValue(p, value).withDetail("The server sends and takes UTF8 only.")
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
	return name, nil // a fixed offset, which its specification alone says in full
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
	orderGiven := false
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
			order, orderGiven = known, true
			continue
		}
		format = known
		if known == "German" && !orderGiven {
			order = "DMY"
		}
	}
	return format + ", " + order, nil
}
