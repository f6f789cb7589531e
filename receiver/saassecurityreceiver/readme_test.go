// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/readme"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

func TestReadmePrintsThePromise(t *testing.T) {
	flat := strings.Join(strings.Fields(strings.ReplaceAll(readme.Read(t, "README.md"), "\n>", "\n")), " ")
	require.Contains(t, flat, "Every batch committed to the spool is delivered at least once; between the server's dequeue and that commit "+
		"at most 100 events per open read can be lost by a crash, and each such read is counted.")
}

// What is printed as a configuration must work when it is copied.
func TestConfigsInTheReadmeAreValid(t *testing.T) {
	checked := 0
	for _, text := range readme.YAMLBlocks(readme.Read(t, "README.md")) {
		var block map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &block))
		receivers, ok := block["receivers"].(map[string]any)
		if !ok {
			continue
		}
		cfg := createDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(receivers["saas_security"].(map[string]any)).Unmarshal(cfg), text)
		require.NoError(t, confmap.Validate(cfg), text)
		checked++
	}
	require.Equal(t, 2, checked)
}

func TestReadmeNamesEveryOptionRegionAndCause(t *testing.T) {
	text := readme.Read(t, "README.md")
	readme.RequireOptions(t, text, reflect.TypeFor[Config](), reflect.TypeFor[SpoolConfig](), reflect.TypeFor[confighttp.ClientConfig]())
	for _, host := range regions {
		readme.RequireNamed(t, text, "https://"+host)
	}
	readme.RequireNamed(t, text,
		causeDelivery, causeExpiry, causeGap, causeLost, causeQuarantine, causeReading, causeReplay, causeSpool, causeStorage, causeTerm)
}

func TestReadmeNamesEveryMetric(t *testing.T) {
	text := readme.Read(t, "README.md")
	readme.RequireMetrics(t, text, readme.Read(t, "metadata.yaml"))
	for kind := httpcall.KindNetwork; kind <= httpcall.KindProtocol; kind++ {
		readme.RequireNamed(t, text, kind.String())
	}
	for _, r := range []reply{
		{sent: 2},
		{sent: 1, err: errDown},
		{sent: 1, err: errDown, truncated: true},
		{sent: 1, err: &httpcall.Error{Kind: httpcall.KindCanceled}},
		{sent: 1, err: &httpcall.Error{Kind: httpcall.KindTimeout}},
		{sent: 1, err: &httpcall.Error{Kind: httpcall.KindServer}},
	} {
		require.NotEmpty(t, r.unknown())
		readme.RequireNamed(t, text, r.unknown())
	}
	readme.RequireNamed(t, text, slices.Collect(maps.Values(oddities))...)
}

func TestReadmeNamesEveryAttribute(t *testing.T) {
	text := readme.Read(t, "README.md")
	files, err := filepath.Glob("../../testdata/saas-security/golden/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	requireNamed := func(logs plog.Logs) {
		for _, rl := range logs.ResourceLogs().All() {
			for key := range rl.Resource().Attributes().All() {
				readme.RequireNamed(t, text, key)
			}
		}
		for _, lr := range observed.Records(logs) {
			for key := range lr.Attributes().All() {
				field, ours := strings.CutPrefix(key, "saas_security.")
				if ours && !strings.Contains(field, ".") {
					readme.RequireNamed(t, text, field)
				} else {
					readme.RequireNamed(t, text, key)
				}
			}
		}
	}
	for _, file := range files {
		logs, err := golden.ReadLogs(file)
		require.NoError(t, err)
		requireNamed(logs)
	}
	m := newMapping(createDefaultConfig().(*Config), "id", "1")
	gap := plog.NewLogs()
	m.appendGap(gap, &spool.Entry{Batch: spool.Batch{Body: []byte("{}")}})
	requireNamed(gap)
	readme.RequireNamed(t, text, eventGap, eventUnparsed, attrReason, attrIncomplete)
}

// A message that the README explains must be one that the program prints.
func TestReadmeQuotesMessagesThatExist(t *testing.T) {
	sources := strings.ReplaceAll(readme.Sources(t, ".", "../../internal"), `"+pathBulk+"`, pathBulk)
	readme.RequireMessages(t, readme.Read(t, "README.md"), sources, 16)
}
