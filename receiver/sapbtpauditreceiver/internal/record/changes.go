// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

const (
	// maxChanges bounds the changed values that become attributes; maxChange is the longest in bytes.
	maxChanges = 32
	maxChange  = 256
	// maxChangeDepth is how deep a changed value is taken apart.
	maxChangeDepth = 4
)

const (
	changeOld = ".old"
	changeNew = ".new"
)

// The members of an attribute of an event, and those that other producers call them.
const (
	fieldName     = "name"
	fieldOld      = "old"
	fieldNew      = "new"
	fieldOldValue = "oldValue"
	fieldNewValue = "newValue"
)

// changes collects the attributes that tell what was read or changed: their names in a list, the values one by one.
type changes struct {
	r      *reading
	a      *attributes
	facts  changeFacts
	names  pcommon.Slice
	listed int
	values int
}

// list adds the attributes of an event, in any of their forms: a list of objects or names, one object, or an object with a
// member for each.
func (c *changes) list(ev *event) {
	switch ev.changes.Kind() {
	case jsonlog.Array:
		for n := range ev.changes.Children() {
			change := n
			if n.Kind() == jsonlog.String {
				change = c.r.open(n.Str())
			}
			if change.Kind() == jsonlog.Object {
				c.one(ev, change)
			} else {
				c.name(n.Scalar(), ev.changes.Len())
			}
		}
	case jsonlog.Object:
		if ev.changes.Get(fieldName).Kind() != jsonlog.None {
			c.one(ev, ev.changes)
			return
		}
		for n := range ev.changes.Children() {
			c.name(n.Key(), ev.changes.Len())
		}
		c.members("", ev.changes)
	}
}

// one adds an attribute. A producer that writes a whole object as an attribute's name is described like one that writes it
// as data.
func (c *changes) one(ev *event, change jsonlog.Node) {
	name := present(change.Get(fieldName).Scalar())
	if name != "" && name[0] == '{' {
		if whole := c.r.open(name); whole.Kind() == jsonlog.Object {
			for n := range whole.Children() {
				ev.in.set(n.Key(), n.Scalar())
			}
			c.r.describeData(ev, c.a, whole)
			return
		}
	}
	if name == "" {
		return
	}
	c.name(name, ev.changes.Len())
	c.value(name, changeOld, change.Get(fieldOld), 0)
	c.value(name, changeNew, change.Get(fieldNew), 0)
}

func (c *changes) name(name string, of int) {
	if name = present(name); name == "" {
		return
	}
	if c.listed == maxNames {
		c.a.dropped++
		return
	}
	if c.listed == 0 {
		c.names = c.a.dst.PutEmptySlice(attrChanges)
		c.names.EnsureCapacity(min(of, maxNames))
	}
	c.names.AppendEmpty().SetStr(name)
	c.listed++
}

// members adds the members of an object, each of which is a value or says what it was and is.
func (c *changes) members(path string, n jsonlog.Node) {
	for m := range n.Children() {
		c.member(path, m)
	}
}

func (c *changes) member(path string, m jsonlog.Node) {
	old, now := c.oldAndNew(m)
	if old.Kind() == jsonlog.None && now.Kind() == jsonlog.None {
		c.value(c.join(path, m.Key()), changeNew, m, 0)
		return
	}
	name := c.join(path, m.Key())
	c.value(name, changeOld, old, 0)
	c.value(name, changeNew, now, 0)
}

func (c *changes) oldAndNew(m jsonlog.Node) (old, now jsonlog.Node) {
	if m.Kind() != jsonlog.Object {
		return old, now
	}
	for n := range m.Children() {
		switch n.Key() {
		case fieldOld, fieldOldValue:
			old = n
		case fieldNew, fieldNewValue:
			now = n
		}
	}
	return old, now
}

// value adds a value's scalars, each with the path to it.
func (c *changes) value(path, side string, n jsonlog.Node, depth int) {
	if n.Kind() == jsonlog.String {
		text := n.Str()
		opened := c.r.open(text)
		if opened.Kind() == jsonlog.None {
			c.scalar(path, side, text)
			return
		}
		n = opened
	}
	switch n.Kind() {
	case jsonlog.Object, jsonlog.Array:
		if depth == maxChangeDepth {
			c.a.dropped++
			return
		}
		i := 0
		for m := range n.Children() {
			name := m.Key()
			if n.Kind() == jsonlog.Array {
				name = indexed(i)
			}
			c.value(c.join(path, name), side, m, depth+1)
			i++
		}
	default:
		c.scalar(path, side, n.Scalar())
	}
}

func (c *changes) scalar(path, side, value string) {
	if value = present(value); value == "" || path == "" {
		return
	}
	if len(value) > maxChange || len(path) > maxKey || c.values == maxChanges {
		c.a.dropped++
		return
	}
	c.values++
	c.facts.set(path[strings.LastIndexByte(path, '.')+1:], value)
	if key := c.r.arena.Join(attrChange, path, side); !c.a.put(key, value) {
		c.a.twin(key, value)
	}
}

// payload adds what data holds beside its scalars: Cloud Integration's attributes and their changes, an entity, findings.
func (c *changes) payload(data, wrapped jsonlog.Node) {
	for n := range data.Children() {
		if n == wrapped {
			continue
		}
		key, value := n.Key(), n
		if n.Kind() == jsonlog.String && (key == "attributes" || key == "changedAttributes" || key == "entity") {
			value = c.r.open(n.Str())
		}
		switch {
		case value.Kind() != jsonlog.Object && value.Kind() != jsonlog.Array:
		case key == "attributes" || key == "changedAttributes":
			c.members("", value)
		default:
			c.value(key, changeNew, value, 0)
		}
	}
}

func indexed(i int) string {
	if i < len(indexes) {
		return indexes[i]
	}
	return strconv.Itoa(i)
}

var indexes = [...]string{"0", "1", "2", "3", "4", "5", "6", "7"}

func (c *changes) join(path, name string) string {
	if path == "" {
		return name
	}
	return c.r.arena.Join(path, ".", name)
}
