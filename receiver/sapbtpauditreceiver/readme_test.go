// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
)

const (
	readmePath = "README.md"
	houseRoot  = "../.."
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

// What is printed as a configuration must work when it is copied.
func TestConfigsInTheReadmesAreValid(t *testing.T) {
	t.Setenv("SIEM_TOKEN", "token")
	dir := t.TempDir()
	for _, key := range []string{"sap-service-key.json", "prod.json", "test.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, key), []byte(toJSON(t, secretServiceKey())), 0o600))
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, readme := range []string{readmePath, filepath.Join(houseRoot, readmePath)} {
		checked := 0
		for _, found := range block.FindAllStringSubmatch(readFile(t, readme), -1) {
			path := filepath.Join(dir, "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(found[1], "/etc/otelcol-audit", dir)), 0o600))
			receivers, err := resolve(t, path).Sub("receivers")
			require.NoError(t, err)
			for id := range receivers.ToStringMap() {
				if kind, _, _ := strings.Cut(id, "/"); kind != "sap_btp_audit" {
					continue
				}
				section, err := receivers.Sub(id)
				require.NoError(t, err)
				cfg := createDefaultConfig()
				require.NoError(t, section.Unmarshal(cfg), found[1])
				require.NoError(t, confmap.Validate(cfg), found[1])
				checked++
			}
		}
		require.Positive(t, checked, readme)
	}
}

func TestReadmeNamesEveryOption(t *testing.T) {
	readme := readFile(t, readmePath)
	for _, config := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[confighttp.ClientConfig]()} {
		for field := range config.Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
			if key != "" {
				require.Contains(t, readme, "`"+key+"`")
			}
		}
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
	readme := readFile(t, readmePath)
	for name := range metadata.Telemetry.Metrics {
		require.Contains(t, readme, "| `otelcol_"+name+"` |")
	}
	for _, value := range []string{
		reasonHandle, reasonRepeated, reasonEndless, reasonFullLast, reasonEmpty, reasonLarge, reasonMalformed, reasonTooLarge,
		reasonCategories, reasonServer, reasonRefused, reasonExpired, dropCategory, dropOwn,
		auditlog.OutcomeOK, auditlog.OutcomeEmpty, auditlog.OutcomeThrottled, auditlog.OutcomeUnauthorized, auditlog.OutcomeForbidden,
		auditlog.OutcomeClientError, auditlog.OutcomeServerError, auditlog.OutcomeNetwork, auditlog.OutcomeTimeout, auditlog.OutcomeProtocol,
	} {
		require.Contains(t, readme, "`"+value+"`")
	}
}

// The golden files have the attributes of every known producer.
func TestReadmeNamesEveryAttribute(t *testing.T) {
	readme := readFile(t, readmePath)
	files, err := filepath.Glob("../../testdata/sap-btp-audit/golden/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	family := regexp.MustCompile(`^(sap\.btp\.audit\.(?:object\.id|data_subject\.id|cis|data)\.).+`)
	for _, file := range files {
		logs, err := golden.ReadLogs(file)
		require.NoError(t, err)
		resource := logs.ResourceLogs().At(0).Resource().Attributes()
		for key := range resource.All() {
			require.Contains(t, readme, "`"+key+"`")
		}
		for _, lr := range records(logs) {
			require.Contains(t, readme, "`"+lr.EventName()+"`")
			for key := range lr.Attributes().All() {
				require.Contains(t, readme, "`"+family.ReplaceAllString(key, "${1}<key>")+"`", file)
			}
		}
	}
}

func TestReadmeNamesEveryAttributeOfAGapRecord(t *testing.T) {
	readme := readFile(t, readmePath)
	mapper := record.NewMapper(record.Options{})
	_, into := mapper.NewLogs()
	mapper.AppendGap(into, "subaccount", time.Unix(0, 0), time.Unix(60, 0), reasonExpired, time.Unix(60, 0))
	require.Contains(t, readme, "`"+into.At(0).EventName()+"`")
	for key := range into.At(0).Attributes().All() {
		require.Contains(t, readme, "`"+key+"`")
	}
}

// A message that the README explains must be one that the program prints.
func TestReadmeQuotesMessagesThatExist(t *testing.T) {
	_, troubles, found := strings.Cut(readFile(t, readmePath), "\n## Troubleshooting\n")
	require.True(t, found)
	troubles, _, _ = strings.Cut(troubles, "\n## ")
	sources := sourcesOf(t, ".", filepath.Join(houseRoot, "internal"))
	quote := regexp.MustCompile("`([^`]+)`")
	quotes := 0
	for line := range strings.Lines(troubles) {
		cell := line // a sentence, or else the first column of a table
		if strings.HasPrefix(line, "|") {
			cell = strings.Split(line, "|")[1]
		}
		for _, message := range quote.FindAllStringSubmatch(cell, -1) {
			quotes++
			require.True(t, strings.Contains(sources, message[1]) || strings.HasPrefix(message[1], "otelcol_"), message[1])
		}
	}
	require.Greater(t, quotes, 20)
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
