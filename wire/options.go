package wire

import (
	"strings"

	"github.com/jackc/pgerrcode"

	"github.com/fieldgate/fieldgate/planner"
)

// optionSettings are the settings that PostgreSQL's command-line options stand for
// (process_postgres_switches of postgres.c), by letter. Those without a value of
// their own take the option's.
var optionSettings = map[byte]planner.Setting{
	'B': {Name: "shared_buffers"},
	'd': {Name: "log_min_messages"},
	'e': {Name: "datestyle", Value: "euro"},
	'F': {Name: "fsync", Value: "false"},
	'h': {Name: "listen_addresses"},
	'i': {Name: "listen_addresses", Value: "*"},
	'k': {Name: "unix_socket_directories"},
	'l': {Name: "ssl", Value: "true"},
	'N': {Name: "max_connections"},
	'O': {Name: "allow_system_table_mods", Value: "true"},
	'p': {Name: "port"},
	'P': {Name: "ignore_system_indexes", Value: "true"},
	's': {Name: "log_statement_stats", Value: "true"},
	'S': {Name: "work_mem"},
	'W': {Name: "post_auth_delay"},
}

// What the options f and t take, of which the first letters count.
var (
	disabledPlans = map[byte]string{
		's': "enable_seqscan", 'i': "enable_indexscan", 'o': "enable_indexonlyscan", 'b': "enable_bitmapscan", 't': "enable_tidscan",
		'n': "enable_nestloop", 'm': "enable_mergejoin", 'h': "enable_hashjoin",
	}
	timedParts = map[string]string{"pa": "log_parser_stats", "pl": "log_planner_stats", "e": "log_executor_stats"}
)

// Options whose values mean something only to a server that is started by hand, and
// those that take no value.
const (
	ignoredValues = "CDrv"
	ignoredFlags  = "bEjnT"
)

// parseOptions reads the options parameter, in which clients give settings as
// PostgreSQL's command-line arguments, in their order: -c name=value, --name=value,
// and the options of one letter, which may stand together (getopt of POSIX). A
// backslash before a space makes that part of a word.
func parseOptions(text string) ([]planner.Setting, error) {
	var out []planner.Setting
	words := splitOptions(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" && i == len(words)-1 {
			break
		}
		if word == "--" {
			return nil, errOption(words[i+1])
		}
		letters, ok := strings.CutPrefix(word, "-")
		if !ok || letters == "" {
			return nil, errOption(word)
		}
		for letters != "" {
			letter := letters[0]
			letters = letters[1:]
			var value string
			if takesValue(letter) {
				if value = letters; value == "" {
					if i++; i == len(words) {
						return nil, errOption(word)
					}
					word = words[i] // which an error names
					value = word
				}
				letters = ""
			}
			setting, err := optionSetting(letter, value, word)
			if err != nil {
				return nil, err
			}
			if setting.Name != "" {
				out = append(out, setting)
			}
		}
	}
	return out, nil
}

// takesValue says that an option's value follows it.
func takesValue(letter byte) bool {
	s, isSetting := optionSettings[letter]
	return isSetting && s.Value == "" || strings.IndexByte("-cft"+ignoredValues, letter) >= 0
}

// optionSetting is the setting that an option of a word means, none if it is ignored.
func optionSetting(letter byte, value, word string) (planner.Setting, error) {
	switch letter {
	case 'c', '-':
		name, is, ok := strings.Cut(value, "=")
		if !ok {
			option := "--"
			if letter == 'c' {
				option = "-c "
			}
			return planner.Setting{}, fatalf(pgerrcode.SyntaxError, "%s%s requires a value", option, value)
		}
		return planner.Setting{Name: strings.ReplaceAll(name, "-", "_"), Value: is}, nil
	case 'f':
		if name, ok := disabledPlans[value[0]]; ok {
			return planner.Setting{Name: name, Value: "false"}, nil
		}
		return planner.Setting{}, errOption(word)
	case 't':
		for part, name := range timedParts {
			if strings.HasPrefix(value, part) {
				return planner.Setting{Name: name, Value: "true"}, nil
			}
		}
		return planner.Setting{}, errOption(word)
	}
	setting, ok := optionSettings[letter]
	if !ok && strings.IndexByte(ignoredValues+ignoredFlags, letter) < 0 {
		return planner.Setting{}, errOption(word)
	}
	if setting.Value == "" {
		setting.Value = value
	}
	return setting, nil
}

func errOption(word string) error {
	return &fatalError{err: &planner.Error{
		Code:    pgerrcode.SyntaxError,
		Message: "invalid command-line argument for server process: " + word,
		Hint:    `Try "postgres --help" for more information.`,
	}}
}

func splitOptions(text string) []string {
	var words []string
	var word strings.Builder
	var open, escaped bool
	for _, c := range []byte(text) {
		switch {
		case escaped:
			word.WriteByte(c)
			escaped = false
		case c == '\\':
			open, escaped = true, true
		case c == ' ' || c >= '\t' && c <= '\r':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			open = true
			word.WriteByte(c)
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}
