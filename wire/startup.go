package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
)

// Startup packets have no kind byte; they begin with a length and a code
// (pqcomm.h of PostgreSQL).
const (
	minStartupPacket = 8
	maxStartupPacket = 10_000 // MAX_STARTUP_PACKET_LENGTH

	cancelRequestCode = 1234<<16 | 5678
	sslRequestCode    = 1234<<16 | 5679
	gssEncRequestCode = 1234<<16 | 5680
)

// The protocol versions served.
const (
	protocol30 = 3 << 16
	protocol32 = 3<<16 | 2
)

// startupRequest is what a client asks for when it connects.
type startupRequest struct {
	protocol uint32 // the agreed version
	user     string
	database string
	// settings are the options and parameters that the session takes as settings, in
	// the order in which they hold: a later one over an earlier one.
	settings []planner.Setting
	// asked is the version requested, and unknown are the protocol options
	// (_pq_.*), none of which we know.
	asked   uint32
	unknown []string
}

// negotiated says that the client must be told that it gets less than it asked.
func (r *startupRequest) negotiated() bool { return r.protocol != r.asked || len(r.unknown) > 0 }

// readStartup answers requests for encryption until the client starts a session.
// A cancel request is done here and ends the connection with errHangup. Packets
// are read to the byte: what follows a request for encryption in the clear must
// not be taken for encrypted.
func (s *Server) readStartup(ctx context.Context, t *transport) (*startupRequest, error) {
	var sslAsked, gssAsked bool
	for {
		packet, err := readStartupPacket(t)
		if err != nil {
			return nil, err
		}
		switch code := binary.BigEndian.Uint32(packet); {
		case code == cancelRequestCode:
			var m pgproto3.CancelRequest
			if err := m.Decode(packet); err == nil {
				node, elsewhere := s.backends.cancel(int32(m.ProcessID), m.SecretKey)
				if elsewhere && s.cfg.Forward != nil {
					s.cfg.Forward(ctx, node, append(binary.BigEndian.AppendUint32(nil, uint32(len(packet)+4)), packet...))
				}
			}
			return nil, errHangup
		case s.cfg.Peer != nil && code == s.cfg.PeerCode:
			s.cfg.Peer(ctx, t, packet[4:])
			return nil, errHangup
		case code == sslRequestCode && !sslAsked:
			sslAsked = true
			if err := s.answerSSL(ctx, t); err != nil {
				return nil, err
			}
		case code == gssEncRequestCode && !gssAsked:
			gssAsked = true
			if err := writeByte(t, s, 'N'); err != nil {
				return nil, err
			}
		default:
			return parseStartup(code, packet[4:])
		}
	}
}

func readStartupPacket(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < minStartupPacket || length > maxStartupPacket {
		// Whoever sends this does not speak the protocol; PostgreSQL does not
		// answer either.
		return nil, fmt.Errorf("%w: startup packet of %d bytes", errGarbage, length)
	}
	packet := make([]byte, length-4)
	_, err := io.ReadFull(r, packet)
	return packet, err
}

func writeByte(t *transport, s *Server, b byte) error {
	t.writeWithin(s.cfg.StartupTimeout)
	_, err := t.Write([]byte{b})
	return err
}

func (s *Server) answerSSL(ctx context.Context, t *transport) error {
	if s.cfg.TLS == nil {
		return writeByte(t, s, 'N')
	}
	if err := writeByte(t, s, 'S'); err != nil {
		return err
	}
	config := s.cfg.TLS()
	encrypted := tls.Server(t.raw, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: TLS handshake: %w", errGarbage, err)
	}
	t.Conn, t.certificate = encrypted, onlyCertificate(config)
	return nil
}

// parseStartup reads the startup message that follows the protocol version.
func parseStartup(version uint32, body []byte) (*startupRequest, error) {
	if version>>16 != 3 {
		return nil, fatalf(pgerrcode.FeatureNotSupported, "unsupported frontend protocol %d.%d: server supports 3.0 to 3.2",
			version>>16, version&0xffff)
	}
	parameters, err := parseParameters(body)
	if err != nil {
		return nil, err
	}
	req := &startupRequest{asked: version, protocol: protocol30}
	if version >= protocol32 {
		req.protocol = protocol32
	}
	var options string
	for _, p := range parameters {
		switch {
		case p.Name == "user":
			req.user = p.Value
		case p.Name == "database":
			req.database = p.Value
		case p.Name == "replication":
			if !slices.Contains([]string{"false", "off", "no", "0"}, p.Value) {
				return nil, fatalf(pgerrcode.FeatureNotSupported, "replication connections are not supported")
			}
		case p.Name == "options":
			options = p.Value
		case strings.HasPrefix(p.Name, "_pq_."):
			req.unknown = append(req.unknown, p.Name)
		default:
			req.settings = append(req.settings, p)
		}
	}
	if req.user == "" {
		return nil, fatalf(pgerrcode.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet")
	}
	if req.database == "" {
		req.database = req.user
	}
	given, err := parseOptions(options)
	if err != nil {
		return nil, err
	}
	req.settings = append(given, req.settings...)
	return req, nil
}

// parseParameters splits names and values, each ended by a zero byte, the list by
// another.
func parseParameters(body []byte) ([]planner.Setting, error) {
	var out []planner.Setting
	for {
		name, rest, ok := bytes.Cut(body, []byte{0})
		if !ok {
			break
		}
		if len(name) == 0 {
			if len(rest) > 0 {
				break
			}
			return out, nil
		}
		value, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			break
		}
		if string(name) == "application_name" {
			value = bytes.ToValidUTF8(value, []byte("?"))
		}
		if !validText(name) || !validText(value) {
			return nil, fatalf(pgerrcode.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\" in startup packet")
		}
		out = append(out, planner.Setting{Name: string(name), Value: string(value)})
		body = rest
	}
	return nil, fatalf(pgerrcode.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
}

// errGarbage says that the other side speaks no Postgres. It is not answered.
var errGarbage = errors.New("not the postgres protocol")
