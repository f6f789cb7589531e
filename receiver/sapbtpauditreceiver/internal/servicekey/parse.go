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

	// serviceName is the name of the audit log service in VCAP_SERVICES.
	serviceName = "auditlog-management"

	// userProvided is the name of the bindings in VCAP_SERVICES whose contents the user has written ("cf cups").
	userProvided = "user-provided"
)

// errNoKey says of a JSON object that nothing in it looks like credentials.
var errNoKey = errors.New("no service key in it: neither uaa (service key) nor clientID (Kyma) is there; " +
	"give the JSON of a service key of auditlog-management as it was issued")

// errOtherKey says of credentials that they are for something else.
var errOtherKey = errors.New("this is a key of another service")

// Parse returns the keys in raw, a JSON text in any of the carriers:
//
//   - the bare service key, {"uaa": {…}, "url": …}
//   - {"credentials": {…}}, as the CF CLI v8 prints it
//   - VCAP_SERVICES, of which each binding of auditlog-management is a key, and each user-provided one that names it
//   - the JSON a service operator Secret holds with secretKey, secretRootKey or a template
//   - Kyma's flat {"url", "clientID", "clientSecret", "tokenUrl"}
//   - any of these with the names of nested fields joined, as in uaa.clientid or credentials_uaa_clientid
//   - a Kubernetes Secret, or a list of them, as "kubectl get -o json" prints it
//
// The text may be in UTF-16, and have lines of the tool that printed it around the JSON.
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

// object is a JSON object with its names in lower case, since the spelling of
// the same field differs between carriers (clientid, clientId, clientID).
type object map[string]json.RawMessage

// decodeObject reads a JSON object, or a JSON string that holds the text of
// one: the service operator and Kubernetes store nested objects as text.
func decodeObject(raw json.RawMessage) (object, bool) {
	if text, ok := textOf(raw); ok {
		o, err := objectIn([]byte(text))
		return o, err == nil
	}
	return foldNames(raw)
}

// textOf returns the text of a JSON string.
func textOf(raw json.RawMessage) (text string, ok bool) {
	ok = len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil
	return strings.TrimSpace(strings.TrimPrefix(text, byteOrderMark)), ok
}

// foldNames reads a JSON object.
func foldNames(raw []byte) (object, bool) {
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
	if o.has("apiversion") && o.has("kind") {
		return fromKubernetes(o, nesting)
	}
	if parts, isThere := bindings(o); len(parts) > 0 {
		return findIn(parts, nesting)
	} else if isThere {
		return nil, fmt.Errorf("VCAP_SERVICES has an empty list of bindings of %s", serviceName)
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
		return nil, fmt.Errorf("VCAP_SERVICES has no binding of %s, nor a user-provided one that names it; "+
			"bind an instance of that service", serviceName)
	}
	if groups := unflatten(o); len(groups) > 0 {
		return fromGroups(groups)
	}
	return findNested(o, nesting)
}

// part is a place where a key has to be, or may be.
type part struct {
	name     string
	raw      json.RawMessage
	optional bool
}

// findIn looks for keys in each part. Of an optional one that holds something else it says so only where nothing else is found.
func findIn(parts []part, nesting int) (keys []Key, err error) {
	var errs, others []error
	for _, p := range parts {
		err := errNoKey
		var found []Key
		if nested, ok := decodeObject(p.raw); ok {
			found, err = find(nested, nesting-1)
		}
		keys = append(keys, found...)
		switch {
		case err == nil:
		case p.optional && isForeign(err):
			others = append(others, fmt.Errorf("%s: %w", p.name, err))
		default:
			// Not to be taken for something else further out.
			errs = append(errs, errors.New(p.name+": "+err.Error()))
		}
	}
	if len(keys) == 0 && len(errs) == 0 {
		errs = others
	}
	return keys, errors.Join(errs...)
}

// isForeign reports whether err says no more than that something is not a key of the audit log.
func isForeign(err error) bool {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !isForeign(err) })
	}
	return errors.Is(err, errNoKey) || errors.Is(err, errOtherKey) || errors.Is(err, ErrOtherService)
}

// bindings returns those in VCAP_SERVICES that can be of the audit log. What users provide themselves may be anything; a key
// of the audit log has the service in its url and its client id. isThere says whether the service has a list, maybe an empty one.
func bindings(o object) (parts []part, isThere bool) {
	own, isThere := decodeList(o[serviceName])
	for i, raw := range own {
		parts = append(parts, part{name: fmt.Sprintf("%s[%d]", serviceName, i), raw: raw})
	}
	provided, _ := decodeList(o[userProvided])
	for i, raw := range provided {
		if bytes.Contains(raw, []byte(serviceName)) {
			parts = append(parts, part{name: fmt.Sprintf("%s[%d]", userProvided, i), raw: raw, optional: true})
		}
	}
	return parts, isThere
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
		if err != nil && (errors.Is(err, errOtherKey) || !isForeign(err)) {
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
	text, ok := textOf(raw)
	if !ok || !strings.HasSuffix(name, ".json") && !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "Getting ") {
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
