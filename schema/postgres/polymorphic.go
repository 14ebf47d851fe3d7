package postgres

import "github.com/jackc/pgerrcode"

// rangeSubtype is what a range type ranges over, 0 if the type is no range type.
func rangeSubtype(oid OID) OID {
	if r, ok := catalog().rangesByType[oid]; ok && r.Type == oid {
		return r.Subtype
	}
	return 0
}

// rangeOfMultirange is a multirange type's range type, 0 if the type is no multirange type.
func rangeOfMultirange(oid OID) OID {
	if r, ok := catalog().rangesByType[oid]; ok && r.Multirange == oid {
		return r.Type
	}
	return 0
}

func isPolymorphic(oid OID) bool { return isExactPolymorphic(oid) || isCompatiblePolymorphic(oid) }

// isExactPolymorphic says whether a type is of the family whose arguments must all be of one type.
func isExactPolymorphic(oid OID) bool {
	switch oid {
	case AnyElementOID, AnyArrayOID, AnyNonArrayOID, AnyEnumOID, AnyRangeOID, AnyMultirangeOID:
		return true
	}
	return false
}

// isCompatiblePolymorphic says whether a type is of the family whose arguments are brought to a common type.
func isCompatiblePolymorphic(oid OID) bool {
	switch oid {
	case AnyCompatibleOID, AnyCompatibleArrayOID, AnyCompatibleNonArrayOID, AnyCompatibleRangeOID, AnyCompatibleMultirangeOID:
		return true
	}
	return false
}

// A polymorphicFamily is what the arguments of one family say about the types it stands for; 0 is not known (yet).
type polymorphicFamily struct {
	elem, array, rng, multirange OID

	args, unknowns             int
	needNonArray, needEnum     bool
	hasArray, hasRange, hasMul bool
	common                     []OID // of the compatible family: what the common type is selected from
}

// polymorphicArgsAgree says whether the polymorphic ones among the targets can all be satisfied by the inputs.
func polymorphicArgsAgree(inputs, targets []OID) bool {
	exact, compatible, err := collectFamilies(inputs, targets)
	if err != nil {
		return false
	}
	// An anyarray among the inputs (a column of pg_statistic) is left for the resolution proper to complain about.
	if exact.array == AnyArrayOID {
		exact.array = 0
	}
	return exact.resolve(true) == nil && compatible.resolveCommon() == nil
}

func collectFamilies(inputs, targets []OID) (exact, compatible polymorphicFamily, err error) {
	for i, input := range inputs {
		target := targets[i]
		switch {
		case isExactPolymorphic(target):
			err = exact.addExact(input, target)
		case isCompatiblePolymorphic(target):
			err = compatible.addCompatible(input, target)
		}
		if err != nil {
			return exact, compatible, err
		}
	}
	return exact, compatible, nil
}

// agree sets a member of the family or checks it against what it was set to.
func agree(member *OID, input OID, family string) error {
	if *member != 0 && *member != input {
		return errorf(pgerrcode.DatatypeMismatch, "arguments declared %q are not all alike", family).
			withDetail("%s versus %s", *member, input)
	}
	*member = input
	return nil
}

func (f *polymorphicFamily) addExact(input, target OID) error {
	f.args++
	f.needNonArray = f.needNonArray || target == AnyNonArrayOID
	f.needEnum = f.needEnum || target == AnyEnumOID
	if input == UnknownOID {
		f.unknowns++
		return nil
	}
	switch target {
	case AnyArrayOID:
		return agree(&f.array, BaseOf(input), "anyarray")
	case AnyRangeOID:
		return agree(&f.rng, BaseOf(input), "anyrange")
	case AnyMultirangeOID:
		return agree(&f.multirange, BaseOf(input), "anymultirange")
	}
	return agree(&f.elem, input, "anyelement")
}

