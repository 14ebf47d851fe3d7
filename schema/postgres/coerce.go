package postgres

// PathwayMethod is how a value of one type becomes one of another.
type PathwayMethod byte

// The ways a value is converted.
const (
	Relabel      PathwayMethod = iota + 1 // the bytes stay as they are
	CallFunction                          // by the function of the pg_cast row
	CoerceArray                           // element by element
	CoerceViaIO                           // out by one type's output function, in by the other's input function
)

// Pathway is a conversion PostgreSQL knows between two types.
type Pathway struct {
	Method PathwayMethod
	Func   OID // for CallFunction
}

// FindPathway finds how PostgreSQL converts source to target in a context; domains stand for their base types.
// A literal of unknown type has no pathway: it is read by the target's input function.
func FindPathway(source, target OID, context CoercionContext) (Pathway, bool) {
	source, target = BaseOf(source), BaseOf(target)
	if source == target {
		return Pathway{Method: Relabel}, true
	}
	if c, ok := CastBetween(source, target); ok {
		if context < c.Context {
			return Pathway{}, false
		}
		switch c.Method {
		case CastByFunction:
			return Pathway{Method: CallFunction, Func: c.Func}, true
		case CastByIO:
			return Pathway{Method: CoerceViaIO}, true
		}
		return Pathway{Method: Relabel}, true
	}
	// The two vector types are arrays that allow one dimension only, so nothing is converted to them element by element.
	if target != OIDVectorOID && target != Int2VectorOID {
		sourceElem, targetElem := ElemOf(source), ElemOf(target)
		if sourceElem != 0 && targetElem != 0 {
			if _, ok := FindPathway(sourceElem, targetElem, context); ok {
				return Pathway{Method: CoerceArray}, true
			}
		}
	}
	sourceCategory, _ := CategoryOf(source)
	targetCategory, _ := CategoryOf(target)
	if context >= Assignment && targetCategory == StringCategory || context >= Explicit && sourceCategory == StringCategory {
		return Pathway{Method: CoerceViaIO}, true
	}
	return Pathway{}, false
}

// CanCoerce says whether a value of one type can become one of another in a context. A literal of unknown type can
// become anything as far as this is concerned; whether its text can is known when it is read.
func CanCoerce(source, target OID, context CoercionContext) bool {
	return canCoerceAll([]OID{source}, []OID{target}, context)
}

// canCoerceAll says whether all inputs can become the targets together: polymorphic targets must agree with each other.
func canCoerceAll(inputs, targets []OID, context CoercionContext) bool {
	polymorphic := false
	for i, input := range inputs {
		target := targets[i]
		switch {
		case input == target, target == AnyOID:
		case isPolymorphic(target):
			polymorphic = true
		case input == UnknownOID:
		case canCoerceOne(input, target, context):
		default:
			return false
		}
	}
	return !polymorphic || polymorphicArgsAgree(inputs, targets)
}

func canCoerceOne(input, target OID, context CoercionContext) bool {
	if _, ok := FindPathway(input, target, context); ok {
		return true
	}
	switch {
	case input == RecordOID:
		return isComposite(target)
	case target == RecordOID:
		return isComposite(input)
	case target == RecordArrayOID:
		return isComposite(ElemOf(input))
	}
	return false
}

// BinaryCoercible says whether a value of source can be taken for one of target as it stands.
func BinaryCoercible(source, target OID) bool {
	if source == target {
		return true
	}
	switch target {
	case AnyOID, AnyElementOID, AnyCompatibleOID:
		return true
	}
	source = BaseOf(source)
	if source == target {
		return true
	}
	switch target {
	case AnyArrayOID, AnyCompatibleArrayOID:
		return ElemOf(source) != 0
	case AnyNonArrayOID, AnyCompatibleNonArrayOID:
		return ElemOf(source) == 0
	case AnyEnumOID:
		return kindOf(source) == EnumType
	case AnyRangeOID, AnyCompatibleRangeOID:
		return kindOf(source) == RangeType
	case AnyMultirangeOID, AnyCompatibleMultirangeOID:
		return kindOf(source) == MultirangeType
	case RecordOID:
		return isComposite(source)
	case RecordArrayOID:
		return isComposite(ElemOf(source))
	}
	c, ok := CastBetween(source, target)
	return ok && c.Method == CastBinary && c.Context == Implicit
}

func kindOf(oid OID) TypeKind {
	if t, ok := TypeByOID(oid); ok {
		return t.Kind
	}
	return 0
}

func isComposite(oid OID) bool { return kindOf(BaseOf(oid)) == CompositeType }
