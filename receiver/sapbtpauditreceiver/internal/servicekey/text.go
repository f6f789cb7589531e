// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf16"
)

const (
	byteOrderMark = "\xef\xbb\xbf"

	// maxObjects bounds the keys in one text.
	maxObjects = 1000
)

// errNoObject says of a text that not even a part of it looks like a JSON object.
var errNoObject = errors.New("no JSON object")

// objectStart is where an object begins in what a command line tool prints: with a line, as after the heading of
// "cf service-key", or after the name that "cf env" and "env" put before it. Indented lines are not looked at: they belong to
// something else, such as the copy of a Secret as it once was that kubectl keeps in an annotation.
var objectStart = regexp.MustCompile(`(?m)^(?:(?:export )?VCAP_SERVICES[:=] ?)?'?\{`)

// decodeText returns raw in UTF-8 and without a mark. Windows PowerShell writes what is redirected into a file in UTF-16,
// with a mark; without one the zero bytes tell, since JSON begins with ASCII.
func decodeText(raw []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		order, raw = binary.LittleEndian, raw[2:]
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		order, raw = binary.BigEndian, raw[2:]
	case len(raw) > 1 && raw[0] != 0 && raw[1] == 0:
		order = binary.LittleEndian
	case len(raw) > 1 && raw[0] == 0 && raw[1] != 0:
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(raw, []byte(byteOrderMark)), nil
	}
	if len(raw)%2 != 0 {
		return nil, errors.New("the service key is a text in UTF-16 that is cut off; save it again, best as UTF-8")
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}

// readObject reads the object in raw, the whole of a carrier, and says what it is if there is none.
func readObject(raw []byte) (object, error) {
	text, err := decodeText(raw)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return nil, errors.New("the service key is empty; save the key again")
	case len(text) > maxSize:
		return nil, fmt.Errorf("the service key is larger than %d bytes", maxSize)
	}
	o, err := objectIn(text)
	if errors.Is(err, errNoObject) {
		err = otherForm(text)
	}
	return o, err
}

// objectIn returns the object that a text is, or the one between lines of other text. Several become the fields of one.
func objectIn(text []byte) (object, error) {
	if o, ok := foldNames(text); ok {
		return o, nil
	}
	found, err := objects(text)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1:
		o, _ := foldNames(found[0]) // an object is all that objects finds
		return o, nil
	}
	o := make(object, len(found))
	for i, raw := range found {
		o["object "+strconv.Itoa(i+1)] = raw
	}
	return o, nil
}

// objects returns the JSON objects that begin with a line of the text. The lines around them are headings and hints of the
// tool that printed it; with a brace in them they would be the rest of something broken. The error is errNoObject where
// nothing begins, and otherwise about what does not come to its end.
func objects(text []byte) (found []json.RawMessage, err error) {
	for rest := text; ; {
		start := objectStart.FindIndex(rest)
		between := rest
		if start != nil {
			between = rest[:start[0]]
		}
		at := len(text) - len(rest)
		switch brace := bytes.IndexAny(between, "{}"); {
		case len(found) == 0 && (brace >= 0 || start == nil):
			return nil, errNoObject
		case brace >= 0:
			return nil, notJSON(text, at+brace+1)
		case start == nil:
			return found, nil
		case len(found) == maxObjects:
			return nil, fmt.Errorf("the service key has more than %d JSON objects in it; give keys in files of their own", maxObjects)
		}
		at, rest = at+start[1]-1, rest[start[1]-1:]
		decoder := json.NewDecoder(bytes.NewReader(rest))
		var one json.RawMessage
		if err := decoder.Decode(&one); err != nil {
			if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
				return nil, notJSON(text, at+int(syntax.Offset))
			}
			return nil, cutOff(text)
		}
		found = append(found, one)
		rest = rest[decoder.InputOffset():]
	}
}

func notJSON(text []byte, at int) error {
	return fmt.Errorf("the service key is not JSON: error at byte %d of %d; give it as it was issued", at, len(text))
}

func cutOff(text []byte) error {
	return fmt.Errorf("the service key is not JSON: error at byte %d of %[1]d, where it is cut off; save the whole of it again", len(text))
}

var yamlSecret = regexp.MustCompile(`(?m)^kind: *["']?(?:Secret|List)\b`)

// otherForm says what a text without a JSON object is instead, as far as that can be told without quoting it.
func otherForm(text []byte) error {
	switch {
	case bytes.HasPrefix(text, []byte("-----BEGIN")):
		return errors.New("the service key is not JSON but a PEM file; give the whole service key, which holds the certificate")
	case text[0] == '<':
		return errors.New("the service key is not JSON but HTML or XML, such as a login page; fetch the key again")
	case bytes.IndexByte(text, 0) >= 0:
		return errors.New("the service key is not JSON but a binary file, or in UTF-32; save it as UTF-8")
	case yamlSecret.Match(text):
		return errors.New("the service key is not JSON but a Kubernetes Secret in YAML; give it as \"kubectl get secret -o json\" " +
			"prints it, or mount the Secret and give its directory")
	case isBase64Object(text):
		return errors.New("the service key is not JSON but in base64, as in a Secret's data; decode it, as with \"base64 -d\"")
	}
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return errors.New("the service key is JSON, but not a JSON object")
	case isSyntax:
		return notJSON(text, int(syntax.Offset))
	}
	return errors.New("the service key is not JSON; give it as it was issued")
}

func isBase64Object(text []byte) bool {
	var start [1]byte
	_, err := io.ReadFull(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)), start[:])
	return err == nil && start[0] == '{' && !bytes.ContainsAny(text, "{\" ")
}
