// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The fields of a key, in the spelling without separators. An ending of another one comes after it.
var (
	uaaFields = []string{
		"clientid", "clientsecret", "certurl", "url", "certificate", "key", "identityzoneid", "identityzone", "zoneid", "tenantid",
		"credentialtype",
	}
	rootFields = []string{"clientid", "clientsecret", "tokenurl", "url", "uaa"}
	kymaFields = rootFields[:4]
)

// group is a key whose fields lie side by side, under names that begin alike.
type group struct{ root, uaa object }

// unflatten finds keys of which operators and templates have joined the names, as uaa.clientid, uaa_clientid or
// credentials-uaa-clientid: separators and upper case do not count. What comes before is the same for all fields of a key.
func unflatten(o object) map[string]*group {
	groups := map[string]*group{}
	of := func(prefix string) *group {
		g := groups[prefix]
		if g == nil {
			g = &group{root: object{}, uaa: object{}}
			groups[prefix] = g
		}
		return g
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		folded := strings.NewReplacer(".", "", "_", "", "-", "", "/", "").Replace(name)
		if prefix, field, ok := cutField(folded, "uaa", uaaFields); ok {
			of(prefix).uaa[withSeparator(field)] = o[name]
		} else if prefix, field, ok := cutField(folded, "", rootFields); ok {
			of(prefix).root[field] = o[name]
		}
	}
	maps.DeleteFunc(groups, func(_ string, g *group) bool { return !g.isKey() })
	return groups
}

func cutField(name, before string, fields []string) (prefix, field string, ok bool) {
	for _, field := range fields {
		if prefix, ok := strings.CutSuffix(name, before+field); ok {
			return prefix, field, true
		}
	}
	return "", "", false
}

// withSeparator spells a field of uaa as a key does.
func withSeparator(field string) string {
	if field == "credentialtype" {
		return "credential-type"
	}
	return field
}

// isKey reports whether a group is a key, whole or not. Without a client id of uaa it has to be whole: a client id, a secret
// and an address are what many things have.
func (g *group) isKey() bool {
	if g.uaa.has("clientid") || g.root.has("uaa") && g.root.has("url") {
		return true
	}
	return !slices.ContainsFunc(kymaFields, func(field string) bool { return !g.root.has(field) })
}

// fromGroups reads keys with flattened names.
func fromGroups(groups map[string]*group) (keys []Key, err error) {
	var errs []error
	for _, prefix := range slices.Sorted(maps.Keys(groups)) {
		g := groups[prefix]
		o := g.root
		if g.uaa.has("clientid") {
			uaa, err := json.Marshal(g.uaa)
			if err != nil {
				return nil, errors.New("the fields of uaa are not JSON")
			}
			o = object{"url": g.root["url"], "uaa": uaa}
			if o["url"] == nil {
				delete(o, "url")
			}
		}
		key, err := fromObject(o)
		if err != nil {
			errs = append(errs, fmt.Errorf("of the names joined as %suaa…: %w", prefix, err))
			continue
		}
		keys = append(keys, key)
	}
	return keys, errors.Join(errs...)
}
