// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

var (
	// ErrAbsent says that the storage holds no value under the key.
	ErrAbsent = errors.New("no value in storage")
	// ErrCorrupt says that a stored value is damaged: broken envelope, wrong checksum or undecodable payload.
	ErrCorrupt = errors.New("the stored value is damaged")
	// ErrNewerVersion says that a newer release wrote the value, in a format that this one does not know.
	ErrNewerVersion = errors.New("the stored value was written by a newer release")
)

// The envelope is one JSON value and is always written in exactly this form, so that a single changed byte anywhere in it
// is noticed. It never changes; what is inside is versioned.
const (
	envelopeHead = `{"version":`
	envelopeSum  = `,"sha256":"`
	envelopeData = `","data":`
	envelopeTail = `}`
)

// Seal encodes v as JSON and wraps it with the format version and a checksum over both. The result is one UTF-8 JSON
// value, so it is safe in text columns and atomic in every storage. It fails only if v cannot be encoded.
func Seal(version int, v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding state: %w", err)
	}
	return seal(version, payload), nil
}

// Open checks what Seal made and decodes it into into. version is the newest format the caller understands; values of
// older versions are decoded as they are. Errors: ErrAbsent for a nil raw, ErrCorrupt, ErrNewerVersion.
func Open(raw []byte, version int, into any) error {
	payload, err := unseal(raw, version)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(payload, into); err != nil {
		// The decoder's own text could quote the state, so only the fact is passed on.
		return fmt.Errorf("%w: the payload does not decode", ErrCorrupt)
	}
	return nil
}

// SealBytes is Seal for a binary payload, carried as base64.
func SealBytes(version int, payload []byte) []byte {
	quoted := make([]byte, 0, base64.StdEncoding.EncodedLen(len(payload))+2)
	quoted = append(quoted, '"')
	quoted = base64.StdEncoding.AppendEncode(quoted, payload)
	quoted = append(quoted, '"')
	return seal(version, quoted)
}

// OpenBytes is Open for what SealBytes made.
func OpenBytes(raw []byte, version int) ([]byte, error) {
	quoted, err := unseal(raw, version)
	if err != nil {
		return nil, err
	}
	text, opened := bytes.CutPrefix(quoted, []byte{'"'})
	text, closed := bytes.CutSuffix(text, []byte{'"'})
	payload := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(payload, text)
	if err != nil || !opened || !closed {
		return nil, fmt.Errorf("%w: the payload does not decode", ErrCorrupt)
	}
	return payload[:n], nil
}

func seal(version int, payload []byte) []byte {
	digits := strconv.Itoa(version)
	size := len(envelopeHead) + len(digits) + len(envelopeSum) + 2*sha256.Size + len(envelopeData) + len(payload) + len(envelopeTail)
	sealed := make([]byte, 0, size)
	sealed = append(sealed, envelopeHead...)
	sealed = append(sealed, digits...)
	sealed = append(sealed, envelopeSum...)
	sealed = append(sealed, checksum(digits, payload)...)
	sealed = append(sealed, envelopeData...)
	sealed = append(sealed, payload...)
	return append(sealed, envelopeTail...)
}

// unseal checks the envelope and returns the payload as it was sealed. The checksum is judged before the version, so that
// a damaged version number is not reported as a newer one.
func unseal(raw []byte, newest int) ([]byte, error) {
	if raw == nil {
		return nil, ErrAbsent
	}
	rest, ok := bytes.CutPrefix(raw, []byte(envelopeHead))
	digits, rest, found := bytes.Cut(rest, []byte(envelopeSum))
	ok = ok && found
	sum, rest, found := bytes.Cut(rest, []byte(envelopeData))
	ok = ok && found
	payload, found := bytes.CutSuffix(rest, []byte(envelopeTail))
	if !ok || !found {
		return nil, fmt.Errorf("%w: not an envelope", ErrCorrupt)
	}
	if string(sum) != checksum(string(digits), payload) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrCorrupt)
	}
	version, err := strconv.Atoi(string(digits))
	if err != nil {
		return nil, fmt.Errorf("%w: not a version", ErrCorrupt)
	}
	if version > newest {
		return nil, fmt.Errorf("%w: format %d, this release knows up to %d", ErrNewerVersion, version, newest)
	}
	return payload, nil
}

// checksum covers the version too: a payload must not be decoded by the rules of another version.
func checksum(version string, payload []byte) string {
	h := sha256.New()
	h.Write([]byte(version + "\n"))
	h.Write(payload)
	return hex.EncodeToString(h.Sum(nil))
}
