// Package wiretest writes and prints the messages of the Postgres protocol as
// lines of text, for tests whose scripts and answers are text.
package wiretest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Raw is a message that is sent as it is.
type Raw []byte

// Frontend marks a message of a client.
func (Raw) Frontend() {}

// Decode does nothing: nobody receives it.
func (Raw) Decode([]byte) error { return nil }

// Encode appends the bytes.
func (r Raw) Encode(dst []byte) ([]byte, error) { return append(dst, r...), nil }

// Message reads a line: a client's message's name, then its fields as name=value or
// name=(value with spaces), lists separated by commas.
func Message(t *testing.T, d *datadriven.TestData, line string) pgproto3.FrontendMessage {
	t.Helper()
	name, args, err := datadriven.ParseLine(line)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	fields := map[string]string{}
	for _, a := range args {
		fields[a.Key] = strings.Join(a.Vals, ",")
	}
	list := func(key string) []string {
		if fields[key] == "" {
			return nil
		}
		return strings.Split(fields[key], ",")
	}
	numbers := func(key string) (out []int16) {
		for _, s := range list(key) {
			n, err := strconv.ParseInt(s, 10, 16)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			out = append(out, int16(n))
		}
		return out
	}
	switch name {
	case "Query":
		return &pgproto3.Query{String: fields["sql"]}
	case "Parse":
		m := &pgproto3.Parse{Name: fields["name"], Query: fields["sql"]}
		for _, n := range numbers("types") {
			m.ParameterOIDs = append(m.ParameterOIDs, uint32(n))
		}
		return m
	case "Bind":
		m := &pgproto3.Bind{PreparedStatement: fields["statement"], DestinationPortal: fields["portal"], ParameterFormatCodes: numbers("formats"), ResultFormatCodes: numbers("results")}
		for _, p := range list("values") {
			switch {
			case p == "NULL":
				m.Parameters = append(m.Parameters, nil)
			case strings.HasPrefix(p, "0x"):
				b, err := hex.DecodeString(p[2:])
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				m.Parameters = append(m.Parameters, b)
			default:
				m.Parameters = append(m.Parameters, []byte(p))
			}
		}
		return m
	case "Describe":
		if s, ok := fields["statement"]; ok {
			return &pgproto3.Describe{ObjectType: 'S', Name: s}
		}
		return &pgproto3.Describe{ObjectType: 'P', Name: fields["portal"]}
	case "Execute":
		n, _ := strconv.Atoi(fields["rows"])
		return &pgproto3.Execute{Portal: fields["portal"], MaxRows: uint32(n)}
	case "Close":
		if s, ok := fields["statement"]; ok {
			return &pgproto3.Close{ObjectType: 'S', Name: s}
		}
		return &pgproto3.Close{ObjectType: 'P', Name: fields["portal"]}
	case "Sync":
		return &pgproto3.Sync{}
	case "Flush":
		return &pgproto3.Flush{}
	case "Terminate":
		return &pgproto3.Terminate{}
	case "FunctionCall":
		return &pgproto3.FunctionCall{Function: 1}
	case "CopyData":
		return &pgproto3.CopyData{Data: []byte("left over")}
	case "CopyDone":
		return &pgproto3.CopyDone{}
	case "CopyFail":
		return &pgproto3.CopyFail{}
	case "Password":
		return &pgproto3.PasswordMessage{Password: "unasked"}
	case "Raw":
		b, err := hex.DecodeString(fields["bytes"])
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return Raw(b)
	}
	d.Fatalf(t, "unknown message %s", name)
	return nil
}

// Show prints a message of the server on a line.
func Show(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.RowDescription:
		out := "RowDescription"
		for _, f := range m.Fields {
			out += fmt.Sprintf(" %s:%d/%d/%d", f.Name, f.DataTypeOID, f.DataTypeSize, f.TypeModifier)
			if f.Format == pgproto3.BinaryFormat {
				out += "/binary"
			}
			if f.TableOID != 0 {
				out += fmt.Sprintf(" of %d.%d", f.TableOID, f.TableAttributeNumber)
			}
		}
		return out
	case *pgproto3.DataRow:
		out := "DataRow"
		for _, v := range m.Values {
			if v == nil {
				out += " NULL"
			} else {
				out += fmt.Sprintf(" %q", v)
			}
		}
		return out
	case *pgproto3.FunctionCallResponse:
		if m.Result == nil {
			return "FunctionCallResponse NULL"
		}
		return fmt.Sprintf("FunctionCallResponse %q", m.Result)
	case *pgproto3.ErrorResponse:
		out := fmt.Sprintf("ErrorResponse %s %s %s", m.Severity, m.Code, m.Message)
		if m.Position != 0 {
			out += fmt.Sprintf(" at %d", m.Position)
		}
		for _, more := range []struct{ name, text string }{{"detail", m.Detail}, {"hint", m.Hint}, {"routine", m.Routine}} {
			if more.text != "" {
				out += fmt.Sprintf(" (%s: %s)", more.name, more.text)
			}
		}
		return out
	case *pgproto3.NoticeResponse:
		return strings.Replace(Show((*pgproto3.ErrorResponse)(m)), "ErrorResponse", "NoticeResponse", 1)
	case *pgproto3.CommandComplete:
		return fmt.Sprintf("CommandComplete %s", m.CommandTag)
	case *pgproto3.ReadyForQuery:
		return fmt.Sprintf("ReadyForQuery %c", m.TxStatus)
	case *pgproto3.ParameterStatus:
		return fmt.Sprintf("ParameterStatus %s=%s", m.Name, m.Value)
	case *pgproto3.ParameterDescription:
		return fmt.Sprintf("ParameterDescription %v", m.ParameterOIDs)
	case *pgproto3.NotificationResponse:
		return fmt.Sprintf("NotificationResponse %s %q", m.Channel, m.Payload)
	case *pgproto3.CopyOutResponse:
		return fmt.Sprintf("CopyOutResponse %d %v", m.OverallFormat, m.ColumnFormatCodes)
	case *pgproto3.CopyData:
		return fmt.Sprintf("CopyData %q", m.Data)
	case *pgproto3.BackendKeyData:
		return fmt.Sprintf("BackendKeyData of %d bytes", len(m.SecretKey))
	case *pgproto3.AuthenticationSASL:
		return fmt.Sprintf("AuthenticationSASL %v", m.AuthMechanisms)
	case *pgproto3.NegotiateProtocolVersion:
		return fmt.Sprintf("NegotiateProtocolVersion 0x%x %v", m.NewestMinorProtocol, m.UnrecognizedOptions)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}
