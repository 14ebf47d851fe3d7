package textsearch

// hostFirstDomain is what follows a point in a host.
func (s *scanner) hostFirstDomain(i int) found {
	switch c := s.at(i); {
	case isASCIILetter(c):
		return s.hostSecond(i + 1)
	case isDigit(c):
		return s.host(i + 1)
	}
	return found{}
}

// hostJoin goes on where a label of a host ends and may go on.
func (s *scanner) hostJoin(i int) found {
	switch s.at(i) {
	case '-', '_':
		return s.hostFirst(i + 1)
	case '.':
		return s.hostFirstDomain(i + 1)
	case '@':
		return s.email(i + 1)
	}
	return found{}
}

// hostSecond goes on behind the first letter of a label, which a top domain has two of.
func (s *scanner) hostSecond(i int) found {
	switch c := s.at(i); {
	case isASCIILetter(c):
		return s.hostDomain(i + 1)
	case isDigit(c):
		return s.host(i + 1)
	}
	return s.hostJoin(i)
}

// hostDomain goes on with a label of letters, with which a host may end.
func (s *scanner) hostDomain(i int) found {
	for isASCIILetter(s.at(i)) {
		i++
	}
	c := s.at(i)
	var f found
	switch {
	case c < 0:
		return tokenTo(Host, i)
	case isDigit(c):
		return s.host(i + 1)
	case c == ':':
		f = s.port(i + 1)
	default:
		f = s.hostJoin(i)
	}
	if f.kind != 0 {
		return f
	}
	return s.hostEnd(i)
}

// port is what follows the colon behind a host.
func (s *scanner) port(i int) found {
	if !isDigit(s.at(i)) {
		return found{}
	}
	i = s.skipDigits(i)
	if s.at(i) < 0 {
		return tokenTo(Host, i)
	}
	return s.hostEnd(i)
}

// hostEnd is a host that ends at an index, or the URL that it begins.
func (s *scanner) hostEnd(i int) found {
	if s.wantHost {
		s.wantHost = false
		return found{kind: Host, end: i, next: i, mode: urlPathStart}
	}
	if s.at(i) == '/' {
		if f := s.url(i + 1); f.kind != 0 {
			return f
		}
	}
	return tokenTo(Host, i)
}

// hostFirst is what follows a hyphen in a host.
func (s *scanner) hostFirst(i int) found {
	if c := s.at(i); isDigit(c) || isASCIILetter(c) {
		return s.host(i + 1)
	}
	return found{}
}

// host goes on with a label of letters and digits, with which no host ends.
func (s *scanner) host(i int) found {
	for isDigit(s.at(i)) || isASCIILetter(s.at(i)) {
		i++
	}
	return s.hostJoin(i)
}

// email is what follows an at sign: a host.
func (s *scanner) email(i int) found {
	if s.wantHost {
		s.wantHost = false
		return found{}
	}
	inner := &scanner{text: s.text, start: i, script: false, wantHost: true}
	if kind, _, end := inner.token(); kind == Host {
		return tokenTo(Email, end)
	}
	return found{}
}

// url is what follows the slash behind a host. Its parts come next.
func (s *scanner) url(i int) found {
	if !isURLChar(s.at(i)) {
		return found{}
	}
	s.wantHost = true
	return found{kind: URL, end: s.urlPath(i + 1).end, next: s.start}
}

// protocol is what follows a colon behind a word.
func (s *scanner) protocol(i int) found {
	if s.at(i) == '/' && s.at(i+1) == '/' {
		return tokenTo(Protocol, i+2)
	}
	return found{}
}
