package textsearch

// asciiWord goes on with a word of ASCII letters.
func (s *scanner) asciiWord(i int) found {
	for isASCIILetter(s.at(i)) {
		i++
	}
	var f found
	switch c := s.at(i); {
	case c == '.':
		f = first(i+1, s.hostFirstDomain, s.fileNext)
	case c == '-':
		f = first(i+1, s.hostFirst, s.hyphenASCIIWordFirst)
	case c == '_':
		f = s.hostFirst(i + 1)
	case c == '@':
		f = s.email(i + 1)
	case c == ':':
		f = s.protocol(i + 1)
	case c == '/':
		f = s.fileFirst(i + 1)
	case isDigit(c):
		f = first(i+1, s.host, s.numWord)
	case isLetter(c) || isJoined(c):
		f = s.word(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(ASCIIWord, i)
}

// word goes on with a word of letters.
func (s *scanner) word(i int) found {
	for isLetter(s.at(i)) || isJoined(s.at(i)) {
		i++
	}
	switch c := s.at(i); {
	case isDigit(c):
		return s.numWord(i + 1)
	case c == '-':
		if f := s.hyphenWordFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	return tokenTo(Word, i)
}

// numWord goes on with a word of letters and digits.
func (s *scanner) numWord(i int) found {
	for isAlnum(s.at(i)) || isJoined(s.at(i)) {
		i++
	}
	var f found
	switch s.at(i) {
	case '@':
		f = s.email(i + 1)
	case '/':
		f = s.fileFirst(i + 1)
	case '.':
		f = s.fileNext(i + 1)
	case '-':
		f = s.hyphenNumWordFirst(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(NumWord, i)
}

// whole is a word with hyphens, whose parts come next.
func (s *scanner) whole(kind Kind, end int) found {
	return found{kind: kind, end: end, next: s.start, mode: hyphenParts}
}

func (s *scanner) hyphenASCIIWordFirst(i int) found {
	switch c := s.at(i); {
	case isASCIILetter(c):
		return s.hyphenASCIIWord(i + 1)
	case isLetter(c):
		return s.hyphenWord(i + 1)
	case isDigit(c):
		return s.hyphenDigits(i + 1)
	}
	return found{}
}

func (s *scanner) hyphenASCIIWord(i int) found {
	for isASCIILetter(s.at(i)) {
		i++
	}
	switch c := s.at(i); {
	case isLetter(c) || isJoined(c):
		return s.hyphenWord(i + 1)
	case isDigit(c):
		return s.hyphenNumWord(i + 1)
	case c == '-':
		if f := s.hyphenASCIIWordFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	return s.whole(ASCIIHyphenWord, i)
}

func (s *scanner) hyphenWordFirst(i int) found {
	switch c := s.at(i); {
	case isLetter(c):
		return s.hyphenWord(i + 1)
	case isDigit(c):
		return s.hyphenDigits(i + 1)
	}
	return found{}
}

func (s *scanner) hyphenWord(i int) found {
	for isLetter(s.at(i)) || isJoined(s.at(i)) {
		i++
	}
	switch c := s.at(i); {
	case isDigit(c):
		return s.hyphenNumWord(i + 1)
	case c == '-':
		if f := s.hyphenWordFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	return s.whole(HyphenWord, i)
}

func (s *scanner) hyphenNumWordFirst(i int) found {
	switch c := s.at(i); {
	case isLetter(c):
		return s.hyphenNumWord(i + 1)
	case isDigit(c):
		return s.hyphenDigits(i + 1)
	}
	return found{}
}

func (s *scanner) hyphenNumWord(i int) found {
	for isAlnum(s.at(i)) || isJoined(s.at(i)) {
		i++
	}
	if s.at(i) == '-' {
		if f := s.hyphenNumWordFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	return s.whole(NumHyphenWord, i)
}

// hyphenDigits goes on with digits behind a hyphen, which belong to the word if a letter follows.
func (s *scanner) hyphenDigits(i int) found {
	for isDigit(s.at(i)) {
		i++
	}
	if c := s.at(i); isLetter(c) || isJoined(c) {
		return s.hyphenNumWord(i + 1)
	}
	return found{}
}

// hyphenPart is the next part of a word with hyphens, or a hyphen in it.
func (s *scanner) hyphenPart(i int) found {
	c := s.at(i)
	next := s.at(i + 1)
	switch {
	case isASCIILetter(c):
		return s.partTo(HyphenASCIIPart, i+1)
	case isLetter(c):
		return s.partTo(HyphenPart, i+1)
	case isDigit(c):
		end := i + 1
		for isDigit(s.at(end)) {
			end++
		}
		if isLetter(s.at(end)) || isJoined(s.at(end)) {
			return s.partTo(HyphenNumPart, end+1)
		}
	case c == '-' && (isAlnum(next) || isJoined(next)):
		return found{kind: Blank, end: i + 1, next: i + 1, mode: hyphenParts}
	}
	return s.anything(i)
}

// partTo goes on with a part of a word with hyphens, whose kind its further characters may widen.
func (s *scanner) partTo(kind Kind, i int) found {
	for ; ; i++ {
		switch c := s.at(i); {
		case isASCIILetter(c):
		case isLetter(c) || isJoined(c):
			if kind == HyphenASCIIPart {
				kind = HyphenPart
			}
		case isDigit(c) || kind == HyphenNumPart && isAlnum(c):
			kind = HyphenNumPart
		case c < 0:
			return tokenTo(kind, i)
		default:
			return found{kind: kind, end: i, next: i, mode: hyphenParts}
		}
	}
}
