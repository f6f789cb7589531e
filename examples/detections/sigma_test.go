// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package detections

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// sigmaRule is a document of a Sigma file: a rule of events, or a correlation of them.
type sigmaRule struct {
	Title, ID, Name, Status, Description, Author, Date, Level string
	Tags, FalsePositives                                      []string
	LogSource                                                 map[string]string
	Detection                                                 map[string]any
	Correlation                                               *correlation
}

type correlation struct {
	Type      string
	Rules     []string
	GroupBy   []string `yaml:"group-by"`
	Timespan  string
	Condition map[string]any
}

// sigmaOf is the rule of a detection and, if it counts, its correlation.
func sigmaOf(t *testing.T, detection string) (rule, counts *sigmaRule) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("sigma", detection+".yml"))
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	for {
		document := &sigmaRule{}
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, detection)
		if document.Correlation != nil {
			require.Nil(t, counts, detection)
			counts = document
		} else {
			require.Nil(t, rule, detection)
			rule = document
		}
	}
	require.NotNil(t, rule, detection)
	return rule, counts
}

var spans = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}

func (c *correlation) span() (time.Duration, error) {
	if c.Timespan == "" {
		return 0, errors.New("no timespan")
	}
	end := len(c.Timespan) - 1
	n, err := strconv.Atoi(c.Timespan[:end])
	unit := spans[c.Timespan[end]]
	if err != nil || n <= 0 || unit == 0 {
		return 0, fmt.Errorf("timespan %q", c.Timespan)
	}
	return time.Duration(n) * unit, nil
}

// groups is the groups of events for which the correlation holds at a moment: gt in any time of the span, lt in the last one.
func (c *correlation) groups(t *testing.T, events []event, at time.Time) []row {
	t.Helper()
	span, err := c.span()
	require.NoError(t, err)
	byGroup := map[string][]event{}
	for _, e := range events {
		var key strings.Builder
		for _, field := range c.GroupBy {
			key.WriteString(e[field] + "\x00")
		}
		byGroup[key.String()] = append(byGroup[key.String()], e)
	}
	field, _ := c.Condition["field"].(string)
	var holds []row
	for _, group := range byGroup {
		slices.SortFunc(group, func(a, b event) int { return strings.Compare(a["_time"], b["_time"]) })
		held := false
		if limit, is := c.Condition["lt"].(int); is {
			held = distinct(group, field, at.Add(-span), at) < limit
		} else {
			for i := range group {
				from := timeOf(t, group[i])
				held = held || distinct(group[i:], field, from, from.Add(span)) > c.Condition["gt"].(int)
			}
		}
		if held {
			r := row{}
			for _, field := range c.GroupBy {
				r[field] = group[0][field]
			}
			holds = append(holds, r)
		}
	}
	return holds
}

// distinct is how many values a field has in a time; how many events there are if there is no field.
func distinct(events []event, field string, from, to time.Time) int {
	values := map[string]bool{}
	for i, e := range events {
		at, err := time.Parse(time.RFC3339Nano, e["_time"])
		if err != nil || at.Before(from) || !at.Before(to) {
			continue
		}
		if field == "" {
			values[strconv.Itoa(i)] = true
		} else if e[field] != "" {
			values[e[field]] = true
		}
	}
	return len(values)
}

func timeOf(t *testing.T, e event) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, e["_time"])
	require.NoError(t, err)
	return at
}

// matches tells whether the rule's condition holds for an event. expand has the values of placeholders.
func (s *sigmaRule) matches(e event, expand map[string][]string) (bool, error) {
	c := &condition{tokens: conditionToken.FindAllString(s.Detection["condition"].(string), -1)}
	for name, search := range s.Detection {
		if name != "condition" {
			holds, err := searchHolds(search, e, expand)
			if err != nil {
				return false, fmt.Errorf("%s: %w", name, err)
			}
			c.found = append(c.found, named{name, holds})
		}
	}
	holds := c.or()
	if c.err == nil && len(c.tokens) > 0 {
		c.err = fmt.Errorf("the condition goes on with %q", c.tokens[0])
	}
	return holds, c.err
}

