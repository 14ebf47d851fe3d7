package planner

import "github.com/fieldgate/fieldgate/schema/postgres"

func boolType() Type { return plainType(postgres.BoolOID) }

// Type is the literal's type.
func (e *Const) Type() Type { return e.T }

// Type is the parameter's type.
func (e *ParamRef) Type() Type { return e.T }

// Type is the column's type.
func (e *Column) Type() Type { return e.T }

// Type is the output's type.
func (e *Output) Type() Type { return e.T }

// Type is the type that the conversion sees.
func (e *SentValue) Type() Type { return e.T }

// Type is the function's result type.
func (e *Func) Type() Type { return e.T }

// Type is the function's result type.
func (e *CatalogCall) Type() Type { return e.T }

// Type is the operator's result type.
func (e *Op) Type() Type { return e.T }

// Type is what is cast to.
func (e *Cast) Type() Type { return e.T }

// Type is boolean.
func (*Logic) Type() Type { return boolType() }

// Type is boolean.
func (*IsNull) Type() Type { return boolType() }

// Type is boolean.
func (*IsBool) Type() Type { return boolType() }

// Type is boolean.
func (*IsDistinct) Type() Type { return boolType() }

// Type is the results' common type.
func (e *Case) Type() Type { return e.T }

// Type is the arguments' common type.
func (e *Coalesce) Type() Type { return e.T }

// Type is the left side's type.
func (e *NullIf) Type() Type { return e.T }

// Type is the arguments' common type.
func (e *MinMax) Type() Type { return e.T }

// Type is boolean.
func (*In) Type() Type { return boolType() }

// Type is boolean.
func (*Quantified) Type() Type { return boolType() }

// Type is the array type.
func (e *Array) Type() Type { return e.T }

// Type is the element's type, or the array's for a slice.
func (e *Subscript) Type() Type { return e.T }

// Type is record.
func (*Row) Type() Type { return plainType(postgres.RecordOID) }

// Type is the field's type.
func (e *RecordField) Type() Type { return e.T }

// Type is the type that the member is read as.
func (e *JSONField) Type() Type { return e.T }

// Type is boolean.
func (*RowCompare) Type() Type { return boolType() }

// Type is the type of the query's column, or boolean.
func (e *Subquery) Type() Type { return e.T }

// Type is the aggregate's result type.
func (e *Aggregate) Type() Type { return e.T }

// Type is the function's result type.
func (e *WindowCall) Type() Type { return e.T }

// Type is integer.
func (*Grouping) Type() Type { return plainType(postgres.Int4OID) }
