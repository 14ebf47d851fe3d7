package textsearch

import "strings"

// entity is what follows an ampersand: a name or a number, and a semicolon.
func (s *scanner) entity(i int) found {
	inside := func(c rune) bool { return isAlnum(c) || strings.ContainsRune(":_.-", c) && c > 0 }
	switch c := s.at(i); {
	case c == '#' && (s.at(i+1) == 'x' || s.at(i+1) == 'X'):
		if i += 2; !isHexDigit(s.at(i)) {
			return found{}
		}
		inside = isHexDigit
	case c == '#':
		if i++; !isDigit(s.at(i)) {
			return found{}
		}
		inside = isDigit
	case !isASCIILetter(c) && c != ':' && c != '_':
		return found{}
	}
	for inside(s.at(i)) {
		i++
	}
	if s.at(i) != ';' {
		return found{}
	}
	return tokenTo(Entity, i+1)
}

// tagFirst is what follows a less-than sign.
func (s *scanner) tagFirst(i int) found {
	switch c := s.at(i); {
	case c == '/':
		if isASCIILetter(s.at(i + 1)) {
			return s.tagName(i + 2)
		}
	case c == '!':
		return s.comment(i + 1)
	case c == '?':
		if s.at(i+1) == 'x' {
			return s.tag(i + 2)
		}
	case isASCIILetter(c), c == ':', c == '_':
		return s.tagName(i + 1)
	}
	return found{}
}

func (s *scanner) tagName(i int) found {
	for ; ; i++ {
		switch c := s.at(i); {
		case c == '/':
			if s.at(i+1) != '>' {
				return found{}
			}
			return tokenTo(Tag, i+2)
		case c == '>':
			s.noteScript(i)
			return tokenTo(Tag, i+1)
		case isSpace(c):
			s.noteScript(i)
			return s.tag(i + 1)
		case isAlnum(c), c == ':', c == '_', c == '.', c == '-':
		default:
			return found{}
		}
	}
}

// tag goes on with the attributes of a tag.
func (s *scanner) tag(i int) found {
	for ; ; i++ {
		switch c := s.at(i); {
		case c == '>':
			s.noteScript(i)
			return tokenTo(Tag, i+1)
		case c == '\'', c == '"':
			for i++; s.at(i) != c; i++ {
				if s.at(i) == '\\' {
					i++
				}
				if s.at(i) < 0 {
					return found{}
				}
			}
		case isSpace(c):
			s.noteScript(i)
		case isASCIILetter(c), isDigit(c), c > 0 && strings.ContainsRune("=-_#/:.&?%~", c):
		default:
			return found{}
		}
	}
}

// noteScript sees that a script or style element begins or ends with a tag, whose text so far ends at an index.
func (s *scanner) noteScript(end int) {
	switch strings.ToLower(string(s.text[s.start:min(end, s.start+9)])) {
	case "</script", "</style":
		s.script = false
	case "<script", "<style":
		s.script = true
	}
}

// comment is what follows <!, a comment or a document type.
func (s *scanner) comment(i int) found {
	switch s.at(i) {
	case 'D', 'd':
		return s.tag(i + 1)
	case '-':
		if s.at(i+1) != '-' {
			return found{}
		}
	default:
		return found{}
	}
	dashes := 0
	for i += 2; ; i++ {
		switch c := s.at(i); {
		case c < 0:
			return found{}
		case c == '-':
			dashes++
		case c == '>' && dashes >= 2:
			return tokenTo(Tag, i+1)
		default:
			dashes = 0
		}
	}
}
