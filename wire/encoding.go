package wire

import (
	"errors"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema/postgres"
)

// encoding is what the client's texts are in (client_encoding); nil where they are
// UTF-8, or taken and sent as they are.
func (c *conn) encoding() *postgres.Encoding {
	if c.session == nil {
		return nil
	}
	name := c.session.Setting("client_encoding")
	if c.spoken == nil || c.spoken.Name != name {
		known, ok := postgres.EncodingNamed(name)
		if !ok {
			return nil
		}
		c.spoken = known
	}
	if c.spoken.Keeps() {
		return nil
	}
	return c.spoken
}

// received is a text from the client as UTF-8; it is in the encoding, if that is not nil.
func received(text []byte, in *postgres.Encoding) ([]byte, error) {
	if in == nil {
		return text, checkText(text)
	}
	out, err := in.AppendUTF8(make([]byte, 0, len(text)), text)
	return out, clientError(err)
}

// receiveTexts makes UTF-8 of a message's texts but the parameters of Bind, whose types it
// does not know.
func (c *conn) receiveTexts(m pgproto3.FrontendMessage) error {
	var texts []*string
	switch m := m.(type) {
	case *pgproto3.Query:
		texts = []*string{&m.String}
	case *pgproto3.Parse:
		texts = []*string{&m.Name, &m.Query}
	case *pgproto3.Bind:
		texts = []*string{&m.DestinationPortal, &m.PreparedStatement}
	case *pgproto3.Describe:
		texts = []*string{&m.Name}
	case *pgproto3.Execute:
		texts = []*string{&m.Portal}
	case *pgproto3.Close:
		texts = []*string{&m.Name}
	}
	in := c.encoding()
	for _, text := range texts {
		if *text == "" {
			continue
		}
		utf8, err := received([]byte(*text), in)
		if err != nil {
			return err
		}
		if in != nil {
			*text = string(utf8)
		}
	}
	return nil
}

// receivedParam is a parameter from the client, who speaks the encoding, with its texts as
// UTF-8.
func receivedParam(value []byte, t postgres.OID, binary bool, in *postgres.Encoding) ([]byte, error) {
	switch {
	case !binary:
		return received(value, in)
	case in == nil || !hasText(elementOf(t)):
		return value, nil
	case elementOf(t) == t:
		return received(value, in) // of jsonb, the version before it is a character of ASCII
	case postgres.IsASCII(value):
		return value, nil
	}
	return nil, errorf(pgerrcode.FeatureNotSupported, "an array of texts as binary is not supported with the client encoding %s", in.Name)
}

// hasText says that the binary form of a type is text in the client's encoding.
func hasText(oid postgres.OID) bool {
	switch postgres.BaseOf(oid) {
	case postgres.TextOID, postgres.VarcharOID, postgres.BPCharOID, postgres.NameOID, postgres.UnknownOID, postgres.CStringOID,
		postgres.JSONOID, postgres.JSONBOID, postgres.JSONPathOID:
		return true
	}
	return false
}

// recoder sends texts in the client's encoding; nil sends them as they are.
type recoder struct {
	to *postgres.Encoding
	// err is the first that occurred; what was appended meanwhile is not to be sent.
	err error
}

// recode readies texts for the client, or for an encoding that it asked for.
func (c *conn) recode(asked *postgres.Encoding) *recoder {
	to := c.encoding()
	if asked != nil {
		to = asked
	}
	if to == nil || to.Keeps() {
		return nil
	}
	return &recoder{to: to}
}

// fault is why something could not be had in the encoding.
func (r *recoder) fault() error {
	if r == nil {
		return nil
	}
	return r.err
}

func (r *recoder) note(err error) {
	if r.err == nil {
		r.err = clientError(err)
	}
}

// text is a text in the encoding.
func (r *recoder) text(s string) string {
	if r == nil || postgres.IsASCII(s) {
		return s
	}
	out, err := r.to.Append(nil, []byte(s))
	r.note(err)
	return string(out)
}

// values has what a function appends in the encoding.
func (r *recoder) values(f planner.AppendFunc) planner.AppendFunc {
	if r == nil {
		return f
	}
	var value []byte
	return func(dst []byte, v *planner.Vector, row int) []byte {
		value = f(value[:0], v, row)
		dst, err := r.to.Append(dst, value)
		r.note(err)
		return dst
	}
}

// parts serves types whose binary form may have texts somewhere: they are sent if
// those are in characters that all encodings share.
func (r *recoder) parts(oid postgres.OID, f planner.AppendFunc) planner.AppendFunc {
	if r == nil {
		return f
	}
	return func(dst []byte, v *planner.Vector, row int) []byte {
		if !postgres.IsASCII(v.Bytes[row]) {
			r.note(errorf(pgerrcode.FeatureNotSupported, "type %s as binary is not supported with the client encoding %s", oid, r.to.Name))
			return dst
		}
		return f(dst, v, row)
	}
}

// errorResponse is e as a message in the client's encoding. An error that cannot be
// had in that is told as one, as PostgreSQL does.
func (c *conn) errorResponse(severity string, e *planner.Error) *pgproto3.ErrorResponse {
	m := errorResponse(severity, e)
	r := c.recode(nil)
	for _, text := range []*string{&m.Message, &m.Detail, &m.Hint} {
		*text = r.text(*text)
	}
	if err := r.fault(); err != nil {
		return errorResponse(severity, asPlannerError(err))
	}
	return m
}

// clientError makes of an error of converting a text one for the client.
func clientError(err error) error {
	var e *postgres.Error
	if errors.As(err, &e) {
		return errorf(e.Code, "%s", e.Message)
	}
	return err
}
