// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package strictconf decodes a component's configuration and rejects every key
// that nothing reads.
//
// The Collector does that by itself, except for a config with a squashed
// section that decodes itself, such as confighttp.ClientConfig: around such a
// section misspelt keys are accepted silently, at the top level and in the
// sub-sections, and the setting that the user meant keeps its default.
package strictconf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal decodes conf into the config struct that cfg points to. It is to be
// called from that struct's own Unmarshal method. Keys that no field at their
// place is named after are an error, which lists them all with their path
// ("tls::ca_fiel") and, where there is one that looks alike or one of the same
// name elsewhere, the key that was probably meant. No value is in the error.
func Unmarshal(conf *confmap.Conf, cfg any) error {
	if err := checkKeys(conf.ToStringMap(), cfg); err != nil {
		return err
	}
	return conf.Unmarshal(cfg)
}

func checkKeys(values map[string]any, cfg any) error {
	c := checker{root: schemaOf(cfg)}
	c.section(nil, values, c.root)
	return errors.Join(c.errs...)
}

// checker collects the unknown keys of one configuration.
type checker struct {
	root *schema
	errs []error
}

func (c *checker) value(path []string, value any, s *schema) {
	switch v := value.(type) {
	case map[string]any:
		if s.text {
			// The decoder would take it for an empty id.
			c.errs = append(c.errs, fmt.Errorf("%q takes a text, not a section", strings.Join(path, confmap.KeyDelimiter)))
		} else if s.keys != nil {
			c.section(path, v, s)
		}
	case []any:
		if s.elem == nil {
			return // not a list: the decoder says so
		}
		for i, elem := range v {
			c.value(append(path, strconv.Itoa(i)), elem, s.elem)
		}
	}
}

func (c *checker) section(path []string, values map[string]any, s *schema) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		// A copy, as siblings must not share the array behind path.
		at := append(slices.Clone(path), key)
		if known, ok := s.keys[key]; ok {
			c.value(at, values[key], known)
		} else if !s.open {
			c.errs = append(c.errs, c.unknown(at, s))
		}
	}
}

func (c *checker) unknown(path []string, s *schema) error {
	name := strings.Join(path, confmap.KeyDelimiter)
	if meant := c.suggest(path, s); meant != "" {
		return fmt.Errorf("unknown key %q: did you mean %q?", name, meant)
	}
	return fmt.Errorf("unknown key %q: the keys here are %s", name, strings.Join(slices.Sorted(maps.Keys(s.keys)), ", "))
}

// suggest returns the path of the key that was probably meant, or "". The same
// name in another section comes before a similar one in the same section: who
// writes insecure_skip_verify at the top level has spelt it right.
func (c *checker) suggest(path []string, s *schema) string {
	key := path[len(path)-1]
	if elsewhere := c.root.find(key); elsewhere != nil {
		return strings.Join(elsewhere, confmap.KeyDelimiter)
	}
	similar := mostSimilar(key, slices.Sorted(maps.Keys(s.keys)))
	if similar == "" {
		return ""
	}
	return strings.Join(append(slices.Clone(path[:len(path)-1]), similar), confmap.KeyDelimiter)
}
