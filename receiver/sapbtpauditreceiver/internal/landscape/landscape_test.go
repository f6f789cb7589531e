// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package landscape

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegionAndRate(t *testing.T) {
	tests := []struct {
		endpoint string
		region   string
		rate     int
	}{
		{"https://auditlog-management.cfapps.eu10.hana.ondemand.com", "eu10", 8},
		{"https://auditlog-management.cfapps.eu20.hana.ondemand.com/", "eu20", 8},
		{"https://auditlog-management.cfapps.us10.hana.ondemand.com", "us10", 8},
		{"https://auditlog-management.cfapps.us30.hana.ondemand.com:443", "us30", 8},
		{"https://AUDITLOG-MANAGEMENT.CFAPPS.EU10.HANA.ONDEMAND.COM", "eu10", 8},
		{"https://auditlog-management.cfapps.eu11.hana.ondemand.com", "eu11", 4},
		{"https://auditlog-management.cfapps.br10.hana.ondemand.com", "br10", 4},
		{"https://auditlog-management.cfapps.eu10-004.hana.ondemand.com", "eu10-004", 4},
		{"https://auditlog-management.cfapps.cn40.platform.sapcloud.cn", "cn40", 4},
		{"https://auditlog-management.cfapps.eu10", "eu10", 8},
		{"https://auditlog-management.cfapps", "", 4},
		{"https://auditlog-management.cfapps.eu10-.hana.ondemand.com", "", 4},
		{"https://auditlog-management.cfapps.hana.ondemand.com", "", 4},
		{"https://auditlog-management.cfapps.1010.hana.ondemand.com", "", 4},
		{"https://auditlog-management.cfapps.euro.hana.ondemand.com", "", 4},
		{"https://acme.authentication.eu10.hana.ondemand.com", "", 4},
		{"http://127.0.0.1:8080", "", 4},
		{"://broken", "", 4},
		{"", "", 4},
	}
	for _, tt := range tests {
		t.Run(tt.endpoint, func(t *testing.T) {
			require.Equal(t, tt.region, Region(tt.endpoint))
			require.Equal(t, tt.rate, RequestsPerSecond(tt.endpoint))
		})
	}
}

func TestHostKinds(t *testing.T) {
	tests := []struct {
		hostname                        string
		auditLog, token, certToken, sap bool
	}{
		{"auditlog-management.cfapps.eu10.hana.ondemand.com", true, false, false, true},
		{"Acme.Authentication.EU10.hana.ondemand.com", false, true, false, true},
		{"acme.authentication.cert.eu10.hana.ondemand.com", false, true, true, true},
		{"cert.authentication.eu10.hana.ondemand.com", false, true, false, true},
		{"destination-configuration.cfapps.eu10.hana.ondemand.com", false, false, false, true},
		{"auditlog-management.cfapps.cn40.platform.sapcloud.cn", true, false, false, true},
		{"my-authentication.example.com", false, false, false, false},
		{"authentication", false, true, false, false},
		{"hana.ondemand.com.example.com", false, false, false, false},
		{"127.0.0.1", false, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.hostname, func(t *testing.T) {
			require.Equal(t, tt.auditLog, IsAuditLog(tt.hostname))
			require.Equal(t, tt.token, IsTokenHost(tt.hostname))
			require.Equal(t, tt.certToken, IsCertTokenHost(tt.hostname))
			require.Equal(t, tt.sap, IsSAP(tt.hostname))
		})
	}
}
