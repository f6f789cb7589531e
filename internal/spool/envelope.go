// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// entryVersion is the format of a stored entry. A change of it changes manifestVersion as well, so that an older
// program refuses to start instead of taking every entry for corrupt.
const entryVersion = "1"

// ErrCorrupt is the cause of an [Entry] whose stored form is damaged.
var ErrCorrupt = errors.New("corrupt entry")

// Batch is what came with one read of the source.
type Batch struct {
	ReceivedAt time.Time
	// Meta are the few facts about the reply that are worth keeping beside its body.
	Meta map[string]string
	// Truncated says that Body is only the beginning of what the source sent.
	Truncated bool
	Body      []byte
}

type header struct {
	Seq       uint64            `json:"seq"`
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Meta      map[string]string `json:"meta,omitempty"`
	Truncated bool              `json:"truncated,omitempty"`
	// Encoding of the body: "" is text as it came, "base64" says so, "aes-256-gcm" is sealed and then base64.
	Encoding string `json:"encoding,omitempty"`
	Key      string `json:"key,omitempty"`
}

const (
	encodingText   = ""
	encodingBase64 = "base64"
	encodingSealed = "aes-256-gcm"
)

const sumLen = 32 // hex digits

func checksum(head, body []byte) string {
	h := sha256.New()
	h.Write(head)
	h.Write([]byte{'\n'})
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil)[:sumLen/2])
}

func encodeEntry(seq uint64, id string, b Batch, keys *Keyring) ([]byte, error) {
	h := header{Seq: seq, ID: id, At: b.ReceivedAt.UTC(), Meta: b.Meta, Truncated: b.Truncated}
	body := b.Body
	switch {
	case keys != nil:
		h.Encoding, h.Key = encodingSealed, keys.ID()
	case !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0:
		h.Encoding = encodingBase64
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	switch h.Encoding {
	case encodingSealed:
		body = base64Of(keys.seal(body, head))
	case encodingBase64:
		body = base64Of(body)
	}
	out := make([]byte, 0, len(entryVersion)+sumLen+len(head)+len(body)+3)
	out = append(out, entryVersion...)
	out = append(out, ' ')
	out = append(out, checksum(head, body)...)
	out = append(out, ' ')
	out = append(out, head...)
	out = append(out, '\n')
	return append(out, body...), nil
}

// splitEntry cuts a stored entry into its parts without proving anything about them.
func splitEntry(stored []byte) (sum string, head, body []byte, err error) {
	rest, ok := bytes.CutPrefix(stored, []byte(entryVersion+" "))
	if !ok || len(rest) <= sumLen || rest[sumLen] != ' ' {
		return "", nil, nil, fmt.Errorf("%w: no envelope", ErrCorrupt)
	}
	head, body, ok = bytes.Cut(rest[sumLen+1:], []byte{'\n'})
	if !ok {
		return "", nil, nil, fmt.Errorf("%w: no end of the header", ErrCorrupt)
	}
	return string(rest[:sumLen]), head, body, nil
}

// decodeEntry opens the entry stored under seq. The error is ErrCorrupt, or says that a key is missing.
func decodeEntry(seq uint64, stored []byte, keys *Keyring) (string, Batch, error) {
	sum, head, body, err := splitEntry(stored)
	if err != nil {
		return "", Batch{}, err
	}
	if checksum(head, body) != sum {
		return "", Batch{}, fmt.Errorf("%w: checksum differs", ErrCorrupt)
	}
	var h header
	if json.Unmarshal(head, &h) != nil {
		return "", Batch{}, fmt.Errorf("%w: header is not readable", ErrCorrupt)
	}
	if h.Seq != seq {
		return "", Batch{}, fmt.Errorf("%w: belongs to sequence number %d", ErrCorrupt, h.Seq)
	}
	if h.Encoding == encodingBase64 || h.Encoding == encodingSealed {
		plain := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
		n, wrong := base64.StdEncoding.Decode(plain, body)
		if wrong != nil {
			return "", Batch{}, fmt.Errorf("%w: base64 of the body", ErrCorrupt)
		}
		body = plain[:n]
	}
	switch h.Encoding {
	case encodingText, encodingBase64:
	case encodingSealed:
		if !keys.opens(h.Key) {
			return "", Batch{}, missingKey(h.Key)
		}
		if body, err = keys.open(h.Key, body, head); err != nil {
			return "", Batch{}, fmt.Errorf("%w: sealed body does not open", ErrCorrupt)
		}
	default:
		return "", Batch{}, fmt.Errorf("%w: unknown encoding of the body", ErrCorrupt)
	}
	return h.ID, Batch{ReceivedAt: h.At, Meta: h.Meta, Truncated: h.Truncated, Body: body}, nil
}

// peek reads from a stored entry what it says of itself, without proving it; nothing if it cannot be read.
func peek(stored []byte) (said struct {
	Seq uint64    `json:"seq"`
	At  time.Time `json:"at"`
	Key string    `json:"key"`
},
) {
	if _, head, _, err := splitEntry(stored); err == nil {
		_ = json.Unmarshal(head, &said)
	}
	return said
}

// intact tells whether the checksum of a stored entry is right.
func intact(stored []byte) bool {
	sum, head, body, err := splitEntry(stored)
	return err == nil && checksum(head, body) == sum
}

func missingKey(id string) error {
	return fmt.Errorf("the spool holds entries sealed with the key %q, which is not among the given keys: "+
		"add that key to the file of keys (after the current one) until the spool is drained", id)
}

func base64Of(raw []byte) []byte {
	out := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(out, raw)
	return out
}
