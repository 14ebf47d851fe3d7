package peers

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fieldgate/fieldgate/schema"
)

// RequestCode begins a connection between gateways, where a client's has the version of
// the protocol. It is of the range in which PostgreSQL's requests for cancelling and
// encryption are (pqcomm.h), and none of them.
const RequestCode = 1234<<16 | 5791

// What goes between two gateways tells of statements, and ends sessions. So it is
// sealed with keys that follow from a secret in the key-value store, which gateways
// alone know, and from a random number of either side, so that nothing that was
// overheard can be said again: AES-256 in Galois counter mode, a key for each of the
// two messages.
const (
	nonceBytes = 16
	headBytes  = 8
	toAsked    = "fieldgate gateway question"
	toAsker    = "fieldgate gateway answer"
)

// secretKey is where the gateways' secret is stored.
const secretKey = "gateways/secret"

// storedSecret is its value.
type storedSecret struct {
	Format int    `json:"format"`
	Secret []byte `json:"secret"`
}

const secretFormat = 1

// key is the secret, which the first gateway makes.
func (p *Peers) key(ctx context.Context) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secret != nil {
		return p.secret, nil
	}
	item, err := p.cfg.KV.Get(ctx, secretKey)
	if errors.Is(err, schema.ErrNotFound) {
		fresh := storedSecret{Format: secretFormat, Secret: make([]byte, 32)}
		_, _ = rand.Read(fresh.Secret) // never fails
		if item.Value, err = json.Marshal(fresh); err == nil {
			_, err = p.cfg.KV.Put(ctx, secretKey, item.Value, 0)
		}
		if errors.Is(err, schema.ErrConflict) {
			item, err = p.cfg.KV.Get(ctx, secretKey) // another gateway's
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the gateways' secret: %w", err)
	}
	var s storedSecret
	if err := json.Unmarshal(item.Value, &s); err != nil || s.Format != secretFormat || len(s.Secret) == 0 {
		return nil, errors.New("the gateways' secret cannot be read")
	}
	p.secret = s.Secret
	return p.secret, nil
}

// channel is a connection between two gateways that have both given a number.
type channel struct {
	conn         io.ReadWriter
	secret, salt []byte
}

// call opens a channel.
func call(conn io.ReadWriter, secret []byte) (*channel, error) {
	opening := binary.BigEndian.AppendUint32(nil, headBytes+nonceBytes)
	opening = binary.BigEndian.AppendUint32(opening, RequestCode)
	opening = append(opening, make([]byte, nonceBytes)...)
	own := opening[headBytes:]
	_, _ = rand.Read(own) // never fails
	if _, err := conn.Write(opening); err != nil {
		return nil, err
	}
	theirs := make([]byte, nonceBytes)
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	return &channel{conn, secret, slices.Concat(own, theirs)}, nil
}

// accept answers a call.
func accept(conn io.ReadWriter, secret, opening []byte) (*channel, error) {
	if len(opening) != nonceBytes {
		return nil, fmt.Errorf("a call begins with %d bytes, not %d", len(opening), nonceBytes)
	}
	own := make([]byte, nonceBytes)
	_, _ = rand.Read(own) // never fails
	if _, err := conn.Write(own); err != nil {
		return nil, err
	}
	return &channel{conn, secret, slices.Concat(opening, own)}, nil
}

// seal is what seals the one message of a direction, whose key is used for nothing
// else.
func (c *channel) seal(direction string) (cipher.AEAD, []byte, error) {
	key, err := hkdf.Key(sha256.New, c.secret, c.salt, direction, 32)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	return aead, make([]byte, aead.NonceSize()), nil
}

func (c *channel) send(direction string, text []byte) error {
	aead, nonce, err := c.seal(direction)
	if err != nil {
		return err
	}
	packet := binary.BigEndian.AppendUint32(nil, uint32(len(text)+aead.Overhead()))
	_, err = c.conn.Write(aead.Seal(packet, nonce, text, nil))
	return err
}

func (c *channel) receive(direction string, limit uint32) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > limit {
		return nil, fmt.Errorf("a message of %d bytes, of which at most %d are allowed", length, limit)
	}
	// Whoever sends it is not known to be a gateway yet, so memory is taken as it comes.
	sealed, err := io.ReadAll(io.LimitReader(c.conn, int64(length)))
	if err != nil {
		return nil, err
	}
	aead, nonce, err := c.seal(direction)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, errors.New("a message that no gateway of these stores has sent")
	}
	return text, nil
}
