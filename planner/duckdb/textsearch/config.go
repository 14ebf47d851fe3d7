package textsearch

import (
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Config is a text search configuration: which lexemes the tokens of each kind give.
type Config struct {
	// stems says that words lose their endings, and that stop words give nothing.
	stems bool
}

// ConfigNamed gives one of pg_catalog's configurations; those of other languages are not there.
func ConfigNamed(name string) (Config, bool) {
	switch name {
	case "simple":
		return Config{}, true
	case "english":
		return Config{stems: true}, true
	}
	return Config{}, false
}

// maxStemmed is how long a word, in bytes, is given to the stemmer (dict_snowball.c).
const maxStemmed = 1000

// stopWords are english.stop, Snowball's list.
var stopWords = map[string]bool{
	"a": true, "about": true, "above": true, "after": true, "again": true, "against": true, "all": true, "am": true, "an": true, "and": true,
	"any": true, "are": true, "as": true, "at": true, "be": true, "because": true, "been": true, "before": true, "being": true, "below": true,
	"between": true, "both": true, "but": true, "by": true, "can": true, "did": true, "do": true, "does": true, "doing": true, "don": true,
	"down": true, "during": true, "each": true, "few": true, "for": true, "from": true, "further": true, "had": true, "has": true,
	"have": true, "having": true, "he": true, "her": true, "here": true, "hers": true, "herself": true, "him": true, "himself": true,
	"his": true, "how": true, "i": true, "if": true, "in": true, "into": true, "is": true, "it": true, "its": true, "itself": true,
	"just": true, "me": true, "more": true, "most": true, "my": true, "myself": true, "no": true, "nor": true, "not": true, "now": true,
	"of": true, "off": true, "on": true, "once": true, "only": true, "or": true, "other": true, "our": true, "ours": true, "ourselves": true,
	"out": true, "over": true, "own": true, "s": true, "same": true, "she": true, "should": true, "so": true, "some": true, "such": true,
	"t": true, "than": true, "that": true, "the": true, "their": true, "theirs": true, "them": true, "themselves": true, "then": true,
	"there": true, "these": true, "they": true, "this": true, "those": true, "through": true, "to": true, "too": true, "under": true,
	"until": true, "up": true, "very": true, "was": true, "we": true, "were": true, "what": true, "when": true, "where": true, "which": true,
	"while": true, "who": true, "whom": true, "why": true, "will": true, "with": true, "you": true, "your": true, "yours": true,
	"yourself": true, "yourselves": true,
}

// lexeme is what a token gives: known is false if tokens of its kind are left out, and the lexeme is "" for a stop word, which
// still has a position.
func (c Config) lexeme(kind Kind, token string) (lexeme string, known bool) {
	switch kind {
	case Blank, Tag, Protocol, Entity:
		return "", false
	case ASCIIWord, Word, HyphenPart, HyphenASCIIPart, ASCIIHyphenWord, HyphenWord:
		if c.stems {
			return stem(lower(token)), true
		}
	}
	return lower(token), true
}

func stem(word string) string {
	switch {
	case stopWords[word]:
		return ""
	case len(word) > maxStemmed:
		return word
	}
	env := snowballstem.NewEnv(word)
	english.Stem(env)
	return env.Current()
}

// lower follows towlower of C.UTF-8, character by character.
func lower(s string) string { return strings.Map(unicode.ToLower, s) }

// words are the lexemes of one stretch of text at their positions.
type words struct {
	config  Config
	lexemes []postgres.TSLexeme
	at      int
}

// add goes on with a text, behind the words so far.
func (w *words) add(text string) {
	for kind, token := range Tokens(text) {
		if len(token) > postgres.MaxLexeme {
			continue
		}
		lexeme, known := w.config.lexeme(kind, token)
		if !known {
			continue
		}
		w.at++
		if lexeme != "" {
			at := uint16(min(w.at, postgres.MaxTSPosition))
			w.lexemes = append(w.lexemes, postgres.TSLexeme{Word: lexeme, Positions: []postgres.TSPosition{{At: at}}})
		}
	}
}

// Vector is to_tsvector of texts that are no neighbours, which keep a distance: the values of a document.
func (c Config) Vector(texts ...string) (postgres.TSVector, error) {
	w := words{config: c}
	for _, text := range texts {
		before := len(w.lexemes)
		if w.add(text); len(w.lexemes) > before {
			w.at++
		}
	}
	return postgres.NewTSVector(w.lexemes)
}
