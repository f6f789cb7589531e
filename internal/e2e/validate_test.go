// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// The receivers' own tests show every wrong configuration of theirs to the program; this is the quickstart's, with one change.
func TestValidateRejectsAWrongQuickstart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := sapbtp.New(sapbtp.Options{}).Subaccount(0).ServiceKey(sapbtp.SecretKey)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sap-service-key.json"), key, 0o600))
	for name, tc := range map[string]struct {
		change string // of the quickstart's configuration
		want   string // in the message; empty if it is valid
	}{
		"as it is":          {"receivers::sap_btp_audit::poll_interval: 2s", ""},
		"typo":              {"receivers::sap_btp_audit::pol_interval: 2s", "pol_interval"},
		"typo deeper":       {"receivers::sap_btp_audit::tls::min_versions: '1.3'", "min_versions"},
		"typo in retry":     {"receivers::sap_btp_audit::retry_on_failure::max_elapsed: 5m", "max_elapsed"},
		"two credentials":   {"receivers::sap_btp_audit::client_id: sb-x", "client_id"},
		"lookback too long": {"receivers::sap_btp_audit::initial_lookback: 2161h", "initial_lookback"},
		"empty service key": {"receivers::sap_btp_audit: {service_key: '{}'}", "service_key"},
		"unknown receiver":  {"receivers::sap_btp_audits: {}", "sap_btp_audits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := distribution.ValidateArgs(t, []string{
				"RUN_DIR=" + dir, "OTLP_PORT=4317", "METRICS_PORT=8888",
				"SAAS_URL=http://127.0.0.1:1", "SAAS_CLIENT_ID=id", "SAAS_CLIENT_SECRET=secret",
			}, "--config", quickstartConfig(), "--config", "yaml:"+tc.change)
			if tc.want == "" {
				require.Empty(t, said)
				return
			}
			require.Contains(t, said, tc.want)
		})
	}
}
