// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesBecomeSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "action": "action", "objectType": "object_type", "wsID": "ws_id", "clusterID": "cluster_id", "IDPName": "idp_name", "A": "a",
		"already_snake": "already_snake", "sha256Sum": "sha256_sum", "ObjectID": "object_id", "größeXL": "größe_xl",
	} {
		require.Equal(t, want, snakeCase(name))
	}
}
