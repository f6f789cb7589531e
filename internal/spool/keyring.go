// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// keyBytes is the length of an AES-256 key.
const keyBytes = 32

// A Keyring seals and opens the bodies of entries with AES-256-GCM. It writes with one key and reads with all it has.
// A key may seal some four thousand million entries: nonces are random.
type Keyring struct {
	current string
	ciphers map[string]cipher.AEAD
}

// ParseKeyring reads keys, one a line, as base64 (standard or URL alphabet) or hex of 32 bytes. Empty lines and lines
// that begin with '#' are skipped. The first key seals new entries, the others only open old ones. Errors name the line
// and never its content.
func ParseKeyring(text string) (*Keyring, error) {
	ring := &Keyring{ciphers: map[string]cipher.AEAD{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, ok := decodeKey(line)
		if !ok {
			return nil, fmt.Errorf("line %d is not a key: want 32 bytes as base64 or hex, for instance from `openssl rand -base64 32`", number)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		id := keyID(raw)
		if ring.current == "" {
			ring.current = id
		}
		ring.ciphers[id] = aead
	}
	if ring.current == "" {
		return nil, errors.New("no key found: want 32 bytes as base64 or hex, one key a line, for instance from `openssl rand -base64 32`")
	}
	return ring, nil
}

// ID returns the name of the key that seals new entries: a digest, so that a wrong key is never taken for the right
// one. An absent keyring has the ID "".
func (k *Keyring) ID() string {
	if k == nil {
		return ""
	}
	return k.current
}

// opens tells whether entries sealed with the named key can be read. Entries without a key always can.
func (k *Keyring) opens(id string) bool {
	if id == "" {
		return true
	}
	return k != nil && k.ciphers[id] != nil
}

func (k *Keyring) seal(plain, associated []byte) []byte {
	aead := k.ciphers[k.current]
	sealed := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(sealed) // never fails, see crypto/rand
	return aead.Seal(sealed, sealed, plain, associated)
}

func (k *Keyring) open(id string, sealed, associated []byte) ([]byte, error) {
	aead := k.ciphers[id]
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("sealed body is too short")
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], associated)
}

func decodeKey(text string) ([]byte, bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString,
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if raw, err := decode(text); err == nil && len(raw) == keyBytes {
			return raw, true
		}
	}
	return nil, false
}

func keyID(raw []byte) string {
	sum := sha256.Sum256(append([]byte("otelcol-audit spool key\x00"), raw...))
	return hex.EncodeToString(sum[:6])
}
