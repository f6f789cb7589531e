// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package detections

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// fixture is what testdata holds for one detection; testdata/README.md explains it.
type fixture struct {
	Hits, Misses []incident
	Rows         []row
	Expand       map[string][]string // values of Sigma's placeholders

	Absence       bool          // it tells of what is not there
	Later         time.Duration // when it is asked again
	LaterRows     []row         `yaml:"later_rows"`
	SigmaMinAge   time.Duration `yaml:"sigma_older_than"`
	SigmaRowsVary bool          `yaml:"sigma_rows_differ"`
}

// row is one of a query's results: labels, and the value by its name.
type row map[string]string

// incident is one event of a fixture, or several that are alike.
type incident struct {
	Name       string
	Subaccount int
	Ago        time.Duration
	Times      int
	Every      time.Duration
	Also       []string
	SAP, SaaS  map[string]any
	Raw        string
}

const (
	usualAge = 20 * time.Minute
	// marker is a field of SaaS Security's events that nobody uses. SAP's have a message_uuid.
	marker = "future_use2"
)

func readFixtures(t *testing.T) map[string]*fixture {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	fixtures := map[string]*fixture{}
	for _, path := range paths {
		f := &fixture{}
		readYAML(t, path, f)
		fixtures[strings.TrimSuffix(filepath.Base(path), ".yaml")] = f
	}
	return fixtures
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into), path)
}

// corpus is all events of all fixtures.
type corpus struct {
	at    time.Time // the moment that ages are counted from
	sap   map[int][]sapbtp.Record
	saas  []string
	found map[string][]string // by detection the events that it has to find
	holes int                 // records that SAP cannot show
}

func newCorpus(t *testing.T, at time.Time, fixtures map[string]*fixture) *corpus {
	t.Helper()
	c := &corpus{at: at, sap: map[int][]sapbtp.Record{}, found: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(fixtures)) {
		for i := range fixtures[name].Hits {
			c.add(t, fmt.Sprintf("%s/hit/%d", name, i), &fixtures[name].Hits[i], name)
		}
		for i := range fixtures[name].Misses {
			c.add(t, fmt.Sprintf("%s/miss/%d", name, i), &fixtures[name].Misses[i])
		}
	}
	return c
}

func (c *corpus) add(t *testing.T, id string, what *incident, by ...string) {
	t.Helper()
	if what.Ago == 0 {
		what.Ago = usualAge
	}
	for n := range max(what.Times, 1) {
		each := id + "/" + strconv.Itoa(n)
		// A second apart, so that the order is that of the file.
		when := c.at.Add(-what.Ago - time.Duration(n)*what.Every + time.Duration(n)*time.Second).UTC().Truncate(time.Millisecond)
		switch {
		case what.SAP != nil:
			c.sap[what.Subaccount] = append(c.sap[what.Subaccount], sapbtp.Record{JSON: sapRecord(t, each, when, n, what.SAP)})
		case what.SaaS != nil:
			event := numbered(what.SaaS, n).(map[string]any)
			event["timestamp"], event["serial"], event[marker] = when.Format(time.RFC3339Nano), "tenant-77", each
			c.saas = append(c.saas, text(t, event))
		case what.Raw != "":
			c.sap[what.Subaccount] = append(c.sap[what.Subaccount], sapbtp.Record{Time: when, ID: each, JSON: []byte(what.Raw)})
			c.holes++
			continue
		default:
			require.Fail(t, "an event needs sap, saas or raw", id)
		}
		for _, detection := range append(by, what.Also...) {
			c.found[detection] = append(c.found[detection], each)
		}
	}
}

// events is how many records have to arrive, holes in the trail not counted.
func (c *corpus) events() int {
	n := len(c.saas) - c.holes
	for _, records := range c.sap {
		n += len(records)
	}
	return n
}

func (c *corpus) serve(sap *sapbtp.Simulator, saas *saassecurity.Simulator) {
	for i, records := range c.sap {
		sap.Add(sap.Subaccount(i).Tenant, records...)
	}
	saas.EnqueueRaw(c.saas...)
}

// sapRecord is a record as the API shows it: its message is JSON in a text, and so is data in that.
func sapRecord(t *testing.T, id string, when time.Time, n int, members map[string]any) []byte {
	t.Helper()
	message := numbered(members, n).(map[string]any)
	user, category := message["user"], message["category"]
	if category == nil {
		category = "audit.security-events"
	}
	delete(message, "category")
	if line, is := message["uaa"]; is {
		delete(message, "uaa")
		message["data"] = map[string]any{"level": "INFO", "origin": nil, "msgNo": 1, "msgId": id, "message": line, "user": nil, "version": "1.0"}
	}
	if data, is := message["data"].(map[string]any); is {
		message["data"] = text(t, data)
	}
	at := when.Format("2006-01-02T15:04:05.000Z")
	message["uuid"], message["time"], message["category"] = id, at, category
	return []byte(text(t, map[string]any{
		"message_uuid": id, "time": at, "tenant": "t", "org_id": "-", "space_id": "-", "app_or_service_id": "app", "als_service_id": "als",
		"user": user, "category": category, "format_version": "", "message": text(t, message),
	}))
}

func text(t *testing.T, value any) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(value))
	return strings.TrimSuffix(b.String(), "\n")
}

// numbered is a copy of a value with n for {n} in its texts.
func numbered(value any, n int) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "{n}", strconv.Itoa(n))
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, member := range v {
			copied[key] = numbered(member, n)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i := range v {
			copied[i] = numbered(v[i], n)
		}
		return copied
	default:
		return value
	}
}
