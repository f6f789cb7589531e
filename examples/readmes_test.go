// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Whole configurations that the READMEs print are checked by the real program; parts of them are checked by the receiver's
// own tests.
func TestConfigsInTheReadmesAreValid(t *testing.T) {
	dir := t.TempDir()
	key := sapbtp.New(sapbtp.Options{}).Subaccount(0).ServiceKey(sapbtp.SecretKey)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sap-service-key.json"), key, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "saas-security-secret"), []byte("secret"), 0o600))
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, readme := range []string{"../README.md", "../receiver/sapbtpauditreceiver/README.md", "../receiver/saassecurityreceiver/README.md"} {
		text, err := os.ReadFile(readme)
		require.NoError(t, err)
		whole := 0
		for _, found := range block.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(found[1], "\nservice:\n") {
				continue
			}
			whole++
			config := filepath.Join(dir, "config.yaml")
			// The folders are those of a machine on which it is installed.
			text := strings.NewReplacer("/etc/otelcol-audit", dir, "/var/lib/otelcol-audit", filepath.Join(dir, "state")).Replace(found[1])
			require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
			require.Empty(t, distribution.ValidateArgs(t, []string{"SIEM_TOKEN=" + token}, "--config", config), readme)
		}
		require.Positive(t, whole, readme)
	}
}

// What an exporter means by "accepted" has to be said of each that the distribution has.
func TestReadmesSayOfEachExporterWhetherItKeepsThePromise(t *testing.T) {
	names := map[string]string{ // the Collector's types by module
		"debugexporter": "debug", "otlpexporter": "otlp_grpc", "otlphttpexporter": "otlp_http",
		"azuremonitorexporter": "azure_monitor", "fileexporter": "file", "googlecloudexporter": "googlecloud",
	}
	var program struct {
		Exporters []struct {
			Module string `yaml:"gomod"`
		} `yaml:"exporters"`
	}
	readYAML(t, "../builder-config.yaml", &program)
	require.NotEmpty(t, program.Exporters)
	for _, readme := range []string{"../README.md", "../receiver/sapbtpauditreceiver/README.md", "../receiver/saassecurityreceiver/README.md"} {
		text, err := os.ReadFile(readme)
		require.NoError(t, err)
		var rows []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| exporter `") || strings.HasPrefix(line, "| synchronous processors, exporter `") || strings.HasPrefix(line, "| `") {
				rows = append(rows, strings.Split(line, " | ")[0])
			}
		}
		for _, exporter := range program.Exporters {
			name := names[filepath.Base(strings.Fields(exporter.Module)[0])]
			require.NotEmpty(t, name, exporter.Module)
			require.Contains(t, strings.Join(rows, "\n"), "`"+name+"`", readme)
		}
	}
}

// A full queue of Collector v0.161 can stop for ever when calls that wait for room are cancelled.
func TestNoExampleWaitsForRoomInAQueue(t *testing.T) {
	configs, err := filepath.Glob("*/config.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, configs)
	for _, path := range configs {
		var config struct {
			Exporters map[string]struct {
				Queue struct {
					Blocks bool `yaml:"block_on_overflow"`
				} `yaml:"sending_queue"`
			} `yaml:"exporters"`
		}
		readYAML(t, path, &config)
		require.NotEmpty(t, config.Exporters, path)
		for name, exporter := range config.Exporters {
			require.False(t, exporter.Queue.Blocks, "%s of %s", name, path)
		}
	}
}
