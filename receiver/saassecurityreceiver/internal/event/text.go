// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/binary"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// textOf is the body in UTF-8, without a mark of the byte order. UTF-16 is known by
// its mark, or the zeros between its characters. A charset that the reply names
// counts only for what is not UTF-8, which many servers send whatever they say. What no charset makes text of stays as it is.
func textOf(body []byte, contentType string) []byte {
	if rest, ok := bytes.CutPrefix(body, []byte(byteOrderMark)); ok {
		return rest
	}
	if order := utf16Order(body); order != nil {
		return decodeUTF16(body, order)
	}
	charset := charsetOf(contentType)
	if charset == "" || utf8.Valid(body) {
		return body
	}
	enc, err := htmlindex.Get(charset)
	if err != nil || enc == encoding.Replacement {
		return body
	}
	text, err := enc.NewDecoder().Bytes(body)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return body // some bytes would be lost
	}
	return text
}

// charsetOf is the charset that a Content-Type names, in small letters; "" for none
// and for UTF-8.
func charsetOf(contentType string) string {
	if contentType == "" {
		return ""
	}
	_, params, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(strings.Trim(params["charset"], `'" `))
	if err != nil && charset == "" || charset == "utf-8" || charset == "utf8" {
		return ""
	}
	return charset
}

// utf16Order is nil for a body that is not UTF-16. One byte of the character that
// documents begin with is zero then.
func utf16Order(body []byte) binary.ByteOrder {
	if len(body) < 2 {
		return nil
	}
	switch {
	case body[0] == 0xff && body[1] == 0xfe, body[1] == 0 && strings.IndexByte(begins, body[0]) >= 0:
		return binary.LittleEndian
	case body[0] == 0xfe && body[1] == 0xff, body[0] == 0 && strings.IndexByte(begins, body[1]) >= 0:
		return binary.BigEndian
	}
	return nil
}

const begins = blanks + `{["`

// decodeUTF16 also takes a body that is cut in the middle of a character: the odd
// byte stands for nothing.
func decodeUTF16(body []byte, order binary.ByteOrder) []byte {
	text := make([]byte, 0, len(body))
	for len(body) >= 2 {
		r := rune(order.Uint16(body))
		body = body[2:]
		if utf16.IsSurrogate(r) && len(body) >= 2 {
			if full := utf16.DecodeRune(r, rune(order.Uint16(body))); full != utf8.RuneError {
				r, body = full, body[2:]
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return bytes.TrimPrefix(text, []byte(byteOrderMark))
}
