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