// searchHolds reads a search: of a list one has to hold, of a map all.
func searchHolds(search any, e event, expand map[string][]string) (bool, error) {
	switch s := search.(type) {
	case []any:
		for _, one := range s {
			if holds, err := searchHolds(one, e, expand); holds || err != nil {
				return holds, err
			}
		}
		return false, nil
	case map[string]any:
		for key, values := range s {
			if holds, err := fieldHolds(key, values, e, expand); !holds || err != nil {
				return false, err
			}
		}
		return true, nil
	default:
		return false, fmt.Errorf("a search of type %T", search)
	}
}

func fieldHolds(key string, values any, e event, expand map[string][]string) (bool, error) {
	field, modifier, _ := strings.Cut(key, "|")
	list, is := values.([]any)
	if !is {
		list = []any{values}
	}
	for _, value := range list {
		if holds, err := valueHolds(e[field], modifier, fmt.Sprint(value), expand); holds || err != nil {
			return holds, err
		}
	}
	return false, nil
}

// valueHolds compares as Sigma does: without case, with wildcards where there is no modifier.
func valueHolds(has, modifier, want string, expand map[string][]string) (bool, error) {
	lower, sought := strings.ToLower(has), strings.ToLower(want)
	switch modifier {
	case "":
		pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(sought))
		return lower != "" && regexp.MustCompile("(?s)^"+pattern+"$").MatchString(lower), nil
	case "contains":
		return strings.Contains(lower, sought), nil
	case "startswith":
		return strings.HasPrefix(lower, sought), nil
	case "re":
		expression, err := regexp.Compile(want)
		return err == nil && expression.MatchString(has), err
	case "gte":
		limit, err := strconv.ParseFloat(want, 64)
		if err != nil {
			return false, err
		}
		n, err := strconv.ParseFloat(has, 64)
		return err == nil && n >= limit, nil //nolint:nilerr // what is no number is not greater
	case "expand":
		values, known := expand[strings.Trim(want, "%")]
		if !known {
			return false, fmt.Errorf("nobody knows the placeholder %s", want)
		}
		return slices.Contains(values, has), nil
	default:
		return false, fmt.Errorf("unknown modifier %q", modifier)
	}
}

var conditionToken = regexp.MustCompile(`[()]|[^()\s]+`)

type named struct {
	name  string
	holds bool
}

// condition reads what a rule's searches have to be together.
type condition struct {
	tokens []string
	found  []named
	err    error
}

func (c *condition) next(token string) bool {
	if len(c.tokens) == 0 || c.tokens[0] != token {
		return false
	}
	c.tokens = c.tokens[1:]
	return true
}

func (c *condition) or() bool {
	holds := c.and()
	for c.next("or") {
		other := c.and()
		holds = holds || other
	}
	return holds
}

func (c *condition) and() bool {
	holds := c.one()
	for c.next("and") {
		other := c.one()
		holds = holds && other
	}
	return holds
}

func (c *condition) one() bool {
	switch {
	case c.err != nil:
		return false
	case c.next("not"):
		return !c.one()
	case c.next("("):
		holds := c.or()
		if !c.next(")") {
			c.err = errors.New("a bracket is not closed")
		}
		return holds
	case c.next("1"):
		if !c.next("of") {
			c.err = errors.New("1 without of")
		}
	}
	if len(c.tokens) == 0 {
		c.err = errors.New("the condition ends too early")
		return false
	}
	name := c.tokens[0]
	c.tokens = c.tokens[1:]
	known, holds := false, false
	for _, f := range c.found {
		if matched, _ := filepath.Match(name, f.name); matched {
			known, holds = true, holds || f.holds
		}
	}
	if !known {
		c.err = fmt.Errorf("the condition names %q, which is not there", name)
	}
	return holds
}

// fields is the names of all fields that the rule reads.
func (s *sigmaRule) fields() []string {
	names := map[string]bool{}
	for name, search := range s.Detection {
		if m, is := search.(map[string]any); is && name != "condition" {
			for key := range m {
				field, _, _ := strings.Cut(key, "|")
				names[field] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