func (f *polymorphicFamily) addCompatible(input, target OID) error {
	f.args++
	switch target {
	case AnyCompatibleArrayOID:
		f.hasArray = true
	case AnyCompatibleNonArrayOID:
		f.needNonArray = true
	case AnyCompatibleRangeOID:
		f.hasRange = true
	case AnyCompatibleMultirangeOID:
		f.hasMul = true
	}
	if input == UnknownOID {
		f.unknowns++
		return nil
	}
	switch target {
	case AnyCompatibleArrayOID:
		elem := ElemOf(BaseOf(input))
		if elem == 0 {
			return errorf(pgerrcode.DatatypeMismatch, "argument declared %s is not an array but type %s", "anycompatiblearray", input)
		}
		f.common = append(f.common, elem)
	case AnyCompatibleRangeOID:
		first := f.rng == 0
		if err := agree(&f.rng, BaseOf(input), "anycompatiblerange"); err != nil {
			return err
		}
		if rangeSubtype(f.rng) == 0 {
			return errorf(pgerrcode.DatatypeMismatch, "argument declared %s is not a range type but type %s", "anycompatiblerange", input)
		}
		if first {
			f.common = append(f.common, rangeSubtype(f.rng))
		}
	case AnyCompatibleMultirangeOID:
		if err := agree(&f.multirange, BaseOf(input), "anycompatiblemultirange"); err != nil {
			return err
		}
		if rangeOfMultirange(f.multirange) == 0 {
			return errorf(pgerrcode.DatatypeMismatch, "argument declared %s is not a multirange type but type %s", "anycompatiblemultirange", input)
		}
	default:
		f.common = append(f.common, input)
	}
	return nil
}

// resolve completes the exact family from what its arguments said, or tells how they contradict each other.
func (f *polymorphicFamily) resolve(tentative bool) error {
	if f.args == 0 {
		return nil
	}
	if f.array != 0 {
		elem := AnyElementOID
		if f.array != AnyArrayOID {
			elem = ElemOf(f.array)
		}
		if err := f.derive(&f.elem, elem, f.array, "anyarray", "an array", "anyelement"); err != nil {
			return err
		}
	}
	if f.multirange != 0 {
		if err := f.derive(&f.rng, rangeOfMultirange(f.multirange), f.multirange, "anymultirange", "a multirange type", "anyrange"); err != nil {
			return err
		}
	}
	if f.rng != 0 {
		if err := f.derive(&f.elem, rangeSubtype(f.rng), f.rng, "anyrange", "a range type", "anyelement"); err != nil {
			return err
		}
	}
	if f.elem == 0 {
		if tentative && !f.needEnum {
			return nil
		}
		return errorf(pgerrcode.DatatypeMismatch, "could not determine polymorphic type because input has type %s", UnknownOID)
	}
	if f.needNonArray && f.elem != AnyElementOID && ElemOf(BaseOf(f.elem)) != 0 {
		return errorf(pgerrcode.DatatypeMismatch, "type matched to anynonarray is an array type: %s", f.elem)
	}
	if f.needEnum && f.elem != AnyElementOID && kindOf(f.elem) != EnumType {
		return errorf(pgerrcode.DatatypeMismatch, "type matched to anyenum is not an enum type: %s", f.elem)
	}
	return nil
}

// derive sets a member of the family from the type that contains it, or checks it against that.
func (f *polymorphicFamily) derive(member *OID, contained, container OID, name, noun, memberName string) error {
	if contained == 0 {
		return errorf(pgerrcode.DatatypeMismatch, "argument declared %s is not %s but type %s", name, noun, container)
	}
	if *member != 0 && *member != contained {
		return errorf(pgerrcode.DatatypeMismatch, "argument declared %s is not consistent with argument declared %s", name, memberName).
			withDetail("%s versus %s", container, *member)
	}
	*member = contained
	return nil
}

