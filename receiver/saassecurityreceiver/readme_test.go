// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

func TestReadmePrintsThePromise(t *testing.T) {
	flat := strings.Join(strings.Fields(strings.ReplaceAll(readFile(t, "README.md"), "\n>", "\n")), " ")
	require.Contains(t, flat, "Every batch committed to the spool is delivered at least once; between the server's dequeue and that commit "+
		"at most 100 events per open read can be lost by a crash, and each such read is counted.")
}

// What is printed as a configuration must work when it is copied.
func TestConfigsInTheReadmeAreValid(t *testing.T) {
	checked := 0
	for _, found := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1) {
		var block map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(found[1]), &block))
		receivers, ok := block["receivers"].(map[string]any)
		if !ok {
			continue
		}
		cfg := createDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(receivers["saas_security"].(map[string]any)).Unmarshal(cfg), found[1])
		require.NoError(t, confmap.Validate(cfg), found[1])
		checked++
	}
	require.Equal(t, 2, checked)
}

func TestReadmeNamesEveryOptionRegionAndCause(t *testing.T) {
	readme := readFile(t, "README.md")
	for _, config := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[SpoolConfig](), reflect.TypeFor[confighttp.ClientConfig]()} {
		for field := range config.Fields() {
			if key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ","); key != "" {
				require.Contains(t, readme, "`"+key+"`")
			}
		}
	}
	for _, host := range regions {
		require.Contains(t, readme, "`https://"+host+"`")
	}
	for _, cause := range []string{
		causeDelivery, causeExpiry, causeGap, causeLost, causeQuarantine, causeReading, causeReplay, causeSpool, causeStorage, causeTerm,
	} {
		require.Contains(t, readme, "`"+cause+"`")
	}
}

func TestReadmeNamesEveryMetric(t *testing.T) {
	var metadata struct {
		Telemetry struct {
			Metrics map[string]any `yaml:"metrics"`
		} `yaml:"telemetry"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, "metadata.yaml")), &metadata))
	require.NotEmpty(t, metadata.Telemetry.Metrics)
	readme := readFile(t, "README.md")
	for name := range metadata.Telemetry.Metrics {
		require.Contains(t, readme, "| `otelcol_"+name+"` |")
	}
	for kind := httpcall.KindNetwork; kind <= httpcall.KindProtocol; kind++ {
		require.Contains(t, readme, "`"+kind.String()+"`")
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
		require.Contains(t, readme, "`"+r.unknown()+"`")
	}
	for _, odd := range oddities {
		require.Contains(t, readme, "`"+odd+"`")
	}
}

func TestReadmeNamesEveryAttribute(t *testing.T) {
	readme := readFile(t, "README.md")
	files, err := filepath.Glob("../../testdata/saas-security/golden/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	requireNamed := func(logs plog.Logs) {
		for _, rl := range logs.ResourceLogs().All() {
			for key := range rl.Resource().Attributes().All() {
				require.Contains(t, readme, "`"+key+"`")
			}
		}
		for _, lr := range records(logs) {
			for key := range lr.Attributes().All() {
				field, ours := strings.CutPrefix(key, "saas_security.")
				if ours && !strings.Contains(field, ".") {
					require.Contains(t, readme, "`"+field+"`")
				} else {
					require.Contains(t, readme, "`"+key+"`")
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
	require.Contains(t, readme, "`"+eventGap+"`")
	require.Contains(t, readme, "`"+eventUnparsed+"`")
	require.Contains(t, readme, "`"+attrReason+"`")
	require.Contains(t, readme, "`"+attrIncomplete+"`")
}

// A message that the README explains must be one that the program prints.
func TestReadmeQuotesMessagesThatExist(t *testing.T) {
	_, troubles, found := strings.Cut(readFile(t, "README.md"), "\n## Troubleshooting\n")
	require.True(t, found)
	troubles, _, _ = strings.Cut(troubles, "\n## ")
	sources := strings.ReplaceAll(sourcesOf(t, ".", "../../internal"), `"+pathBulk+"`, pathBulk)
	quotes := 0
	for line := range strings.Lines(troubles) {
		cell := line // a sentence, or else the first column of a table
		if strings.HasPrefix(line, "|") {
			cell = strings.Split(line, "|")[1]
		}
		for _, message := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			quotes++
			require.Contains(t, sources, message[1])
		}
	}
	require.Greater(t, quotes, 15)
}

// sourcesOf is all Go code below the folders, without tests.
func sourcesOf(t *testing.T, folders ...string) string {
	t.Helper()
	var sources strings.Builder
	for _, folder := range folders {
		require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && slices.Contains([]string{"simulator", "cmd", "testdata"}, entry.Name()) {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				sources.WriteString(readFile(t, path))
			}
			return nil
		}))
	}
	return sources.String()
}
