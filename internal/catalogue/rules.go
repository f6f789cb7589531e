// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rule is a Sigma rule: its searches and how they are joined.
type rule struct {
	name, title string
	searches    map[string]any
	condition   string
}

// readRules reads the rules of SAP's events. There may be none yet.
func readRules(root string) (rules []rule, err error) {
	paths, err := filepath.Glob(below(root, "examples/detections/sigma/*.yml"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var document struct {
				Title     string
				LogSource map[string]string
				Detection map[string]any
			}
			if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			condition, _ := document.Detection["condition"].(string)
			if condition == "" || document.LogSource["product"] == "saas_security" {
				continue // a correlation, or of other events
			}
			delete(document.Detection, "condition")
			rules = append(rules, rule{strings.TrimSuffix(filepath.Base(path), ".yml"), document.Title, document.Detection, condition})
		}
	}
	return rules, nil
}

// typeFields tell of which type an event is. What a rule demands of others, such as a name or an outcome, is about one event.
var typeFields = map[string]bool{
	"audit.action": true, "audit.target.type": true, prefix + "category": true, prefix + "event_type": true, prefix + "object.type": true,
	prefix + "text": true, prefix + "cis.action": true, prefix + "cis.object_type": true, prefix + "cis.changed_attribute": true,
}

// reads tells whether a rule is about the type of an event. A rule that is about all types, such as of silence, is not.
func (r rule) reads(e event) bool {
	if !r.hasType() {
		return false
	}
	holds := map[string]bool{}
	for name, search := range r.searches {
		holds[name] = !strings.HasPrefix(name, "filter") && fits(search, e)
	}
	p := &parser{tokens: tokens.FindAllString(r.condition, -1), holds: holds}
	return p.or()
}

// hasType tells whether a rule is about certain types of events.
func (r rule) hasType() bool {
	for name, search := range r.searches {
		if !strings.HasPrefix(name, "filter") && demands(search) {
			return true
		}
	}
	return false
}

// demands tells whether a search says something about the type.
func demands(search any) bool {
	switch s := search.(type) {
	case []any:
		return slices.ContainsFunc(s, demands)
	case map[string]any:
		for key := range s {
			if field, _, _ := strings.Cut(key, "|"); typeFields[field] {
				return true
			}
		}
	}
	return false
}

// fits tells whether an event is of the type of a search: of a list one has to fit, of a map all.
func fits(search any, e event) bool {
	switch s := search.(type) {
	case []any:
		return slices.ContainsFunc(s, func(one any) bool { return fits(one, e) })
	case map[string]any:
		for key, wanted := range s {
			field, modifier, _ := strings.Cut(key, "|")
			if typeFields[field] && !is(e.attributes[field], modifier, wanted) {
				return false
			}
		}
		return true
	}
	return false
}

func is(has, modifier string, wanted any) bool {
	values, isList := wanted.([]any)
	if !isList {
		values = []any{wanted}
	}
	has = strings.ToLower(has)
	for _, value := range values {
		want := strings.ToLower(fmt.Sprint(value))
		switch modifier {
		case "re":
			if found, err := regexp.MatchString("(?i)"+fmt.Sprint(value), has); err == nil && found {
				return true
			}
			continue
		case "startswith":
			want += "*"
		case "endswith":
			want = "*" + want
		case "contains":
			want = "*" + want + "*"
		}
		pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(want))
		if has != "" && regexp.MustCompile("(?s)^"+pattern+"$").MatchString(has) {
			return true
		}
	}
	return false
}

var tokens = regexp.MustCompile(`[()]|[^()\s]+`)

// parser reads the condition of a rule.
type parser struct {
	tokens []string
	holds  map[string]bool
}

func (p *parser) next(words ...string) bool {
	if len(p.tokens) < len(words) || !slices.Equal(p.tokens[:len(words)], words) {
		return false
	}
	p.tokens = p.tokens[len(words):]
	return true
}

func (p *parser) or() bool {
	holds := p.and()
	for p.next("or") {
		holds = p.and() || holds
	}
	return holds
}

func (p *parser) and() bool {
	holds := p.one()
	for p.next("and") {
		holds = p.one() && holds
	}
	return holds
}

func (p *parser) one() bool {
	switch {
	case p.next("not"):
		return !p.one()
	case p.next("("):
		holds := p.or()
		p.next(")")
		return holds
	case len(p.tokens) == 0:
		return false
	}
	all := p.next("all", "of")
	if !all {
		p.next("1", "of")
	}
	if len(p.tokens) == 0 {
		return false
	}
	pattern := p.tokens[0]
	p.tokens = p.tokens[1:]
	holds := all
	for name, held := range p.holds {
		if matched, _ := filepath.Match(pattern, name); matched || pattern == "them" {
			if all {
				holds = holds && held
			} else {
				holds = holds || held
			}
		}
	}
	return holds
}
