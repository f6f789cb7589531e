// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// fromKubernetes reads an object as "kubectl get -o json" prints it: a Secret, or a list in which others may be, too.
func fromKubernetes(o object, nesting int) ([]Key, error) {
	kind, _ := textOf(o["kind"])
	if items, ok := decodeList(o["items"]); ok {
		var parts []part
		for i, raw := range items {
			parts = append(parts, part{name: fmt.Sprintf("items[%d]", i), raw: raw, optional: true})
		}
		if len(parts) == 0 {
			return nil, errNoKey
		}
		return findIn(parts, nesting)
	}
	if !strings.EqualFold(kind, "Secret") {
		return nil, fmt.Errorf("%w; it is a Kubernetes object that is no Secret: give the Secret that has the credentials", errNoKey)
	}
	files := map[string][]byte{}
	if data, ok := decodeObject(o["data"]); ok {
		for name, raw := range data {
			var content []byte
			if text, ok := textOf(raw); ok {
				var err error
				if content, err = base64.StdEncoding.DecodeString(text); err != nil {
					return nil, fmt.Errorf("data.%s of the Secret is not base64; save the Secret again", name)
				}
			}
			files[name] = content
		}
	}
	if given, ok := decodeObject(o["stringdata"]); ok {
		for name, raw := range given {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				return nil, fmt.Errorf("stringData.%s of the Secret is not a text", name)
			}
			files[name] = []byte(text)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("the Secret has no data; give one with the credentials")
	}
	// A Secret within a Secret is smaller than the one around it, so this comes to an end.
	return ParseDir(files)
}
