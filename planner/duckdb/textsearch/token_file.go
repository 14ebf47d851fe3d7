package textsearch

func isFileChar(c rune) bool { return isASCIILetter(c) || isDigit(c) || c == '_' }

// fileFirst is what follows a slash.
func (s *scanner) fileFirst(i int) found {
	switch c := s.at(i); {
	case isFileChar(c):
		return s.file(i + 1)
	case c == '.':
		return s.pathPoint(i + 1)
	case c == '~':
		return s.fileTwiddle(i + 1)
	}
	return found{}
}

// fileTwiddle is what follows a tilde.
func (s *scanner) fileTwiddle(i int) found {
	switch c := s.at(i); {
	case isFileChar(c):
		return s.file(i + 1)
	case c == '/':
		return s.fileFirst(i + 1)
	}
	return found{}
}

// pathPoint is what follows a point at the beginning of a name in a path.
func (s *scanner) pathPoint(i int) found {
	if isFileChar(s.at(i)) {
		return s.file(i + 1)
	}
	return s.pathFirst(i)
}

// pathFirst is what follows a point with which a text, or a name in a path, begins.
func (s *scanner) pathFirst(i int) found {
	switch s.at(i) {
	case '.':
		return s.pathSecond(i + 1)
	case '/':
		return s.fileFirst(i + 1)
	}
	return found{}
}

// pathSecond is what follows two points.
func (s *scanner) pathSecond(i int) found {
	c := s.at(i)
	if c == '/' {
		if f := s.fileFirst(i + 1); f.kind != 0 {
			return f
		}
	}
	if c < 0 || c == '/' || isSpace(c) {
		return tokenTo(File, i)
	}
	return found{}
}

// file goes on with the name of a file.
func (s *scanner) file(i int) found {
	for isFileChar(s.at(i)) || s.at(i) == '-' {
		i++
	}
	var f found
	switch s.at(i) {
	case '.':
		f = s.fileNext(i + 1)
	case '/':
		f = s.fileFirst(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(File, i)
}

// fileNext is what follows a point in the name of a file.
func (s *scanner) fileNext(i int) found {
	if isFileChar(s.at(i)) {
		return s.file(i + 1)
	}
	return found{}
}

// urlPath goes on with what RFC 3986 allows in a URL.
func (s *scanner) urlPath(i int) found {
	for isURLChar(s.at(i)) {
		i++
	}
	return tokenTo(URLPath, i)
}