// resolveCommon completes the compatible family: its common type, and the array over it.
func (f *polymorphicFamily) resolveCommon() error {
	if f.args == 0 {
		return nil
	}
	if f.multirange != 0 {
		rng := rangeOfMultirange(f.multirange)
		if f.rng == 0 {
			f.common = append(f.common, rangeSubtype(rng))
		}
		if err := f.derive(&f.rng, rng, f.multirange, "anycompatiblemultirange", "a multirange type", "anycompatiblerange"); err != nil {
			return err
		}
	}
	if len(f.common) == 0 {
		// Unknown literals alone are text, as everywhere; but text has no range type.
		f.elem, f.array = TextOID, TextArrayOID
		if f.hasRange || f.hasMul {
			name := "anycompatiblerange"
			if f.hasMul {
				name = "anycompatiblemultirange"
			}
			return errorf(pgerrcode.DatatypeMismatch, "could not determine polymorphic type %s because input has type %s", name, UnknownOID)
		}
		return nil
	}
	common, err := SelectCommonType(f.common, "argument")
	if err != nil {
		return err
	}
	f.elem = common
	if f.hasArray {
		if f.array = ArrayOf(common); f.array == 0 {
			return errorf(pgerrcode.UndefinedObject, "could not find array type for data type %s", common)
		}
	}
	if f.rng != 0 && rangeSubtype(f.rng) != common {
		return errorf(pgerrcode.DatatypeMismatch, "%s type %s does not match %s type %s", "anycompatiblerange", f.rng, "anycompatible", common)
	}
	if f.needNonArray && ElemOf(BaseOf(common)) != 0 {
		return errorf(pgerrcode.DatatypeMismatch, "type matched to anycompatiblenonarray is an array type: %s", common)
	}
	return nil
}

// typeOf is the type the family gives to one of its pseudo-types.
func (f *polymorphicFamily) typeOf(declared OID) (OID, error) {
	var got OID
	switch declared {
	case AnyArrayOID, AnyCompatibleArrayOID:
		if f.array == 0 {
			f.array = ArrayOf(f.elem)
		}
		if f.array == 0 {
			return 0, errorf(pgerrcode.UndefinedObject, "could not find array type for data type %s", f.elem)
		}
		return f.array, nil
	case AnyRangeOID, AnyCompatibleRangeOID:
		got = f.rng
	case AnyMultirangeOID, AnyCompatibleMultirangeOID:
		if f.multirange == 0 && f.rng != 0 {
			f.multirange = catalog().rangesByType[f.rng].Multirange
		}
		got = f.multirange
	default:
		return f.elem, nil
	}
	if got == 0 {
		return 0, errorf(pgerrcode.DatatypeMismatch, "could not determine polymorphic type %s because input has type %s", typeName(declared), UnknownOID)
	}
	return got, nil
}

func typeName(oid OID) string {
	if t, ok := TypeByOID(oid); ok {
		return t.Name
	}
	return oid.String()
}

// resolvePolymorphic replaces the polymorphic ones among declared by what the actual types make of them, and returns the
// result type likewise.
func resolvePolymorphic(actual, declared []OID, result OID) (resolved []OID, ret OID, err error) {
	exact, compatible, err := collectFamilies(actual, declared)
	if err != nil {
		return nil, 0, err
	}
	if exact.args == 0 && compatible.args == 0 {
		return declared, result, nil
	}
	if exact.array == AnyArrayOID && (exact.args != 1 || isExactPolymorphic(result) && result != AnyArrayOID) {
		return nil, 0, errorf(pgerrcode.DatatypeMismatch, "cannot determine element type of %q argument", "anyarray")
	}
	if err := exact.resolve(false); err != nil {
		return nil, 0, err
	}
	if err := compatible.resolveCommon(); err != nil {
		return nil, 0, err
	}
	typeOf := func(declared OID) (OID, error) {
		switch {
		case isExactPolymorphic(declared):
			return exact.typeOf(declared)
		case isCompatiblePolymorphic(declared):
			return compatible.typeOf(declared)
		}
		return declared, nil
	}
	resolved = make([]OID, len(declared))
	for i, d := range declared {
		if resolved[i], err = typeOf(d); err != nil {
			return nil, 0, err
		}
	}
	ret, err = typeOf(result)
	return resolved, ret, err
}
