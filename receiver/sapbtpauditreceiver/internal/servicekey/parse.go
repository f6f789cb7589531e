// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// maxSize bounds what is read as one carrier. A key has about 10 KiB, a
	// VCAP_SERVICES of many bindings some hundred.
	maxSize = 1 << 20

	// maxNesting bounds the wrappers around a key. The deepest known carrier, a
	// service operator Secret with secretRootKey and secretKey, has two.
	maxNesting = 4

	byteOrderMark = "\xef\xbb\xbf"

	// serviceName is the name of the audit log service in VCAP_SERVICES.
	serviceName = "auditlog-management"
)

// errNoKey says of a JSON object that nothing in it looks like credentials.
var errNoKey = errors.New("no service key in it: neither uaa (service key) nor clientID (Kyma) is there; " +
	"give the JSON of a service key of auditlog-management as it was issued")

// Parse returns the keys in raw, a JSON text in any of the carriers:
//
//   - the bare service key, {"uaa": {…}, "url": …}
//   - {"credentials": {…}}, as the CF CLI v8 prints it
//   - VCAP_SERVICES, of which each binding of auditlog-management is a key
//   - the JSON a service operator Secret holds with secretKey, secretRootKey or a template
//   - Kyma's flat {"url", "clientID", "clientSecret", "tokenUrl"}
//
// Where one of several keys is unusable, the others are returned together with
// the error. Errors name fields, never values.
func Parse(raw []byte) ([]Key, error) {
	top, err := readObject(raw)
	if err != nil {
		return nil, err
	}
	return find(top, maxNesting)
}

// readObject reads raw, the whole of a carrier, and says what it is if not a JSON object.
func readObject(raw []byte) (object, error) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte(byteOrderMark)))
	switch {
	case len(raw) == 0:
		return nil, errors.New("the service key is empty")
	case len(raw) > maxSize:
		return nil, fmt.Errorf("the service key is larger than %d bytes", maxSize)
	case !json.Valid(raw):
		return nil, notJSON(raw)
	}
	o, ok := decodeObject(raw)
	if !ok {
		return nil, errors.New("the service key is JSON, but not a JSON object")
	}
	return o, nil
}

// notJSON says what raw is instead, as far as that can be told without quoting it.
func notJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("-----BEGIN")) {
		return errors.New("the service key is not JSON but a PEM file; give the whole service key, which holds the certificate")
	}
	err := json.Unmarshal(raw, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the service key is not JSON: error at byte %d of %d", syntax.Offset, len(raw))
	}
	return errors.New("the service key is not JSON")
}

// object is a JSON object with its names in lower case, since the spelling of
// the same field differs between carriers (clientid, clientId, clientID).
type object map[string]json.RawMessage

// decodeObject reads a JSON object, or a JSON string that holds the text of
// one: the service operator and Kubernetes store nested objects as text.
func decodeObject(raw json.RawMessage) (object, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(strings.TrimPrefix(text, byteOrderMark))
	}
	var decoded map[string]json.RawMessage
	if json.Unmarshal(raw, &decoded) != nil || decoded == nil {
		return nil, false
	}
	o := make(object, len(decoded))
	// Sorted, so that the same one of two spellings in one object wins always.
	for _, name := range slices.Sorted(maps.Keys(decoded)) {
		o[strings.ToLower(name)] = decoded[name]
	}
	return o, true
}

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// find returns the keys in o, looking through at most the given number of wrappers.
func find(o object, nesting int) ([]Key, error) {
	if nesting == 0 {
		return nil, errNoKey
	}
	if bindings, ok := decodeList(o[serviceName]); ok {
		return fromBindings(bindings, nesting)
	}
	if o.has("uaa") || o.has("clientid") {
		key, err := fromObject(o)
		if err != nil {
			return nil, err
		}
		return []Key{key}, nil
	}
	if credentials, ok := decodeObject(o["credentials"]); ok {
		return find(credentials, nesting-1)
	}
	if isServices(o) {
		return nil, fmt.Errorf("VCAP_SERVICES has no binding of %s; bind an instance of that service", serviceName)
	}
	return findNested(o, nesting)
}

// fromBindings reads the bindings of one service in VCAP_SERVICES.
func fromBindings(bindings []json.RawMessage, nesting int) ([]Key, error) {
	if len(bindings) == 0 {
		return nil, fmt.Errorf("VCAP_SERVICES has an empty list of bindings of %s", serviceName)
	}
	var keys []Key
	var errs []error
	for i, raw := range bindings {
		err := errNoKey
		var found []Key
		if binding, ok := decodeObject(raw); ok {
			found, err = find(binding, nesting-1)
		}
		keys = append(keys, found...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", serviceName, i, err))
		}
	}
	return keys, errors.Join(errs...)
}

// findNested looks for keys in the values of o, whose names the user chose.
func findNested(o object, nesting int) ([]Key, error) {
	var keys []Key
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o)) {
		nested, ok := decodeObject(o[name])
		if !ok {
			if err := brokenKey(name, o[name]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
			continue
		}
		found, err := find(nested, nesting-1)
		keys = append(keys, found...)
		if err != nil && !errors.Is(err, errNoKey) {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(keys) == 0 && len(errs) == 0 {
		return nil, errNoKey
	}
	return keys, errors.Join(errs...)
}

// brokenKey says what is wrong with a value that was to hold a key, as its name
// or its beginning tells, and is no JSON object; of other values it says nothing.
// A file of a directory that is half written must not pass for one without a key.
func brokenKey(name string, raw json.RawMessage) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	if !strings.HasSuffix(name, ".json") && !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil
	}
	_, err := readObject([]byte(text))
	return err
}

// isServices reports whether o has the form of VCAP_SERVICES: nothing but lists
// of bindings.
func isServices(o object) bool {
	for _, raw := range o {
		bindings, ok := decodeList(raw)
		if !ok || slices.ContainsFunc(bindings, isNoBinding) {
			return false
		}
	}
	return len(o) > 0
}

func isNoBinding(raw json.RawMessage) bool {
	binding, ok := decodeObject(raw)
	return !ok || !binding.has("credentials")
}

func decodeList(raw json.RawMessage) ([]json.RawMessage, bool) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, false
	}
	return list, true
}
