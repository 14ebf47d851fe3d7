package textsearch

import "iter"

// Kind is what a token is; the numbers are those of ts_token_type('default').
type Kind uint8

// The kinds of tokens.
const (
	ASCIIWord Kind = iota + 1
	Word
	NumWord
	Email
	URL
	Host
	ScientificFloat
	Version
	HyphenNumPart
	HyphenPart
	HyphenASCIIPart
	Blank
	Tag
	Protocol
	NumHyphenWord
	ASCIIHyphenWord
	HyphenWord
	URLPath
	File
	Float
	Int
	UnsignedInt
	Entity
)

// Tokens takes a text apart as PostgreSQL's default parser does (wparser_def.c). Compound tokens, such as words with hyphens
// and URLs, come before their parts, which are the same stretch of the text once more.
func Tokens(text string) iter.Seq2[Kind, string] {
	return func(yield func(Kind, string) bool) {
		s := newScanner(text)
		for {
			kind, from, to := s.token()
			if kind == 0 || !yield(kind, string(s.text[from:to])) {
				return
			}
		}
	}
}

// mode is how the scanner begins the next token.
type mode uint8

const (
	anywhere     mode = iota
	hyphenParts       // at a word with hyphens that was given as a whole
	urlPathStart      // behind the host of a URL that was given as a whole
	digits            // behind the sign of what turned out to be a version number
)

// found is a token: its kind, where it ends, and where and how the next one begins. No kind: there is none.
type found struct {
	kind Kind
	end  int
	next int
	mode mode
}

// scanner goes through a text. Each of its rules looks at what begins at an index, knowing what stands before it in the token,
// and the first rule, in the order of the tests of the rule that asks, that finds a token has it.
type scanner struct {
	text  []rune
	start int // of the token
	mode  mode
	// script: what is not a tag is blank, up to the end of a script or style element.
	script bool
	// wantHost: a host is wanted, and not the URL that begins with it.
	wantHost bool
}

func newScanner(text string) *scanner { return &scanner{text: []rune(text)} }

// token is the next token; 0: the text is at its end.
func (s *scanner) token() (kind Kind, from, to int) {
	from = s.start
	if from >= len(s.text) {
		return 0, from, from
	}
	var f found
	switch s.mode {
	case anywhere:
		f = s.anything(from)
	case hyphenParts:
		f = s.hyphenPart(from)
	case urlPathStart:
		f = s.urlPath(from + 1)
	case digits:
		f = s.unsigned(from)
	}
	s.start, s.mode = f.next, f.mode
	return f.kind, from, f.end
}

// at is the character at an index, -1 past the end.
func (s *scanner) at(i int) rune {
	if i >= len(s.text) {
		return -1
	}
	return s.text[i]
}

// tokenTo is a token that ends at an index, where the next one begins.
func tokenTo(kind Kind, end int) found { return found{kind: kind, end: end, next: end} }

// first is the first token of rules that are tried in order at one index.
func first(i int, rules ...func(int) found) found {
	for _, rule := range rules {
		if f := rule(i); f.kind != 0 {
			return f
		}
	}
	return found{}
}

// anything is the token that begins at an index.
func (s *scanner) anything(i int) found {
	c := s.at(i)
	if c == '<' {
		if f := s.tagFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	if s.script {
		return s.blank(i + 1)
	}
	switch {
	case c < 0:
		return found{}
	case isASCIILetter(c):
		return s.asciiWord(i + 1)
	case isLetter(c):
		return s.word(i + 1)
	case isDigit(c):
		return s.unsigned(i + 1)
	}
	var f found
	switch c {
	case '-', '+':
		f = s.signed(i + 1)
	case '&':
		f = s.entity(i + 1)
	case '~':
		f = s.fileTwiddle(i + 1)
	case '/':
		f = s.fileFirst(i + 1)
	case '.':
		f = s.pathFirst(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return s.blank(i + 1)
}

// blank is what is of no use, up to where something else may begin.
func (s *scanner) blank(i int) found {
	for ; ; i++ {
		switch c := s.at(i); {
		case c < 0 || c == '<':
			return tokenTo(Blank, i)
		case s.script:
		case c == '-' || c == '+' || c == '&' || c == '/' || isAlnum(c):
			return tokenTo(Blank, i)
		}
	}
}
