// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// maxDepth ends the descent into config types that contain themselves.
const maxDepth = 16

// schema is what may stand at one place of a configuration.
type schema struct {
	// text says that the value is one text, such as a component's id.
	text bool
	// keys are the keys of a section; nil where none is expected.
	keys map[string]*schema
	// elem is what the elements of a list are; nil where there is no list.
	elem *schema
	// open says that the section takes any key besides.
	open bool
}

// schemaOf derives the schema from the type of a config struct and its
// mapstructure tags, as the decoder reads them.
func schemaOf(cfg any) *schema {
	return typeSchema(reflect.TypeOf(cfg), 0)
}

func typeSchema(t reflect.Type, depth int) *schema {
	t = valueType(t)
	s := &schema{text: reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())}
	if s.text || depth > maxDepth {
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		s.keys = map[string]*schema{}
		if inner, ok := optionalType(t); ok {
			s = typeSchema(inner, depth)
			if s.keys != nil {
				s.keys["enabled"] = &schema{}
			}
			return s
		}
		for field := range t.Fields() {
			s.addField(field, depth)
		}
	case reflect.Slice, reflect.Array:
		s.elem = typeSchema(t.Elem(), depth+1)
	}
	return s
}

func (s *schema) addField(field reflect.StructField, depth int) {
	name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
	if !field.IsExported() || name == "-" {
		return
	}
	opts := strings.Split(options, ",")
	switch {
	case slices.Contains(opts, "remain"):
		s.open = true
	case slices.Contains(opts, "squash"):
		inner := typeSchema(field.Type, depth+1)
		maps.Copy(s.keys, inner.keys)
		s.open = s.open || inner.open
	default:
		if name == "" {
			name = field.Name
		}
		s.keys[name] = typeSchema(field.Type, depth+1)
	}
}

// valueType strips pointers.
func valueType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// optionalType returns T of a configoptional.Optional[T], whose value is in an
// unexported field. It is recognised by its methods, as there is no interface for it.
func optionalType(t reflect.Type) (reflect.Type, bool) {
	p := reflect.PointerTo(t)
	get, ok := p.MethodByName("Get")
	if _, has := p.MethodByName("HasValue"); !ok || !has {
		return nil, false
	}
	if get.Type.NumOut() != 1 || get.Type.Out(0).Kind() != reflect.Pointer {
		return nil, false
	}
	return get.Type.Out(0).Elem(), true
}

// find returns the shortest path to a key of the given name, the first in
// alphabetical order where there are several, or nil. It does not look into lists.
func (s *schema) find(key string) []string {
	if _, ok := s.keys[key]; ok {
		return []string{key}
	}
	var shortest []string
	for _, name := range slices.Sorted(maps.Keys(s.keys)) {
		below := s.keys[name].find(key)
		if below != nil && (shortest == nil || len(below)+1 < len(shortest)) {
			shortest = append([]string{name}, below...)
		}
	}
	return shortest
}
