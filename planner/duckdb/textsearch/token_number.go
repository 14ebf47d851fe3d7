package textsearch

func (s *scanner) skipDigits(i int) int {
	for isDigit(s.at(i)) {
		i++
	}
	return i
}

// unsigned goes on with a number without a sign, which may be the beginning of something else.
func (s *scanner) unsigned(i int) found {
	i = s.skipDigits(i)
	c := s.at(i)
	var f found
	switch c {
	case '.':
		f = first(i+1, s.hostFirstDomain, s.unsignedFraction)
	case 'e', 'E':
		f = s.exponent(i + 1)
	case '-', '_':
		f = s.hostFirst(i + 1)
	case '/':
		f = s.fileFirst(i + 1)
	}
	if f.kind == 0 && isASCIILetter(c) {
		f = s.host(i + 1)
	}
	if f.kind == 0 && (isLetter(c) || isJoined(c)) {
		f = s.numWord(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(UnsignedInt, i)
}

// signed is a number behind a sign.
func (s *scanner) signed(i int) found {
	if !isDigit(s.at(i)) {
		return found{}
	}
	i = s.skipDigits(i)
	var f found
	switch s.at(i) {
	case '.':
		f = s.signedFraction(i + 1)
	case 'e', 'E':
		f = s.exponent(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(Int, i)
}

// unsignedFraction is what follows the point of a number without a sign; with another point it is a version number.
func (s *scanner) unsignedFraction(i int) found {
	return s.fraction(i, s.version)
}

// signedFraction is what follows the point of a number with a sign; with another point the sign is none.
func (s *scanner) signedFraction(i int) found {
	return s.fraction(i, func(i int) found {
		if !isDigit(s.at(i)) {
			return found{}
		}
		return found{kind: Blank, end: s.start + 1, next: s.start + 1, mode: digits}
	})
}

func (s *scanner) fraction(i int, behindPoint func(int) found) found {
	if !isDigit(s.at(i)) {
		return found{}
	}
	i = s.skipDigits(i)
	var f found
	switch s.at(i) {
	case '.':
		f = behindPoint(i + 1)
	case 'e', 'E':
		f = s.exponent(i + 1)
	}
	if f.kind != 0 {
		return f
	}
	return tokenTo(Float, i)
}

// version is what follows the second point of a number, or a further one.
func (s *scanner) version(i int) found {
	for isDigit(s.at(i)) {
		if i = s.skipDigits(i); s.at(i) != '.' || !isDigit(s.at(i+1)) {
			return tokenTo(Version, i)
		}
		i++
	}
	return found{}
}

// exponent is what follows the e of a number.
func (s *scanner) exponent(i int) found {
	if c := s.at(i); c == '+' || c == '-' {
		i++
	}
	if !isDigit(s.at(i)) {
		return found{}
	}
	return tokenTo(ScientificFloat, s.skipDigits(i))
}
