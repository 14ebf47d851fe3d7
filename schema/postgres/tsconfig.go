package postgres

import "slices"

// TSConfig is a text search configuration of pg_catalog, with the dictionary of its language.
type TSConfig struct {
	OID  OID
	Name string
	// Dictionary is for words, ASCIIDictionary for those of ASCII letters alone; every other token goes to the dictionary simple.
	Dictionary, ASCIIDictionary TSDictionary
}

// TSDictionary is a text search dictionary of pg_catalog.
type TSDictionary struct {
	OID  OID
	Name string
	// Options is how it was made of its template.
	Options string
}

// The configuration and the dictionary that know no language, and the first of those that initdb of PostgreSQL 15.18 makes.
const (
	simpleConfigOID     OID = 3748
	simpleDictionaryOID OID = 3765
	firstStemmerOID     OID = 13151
)

// tsLanguages are Snowball's languages, in the order in which initdb makes a dictionary and a configuration of each; those
// with stop words have a star.
var tsLanguages = []string{
	"arabic", "armenian", "basque", "catalan", "danish*", "dutch*", "english*", "finnish*", "french*", "german*", "greek", "hindi", "hungarian*",
	"indonesian", "irish", "italian*", "lithuanian", "nepali*", "norwegian*", "portuguese*", "romanian", "russian*", "serbian", "spanish*", "swedish*",
	"tamil", "turkish*", "yiddish",
}

// TSConfigs are the text search configurations that PostgreSQL brings.
func TSConfigs() []TSConfig {
	simple := TSDictionary{OID: simpleDictionaryOID, Name: "simple"}
	out := []TSConfig{{simpleConfigOID, "simple", simple, simple}}
	for i, language := range tsLanguages {
		name, options := language, ""
		if n := len(language) - 1; language[n] == '*' {
			name = language[:n]
			options = ", stopwords = '" + name + "'"
		}
		d := TSDictionary{firstStemmerOID + OID(2*i), name + "_stem", "language = '" + name + "'" + options}
		out = append(out, TSConfig{d.OID + 1, name, d, d})
	}
	english := out[slices.IndexFunc(out, func(c TSConfig) bool { return c.Name == "english" })].Dictionary
	for i := range out {
		// Texts of these languages have English words in their own letters.
		if out[i].Name == "hindi" || out[i].Name == "russian" {
			out[i].ASCIIDictionary = english
		}
	}
	return out
}

// TSConfigByName finds a configuration.
func TSConfigByName(name string) (TSConfig, bool) {
	return findTSConfig(func(c TSConfig) bool { return c.Name == name })
}

// TSConfigByOID finds a configuration.
func TSConfigByOID(oid OID) (TSConfig, bool) {
	return findTSConfig(func(c TSConfig) bool { return c.OID == oid })
}

// TSDictionaryByName finds a dictionary.
func TSDictionaryByName(name string) (TSDictionary, bool) {
	c, ok := findTSConfig(func(c TSConfig) bool { return c.Dictionary.Name == name })
	return c.Dictionary, ok
}

// TSDictionaryByOID finds a dictionary.
func TSDictionaryByOID(oid OID) (TSDictionary, bool) {
	c, ok := findTSConfig(func(c TSConfig) bool { return c.Dictionary.OID == oid })
	return c.Dictionary, ok
}

func findTSConfig(is func(TSConfig) bool) (TSConfig, bool) {
	configs := TSConfigs()
	if i := slices.IndexFunc(configs, is); i >= 0 {
		return configs[i], true
	}
	return TSConfig{}, false
}
