package wire

import (
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// encoders chooses how the columns of a result are sent, texts by the recoder. Formats
// has one format a column, or is nil: all text.
func (c *conn) encoders(columns []planner.ResultColumn, formats []int16, r *recoder) ([]planner.AppendFunc, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	if err := checkFormats(columns, formats); err != nil {
		return nil, err
	}
	style, err := c.style()
	if err != nil {
		return nil, err
	}
	funcs := make([]planner.AppendFunc, len(columns))
	for i, col := range columns {
		oid := sentType(col.T).OID
		if formats != nil && formats[i] == pgproto3.BinaryFormat {
			funcs[i] = binaryEncoder(oid, r)
		} else {
			funcs[i] = r.values(planner.TextOf(oid, style))
		}
	}
	return funcs, nil
}

// checkFormats refuses what is no format, and the binary one for types that are
// sent as text only.
func checkFormats(columns []planner.ResultColumn, formats []int16) error {
	for i, f := range formats {
		if f != pgproto3.TextFormat && f != pgproto3.BinaryFormat {
			return errorf(pgerrcode.InvalidParameterValue, "unsupported format code: %d", f)
		}
		oid := sentType(columns[i].T).OID
		if f == pgproto3.BinaryFormat && binaryEncoder(oid, nil) == nil {
			return errorf(pgerrcode.UndefinedFunction, "no binary output function available for type %s", elementOf(oid))
		}
	}
	return nil
}

// elementOf is the type of an array's elements, or the type itself.
func elementOf(oid postgres.OID) postgres.OID {
	if elem := postgres.ElemOf(oid); elem != 0 {
		return elem
	}
	return oid
}

// sentType is what a client is told of a type: a domain goes as what it is over.
func sentType(t planner.Type) planner.Type {
	for {
		known, ok := postgres.TypeByOID(t.OID)
		if !ok || known.Kind != postgres.DomainType {
			return t
		}
		t = planner.Type{OID: known.Base, Typmod: known.BaseTypmod}
	}
}

// isVector says that a type is one of the catalog's two arrays with a text of
// their own.
func isVector(oid postgres.OID) bool {
	return oid == postgres.Int2VectorOID || oid == postgres.OIDVectorOID
}
