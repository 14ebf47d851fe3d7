package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
)

// The SASL mechanisms that a Conversation speaks.
const (
	MechanismScram     = "SCRAM-SHA-256"
	MechanismScramPlus = "SCRAM-SHA-256-PLUS"
)

// ErrRefused says that a client did not prove to be who it says. Why is for the
// log alone.
var ErrRefused = errors.New("authentication failed")

// Login is what a client says before it proves anything.
type Login struct {
	// Tenant is the database asked for.
	Tenant string
	User   string
	// Certificate is the server's on this connection; nil if it is not encrypted.
	// It makes SCRAM-SHA-256-PLUS possible, by tls-server-end-point.
	Certificate *x509.Certificate
}

// Conversation is one SCRAM exchange, for one connection. A user that does not
// exist goes through all of it and fails at the proof, as one with a wrong
// password does.
type Conversation struct {
	role  Role
	known bool
	// binding is empty if there is nothing to bind to.
	binding scram.ChannelBinding
	scram   *scram.ServerConversation
	plus    bool
	started bool
}

// NewConversation begins an exchange. A user that the database's tenant does not
// have, but another tenant has, can prove to be the other's: Role then tells the
// tenants apart, and only who proved it is told that there is no such database.
func (r *Roles) NewConversation(ctx context.Context, login Login) (*Conversation, error) {
	c := &Conversation{}
	a, err := r.lookup(ctx, login.Tenant, login.User)
	if err == nil && a == nil {
		a, err = r.elsewhere(ctx, login.Tenant, login.User)
	}
	if err != nil {
		return nil, err
	}
	var verifier Verifier
	if a != nil {
		c.role, c.known, verifier = a.Role, true, a.verifier
	} else if verifier, err = r.Verifier(ctx, login.Tenant, login.User); err != nil {
		return nil, err
	}
	// The user's name in the exchange is not read: PostgreSQL's clients send it
	// empty, and the startup message has it.
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) {
		return verifier.credentials, nil
	})
	if err != nil {
		return nil, fmt.Errorf("make SCRAM server: %w", err)
	}
	c.binding = bindingTo(login.Certificate)
	c.scram = server.NewConversation()
	if c.binding.IsSupported() {
		c.scram = server.NewConversationWithChannelBinding(c.binding)
	}
	return c, nil
}

// bindingTo is the binding to a server's certificate. It is empty for those that
// RFC 5929 has no hash for, such as Ed25519, where PostgreSQL offers none either.
func bindingTo(certificate *x509.Certificate) scram.ChannelBinding {
	if certificate == nil {
		return scram.ChannelBinding{}
	}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	binding, err := scram.NewTLSServerEndpointBinding(state)
	if err != nil {
		return scram.ChannelBinding{}
	}
	return binding
}

// Mechanisms lists what to offer to the client, the better first.
func (c *Conversation) Mechanisms() []string {
	if c.binding.IsSupported() {
		return []string{MechanismScramPlus, MechanismScram}
	}
	return []string{MechanismScram}
}

// Select takes the mechanism that the client chose; without it it is
// SCRAM-SHA-256. The error says that it was not offered.
func (c *Conversation) Select(mechanism string) error {
	switch {
	case mechanism == MechanismScram:
	case mechanism == MechanismScramPlus && c.binding.IsSupported():
		c.plus = true
	default:
		return fmt.Errorf("mechanism %q was not offered", mechanism)
	}
	return nil
}

// Step takes a message of the client and returns the server's. After the second
// Valid says whether the client proved to be the user. ErrRefused is a proof that
// does not hold; other errors are messages that are not SCRAM's.
func (c *Conversation) Step(message string) (string, error) {
	first := !c.started
	c.started = true
	if first && strings.HasPrefix(message, "p=") != c.plus {
		return "", errors.New("the message's channel binding is not that of the mechanism")
	}
	answer, err := c.scram.Step(message)
	if err != nil && !first && answer != "" {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return "", err
	}
	return answer, nil
}

// Valid says that the client proved to be Role.
func (c *Conversation) Valid() bool { return c.known && c.scram.Valid() }

// Role is who the client proved to be. It means nothing unless Valid.
func (c *Conversation) Role() Role { return c.role }
