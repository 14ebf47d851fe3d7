package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// FuzzDecode reads bytes as messages, without a connection around them, which a
// hundred times as many executions can afford. A message that is accepted is the
// same when it is encoded and read again.
func FuzzDecode(f *testing.F) {
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.Query{String: "select 1"},
		&pgproto3.Parse{Name: "s", Query: "select $1", ParameterOIDs: []uint32{20, 0}},
		&pgproto3.Bind{PreparedStatement: "s", DestinationPortal: "p", Parameters: [][]byte{[]byte("1"), nil}, ParameterFormatCodes: []int16{0, 1}, ResultFormatCodes: []int16{1}},
		&pgproto3.Bind{Parameters: [][]byte{{}}, ParameterFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Execute{Portal: "p", MaxRows: 7},
		&pgproto3.Close{ObjectType: 'P', Name: "p"},
		&pgproto3.FunctionCall{Function: 1, ArgFormatCodes: []uint16{1}, Arguments: [][]byte{nil, []byte("a")}},
		&pgproto3.Flush{}, &pgproto3.Sync{}, &pgproto3.Terminate{}, &pgproto3.CopyData{Data: []byte("x")}, &pgproto3.CopyDone{}, &pgproto3.CopyFail{Message: "no"},
	} {
		data, err := m.Encode(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(append(bytes.Clone(data), data[:len(data)-1]...))
	}
	f.Add([]byte{'B', 0, 0, 0, 12, 0, 0, 0, 0, 0xff, 0xff, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 16
		in := newInput(bytes.NewReader(data), limit)
		for {
			kind, body, err := in.next()
			if err != nil {
				return
			}
			if len(body) > limit {
				t.Fatalf("a message %q of %d bytes", kind, len(body))
			}
			m, err := decode(kind, body)
			var bad *decodeError
			switch {
			case err == nil:
				checkDecoded(t, kind, body, m)
			case !errors.As(err, &bad) && kind != 'p':
				t.Fatalf("message %q: %v", kind, err)
			}
		}
	})
}

// checkDecoded encodes a message, which says all that it was read from, and reads it again.
func checkDecoded(t *testing.T, kind byte, body []byte, m pgproto3.FrontendMessage) {
	t.Helper()
	data, err := m.Encode(nil)
	if err != nil {
		t.Fatalf("encode %+v: %v", m, err)
	}
	if !bytes.Equal(data[5:], body) && !strings.ContainsRune("XdcfF", rune(kind)) {
		t.Fatalf("%x reads as %+v, which is %x", body, m, data[5:])
	}
	again, err := decode(kind, data[5:])
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Fatalf("%+v reads as %+v, %v", m, again, err)
	}
	if b, ok := m.(*pgproto3.Bind); ok {
		checkBound(t, b)
	}
}

// checkBound binds to statements of as many parameters as were given, and of one.
func checkBound(t *testing.T, m *pgproto3.Bind) {
	t.Helper()
	for _, n := range []int{len(m.Parameters), 1} {
		params, err := (&conn{}).bindParams(m, &planner.Prepared{ParamTypes: make([]postgres.OID, n)})
		var refused *planner.Error
		if err == nil && len(params) != n || err != nil && !errors.As(err, &refused) {
			t.Fatalf("%+v: %d parameters of %d, %v", m, len(params), n, err)
		}
		formats, err := bindFormats(m.ResultFormatCodes, n)
		if err == nil && len(formats) != n || err != nil && !errors.As(err, &refused) {
			t.Fatalf("%+v: %d formats of %d, %v", m, len(formats), n, err)
		}
	}
}
