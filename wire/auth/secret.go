package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

const redacted = "[redacted]"

// Password is what a user types. It prints as nothing but "[redacted]".
type Password string

// Format hides the password whatever the verb.
func (Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the password from logs.
func (Password) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the password from encodings.
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

const (
	// verifierScheme begins the text of a verifier, as in PostgreSQL's
	// pg_authid.rolpassword.
	verifierScheme = "SCRAM-SHA-256"
	// minIterations is what RFC 7677 asks for at least, and what clients accept.
	minIterations = 4096
	// saltBytes is PostgreSQL's SCRAM_DEFAULT_SALT_LEN.
	saltBytes = 16
)

// Verifier is what the server keeps of a password: enough to check a proof of it
// and not to make one. It prints as "[redacted]"; Text is for storage.
type Verifier struct {
	credentials scram.StoredCredentials
}

// Format hides the verifier whatever the verb.
func (Verifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the verifier from logs.
func (Verifier) LogValue() slog.Value { return slog.StringValue(redacted) }

// NewVerifier makes the verifier of a password with a new salt. The password is
// prepared by SASLprep if it can be, and is taken as it is if not, as
// PostgreSQL and its clients do.
func NewVerifier(password Password, iterations int) (Verifier, error) {
	if password == "" {
		return Verifier{}, errors.New("make verifier: the password is empty")
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return Verifier{}, fmt.Errorf("make salt: %w", err)
	}
	client, err := scram.SHA256.NewClient("", string(password), "")
	if err != nil {
		client, err = scram.SHA256.NewClientUnprepped("", string(password), "")
	}
	if err != nil {
		return Verifier{}, fmt.Errorf("make verifier: %w", err)
	}
	c, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return Verifier{}, fmt.Errorf("make verifier: %w", err)
	}
	return Verifier{credentials: c}, nil
}

// decoy makes the verifier that a user who does not exist seems to have: the same
// each time, and no password's.
func decoy(secret []byte, tenant, user string, iterations int) Verifier {
	derive := func(what string) []byte {
		mac := hmac.New(sha256.New, secret)
		_, _ = io.WriteString(mac, what+"\x00"+tenant+"\x00"+user) // a hash takes everything
		return mac.Sum(nil)
	}
	return Verifier{credentials: scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(derive("salt")[:saltBytes]), Iters: iterations},
		StoredKey:  derive("stored key"),
		ServerKey:  derive("server key"),
	}}
}

// Text is the verifier as PostgreSQL stores it:
// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>.
func (v Verifier) Text() string {
	encode := base64.StdEncoding.EncodeToString
	c := v.credentials
	return verifierScheme + "$" + strconv.Itoa(c.Iters) + ":" + encode([]byte(c.Salt)) +
		"$" + encode(c.StoredKey) + ":" + encode(c.ServerKey)
}

// ParseVerifier reads what Text wrote. Its errors do not show the text.
func ParseVerifier(text string) (Verifier, error) {
	malformed := errors.New("malformed SCRAM-SHA-256 verifier")
	parts := strings.Split(text, "$")
	if len(parts) != 3 || parts[0] != verifierScheme {
		return Verifier{}, malformed
	}
	iterations, salt, ok := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	n, err := strconv.Atoi(iterations)
	if !ok || !ok2 || err != nil || n < minIterations {
		return Verifier{}, malformed
	}
	var decoded [3][]byte
	for i, field := range []string{salt, stored, server} {
		if decoded[i], err = base64.StdEncoding.DecodeString(field); err != nil {
			return Verifier{}, malformed
		}
	}
	if len(decoded[0]) == 0 || len(decoded[1]) != sha256.Size || len(decoded[2]) != sha256.Size {
		return Verifier{}, malformed
	}
	return Verifier{credentials: scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(decoded[0]), Iters: n},
		StoredKey:  decoded[1],
		ServerKey:  decoded[2],
	}}, nil
}
