// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/readme"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
)

const (
	readmePath = "README.md"
	houseRoot  = "../.."
)

// What is printed as a configuration must work when it is copied.
func TestConfigsInTheReadmesAreValid(t *testing.T) {
	t.Setenv("SIEM_TOKEN", "token")
	dir := t.TempDir()
	for _, key := range []string{"sap-service-key.json", "prod.json", "test.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, key), []byte(toJSON(t, secretServiceKey())), 0o600))
	}
	for _, file := range []string{readmePath, filepath.Join(houseRoot, readmePath)} {
		checked := 0
		for _, block := range readme.YAMLBlocks(readme.Read(t, file)) {
			path := filepath.Join(dir, "config.yaml")
			require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(block, "/etc/otelcol-audit", dir)), 0o600))
			receivers, err := resolve(t, path).Sub("receivers")
			require.NoError(t, err)
			for id := range receivers.ToStringMap() {
				if kind, _, _ := strings.Cut(id, "/"); kind != "sap_btp_audit" {
					continue
				}
				section, err := receivers.Sub(id)
				require.NoError(t, err)
				cfg := createDefaultConfig()
				require.NoError(t, section.Unmarshal(cfg), block)
				require.NoError(t, confmap.Validate(cfg), block)
				checked++
			}
		}
		require.Positive(t, checked, file)
	}
}

func TestReadmeNamesEveryOption(t *testing.T) {
	text := readme.Read(t, readmePath)
	readme.RequireOptions(t, text, reflect.TypeFor[Config](), reflect.TypeFor[confighttp.ClientConfig]())
}

func TestReadmeNamesEveryMetric(t *testing.T) {
	text := readme.Read(t, readmePath)
	readme.RequireMetrics(t, text, readme.Read(t, "metadata.yaml"))
	readme.RequireNamed(t, text,
		reasonHandle, reasonRepeated, reasonEndless, reasonFullLast, reasonEmptyLast, reasonEmpty, reasonLarge, reasonMalformed,
		reasonTooLarge, reasonCategories, reasonServer, reasonRefused, reasonExpired, dropCategory, dropOwn,
		auditlog.OutcomeOK, auditlog.OutcomeEmpty, auditlog.OutcomeThrottled, auditlog.OutcomeUnauthorized, auditlog.OutcomeForbidden,
		auditlog.OutcomeClientError, auditlog.OutcomeServerError, auditlog.OutcomeNetwork, auditlog.OutcomeTimeout, auditlog.OutcomeProtocol)
}

// The golden files have the attributes of every known producer.
func TestReadmeNamesEveryAttribute(t *testing.T) {
	text := readme.Read(t, readmePath)
	files, err := filepath.Glob("../../testdata/sap-btp-audit/golden/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	family := regexp.MustCompile(`^(sap\.btp\.audit\.(?:object\.id|data_subject\.id|cis|data)\.).+`)
	change := regexp.MustCompile(`^(sap\.btp\.audit\.change\.).+(\.old|\.new)$`)
	for _, file := range files {
		logs, err := golden.ReadLogs(file)
		require.NoError(t, err)
		resource := logs.ResourceLogs().At(0).Resource().Attributes()
		for key := range resource.All() {
			readme.RequireNamed(t, text, key)
		}
		for _, lr := range observed.Records(logs) {
			readme.RequireNamed(t, text, lr.EventName())
			for key := range lr.Attributes().All() {
				key = change.ReplaceAllString(key, "${1}<name>${2}")
				readme.RequireNamed(t, text, family.ReplaceAllString(key, "${1}<key>"))
			}
		}
	}
}

func TestReadmeNamesEveryAttributeOfAGapRecord(t *testing.T) {
	text := readme.Read(t, readmePath)
	mapper := record.NewMapper(record.Options{})
	_, into := mapper.NewLogs()
	mapper.AppendGap(into, "subaccount", time.Unix(0, 0), time.Unix(60, 0), reasonExpired, time.Unix(60, 0))
	readme.RequireNamed(t, text, into.At(0).EventName())
	for key := range into.At(0).Attributes().All() {
		readme.RequireNamed(t, text, key)
	}
}

// A message that the README explains must be one that the program prints.
func TestReadmeQuotesMessagesThatExist(t *testing.T) {
	readme.RequireMessages(t, readme.Read(t, readmePath), readme.Sources(t, ".", filepath.Join(houseRoot, "internal")), 21)
}
