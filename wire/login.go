package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/wire/auth"
)

// login authenticates the client and then looks at the database it asks for: only
// who has proved to be a user learns that the user may not enter a database. One
// that exists and one that does not are the same to it. An unknown user goes
// through the whole exchange and fails as a wrong password does.
func (c *conn) login(ctx context.Context, req *startupRequest) (planner.Identity, error) {
	if c.srv.cfg.RequireTLS && c.t.Conn == c.t.raw {
		return planner.Identity{}, fatalf(pgerrcode.InvalidAuthorizationSpecification,
			"connection without encryption is not allowed for user %q, database %q", req.user, req.database)
	}
	exchange, err := c.srv.cfg.Roles.NewConversation(ctx, auth.Login{Tenant: req.database, User: req.user, Certificate: c.t.certificate})
	if err != nil {
		// A code on which clients try another gateway, or this one again.
		return planner.Identity{}, &fatalError{err: &planner.Error{
			Code: pgerrcode.CannotConnectNow, Message: "users cannot be looked up at the moment", Err: err,
			Hint: "The store may not answer: try again. The server's log has the cause.",
		}}
	}
	if err := c.converse(exchange, req.user); err != nil {
		return planner.Identity{}, err
	}
	role := exchange.Role()
	if req.database != role.Tenant {
		return planner.Identity{}, fatalf(pgerrcode.InvalidCatalogName, "database %q does not exist", req.database)
	}
	c.backend.role.Store(&role)
	c.out.send(&pgproto3.AuthenticationOk{})
	return planner.Identity{Tenant: role.Tenant, User: role.User, Owner: role.Owner}, nil
}

// converse has the client prove who it is.
func (c *conn) converse(exchange *auth.Conversation, user string) error {
	c.out.send(&pgproto3.AuthenticationSASL{AuthMechanisms: exchange.Mechanisms()})
	var first pgproto3.SASLInitialResponse
	if err := c.receiveSASL(&first); err != nil {
		return err
	}
	if err := exchange.Select(first.AuthMechanism); err != nil {
		return fatalf(pgerrcode.ProtocolViolation, "client selected an invalid SASL authentication mechanism")
	}
	challenge, err := exchange.Step(string(first.Data))
	if err != nil {
		return malformedSASL(err)
	}
	c.out.send(&pgproto3.AuthenticationSASLContinue{Data: []byte(challenge)})
	var proof pgproto3.SASLResponse
	if err := c.receiveSASL(&proof); err != nil {
		return err
	}
	final, err := exchange.Step(string(proof.Data))
	if err != nil && !errors.Is(err, auth.ErrRefused) {
		return malformedSASL(err)
	}
	if err != nil || !exchange.Valid() {
		c.log.Info("password authentication failed", "user", user)
		return fatalf(pgerrcode.InvalidPassword, "password authentication failed for user %q", user)
	}
	c.out.send(&pgproto3.AuthenticationSASLFinal{Data: []byte(final)})
	return nil
}

// onlyCertificate is the certificate that a TLS configuration always answers
// with; nil if that depends on the client.
func onlyCertificate(config *tls.Config) *x509.Certificate {
	if len(config.Certificates) != 1 || config.GetCertificate != nil || config.GetConfigForClient != nil {
		return nil
	}
	only := config.Certificates[0]
	if only.Leaf != nil || len(only.Certificate) == 0 {
		return only.Leaf
	}
	leaf, err := x509.ParseCertificate(only.Certificate[0])
	if err != nil {
		return nil // TLS itself will say so
	}
	return leaf
}

// receiveSASL sends what is gathered and reads the client's answer into m.
func (c *conn) receiveSASL(m pgproto3.FrontendMessage) error {
	if err := c.flush(); err != nil {
		return err
	}
	kind, body, err := c.in.next()
	if err != nil {
		return connectionError(err, c.t)
	}
	if kind != 'p' {
		return fatalf(pgerrcode.ProtocolViolation, "expected SASL response, got message type %d", kind)
	}
	if err := m.Decode(body); err != nil {
		return malformedSASL(err)
	}
	return nil
}

func malformedSASL(err error) error {
	return &fatalError{err: &planner.Error{Code: pgerrcode.ProtocolViolation, Message: "malformed SCRAM message", Err: err}}
}
