package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Authorize finds the key of a request, in Authorization: Bearer or X-Api-Key, and sees that it has the scope. A request
// that must not go on is a *Problem: 401 without a valid key, 403 without the scope.
func (k *Keys) Authorize(r *http.Request, scope Scope) (*Key, error) {
	secret, err := secretOf(r)
	if err != nil {
		return nil, err
	}
	key, err := k.Lookup(r.Context(), secret)
	if errors.Is(err, ErrUnknownKey) {
		return nil, &Problem{Status: http.StatusUnauthorized, Detail: "unknown API key"}
	}
	if err != nil {
		return nil, fmt.Errorf("look up API key: %w", err)
	}
	if !key.Allows(scope) {
		return nil, &Problem{Status: http.StatusForbidden, Detail: fmt.Sprintf("the API key does not have the scope %s", scope)}
	}
	return key, nil
}

// secretOf takes the key from the headers.
func secretOf(r *http.Request) (Secret, error) {
	if secret := r.Header.Get("X-Api-Key"); secret != "" {
		return Secret(secret), nil
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", &Problem{Status: http.StatusUnauthorized, Detail: "an API key is needed, as Authorization: Bearer KEY or X-Api-Key: KEY"}
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", &Problem{Status: http.StatusUnauthorized, Detail: "Authorization must be Bearer KEY"}
	}
	return Secret(strings.TrimSpace(secret)), nil
}
