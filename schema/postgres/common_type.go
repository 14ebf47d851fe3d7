package postgres

import "github.com/jackc/pgerrcode"

// SelectCommonType picks the type that the alternatives of UNION, CASE, VALUES, COALESCE, GREATEST, LEAST or ARRAY come
// to, and checks that all can become it. The context names the construct in messages, in capitals as PostgreSQL does
// ("UNION", "CASE"); CASE lists its ELSE first. The error's Arg is the alternative that does not fit.
func SelectCommonType(types []OID, context string) (OID, error) {
	common, err := selectCommonType(types, context)
	if err != nil {
		return 0, err
	}
	for i, t := range types {
		if !CanCoerce(t, common, Implicit) {
			if context == "CASE" {
				context = "CASE/WHEN"
				if i == 0 {
					context = "CASE/ELSE"
				}
			}
			err := errorf(pgerrcode.CannotCoerce, "%s could not convert type %s to %s", context, t, common)
			err.Arg = i
			return 0, err
		}
	}
	return common, nil
}

func selectCommonType(types []OID, context string) (OID, error) {
	if allSame(types) && types[0] != UnknownOID {
		// Only here can the answer be a domain.
		return types[0], nil
	}
	common := BaseOf(types[0])
	category, preferred := CategoryOf(common)
	for i, t := range types[1:] {
		t = BaseOf(t)
		if t == UnknownOID || t == common {
			continue
		}
		c, p := CategoryOf(t)
		switch {
		case common == UnknownOID:
		case c != category:
			err := errorf(pgerrcode.DatatypeMismatch, "%s types %s and %s cannot be matched", context, common, t)
			err.Arg = i + 1
			return 0, err
		case !preferred && CanCoerce(common, t, Implicit) && !CanCoerce(t, common, Implicit):
		default:
			continue
		}
		common, category, preferred = t, c, p
	}
	if common == UnknownOID {
		return TextOID, nil
	}
	return common, nil
}

func allSame(types []OID) bool {
	for _, t := range types[1:] {
		if t != types[0] {
			return false
		}
	}
	return true
}
