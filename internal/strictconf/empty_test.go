// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestTextsThatAreGivenButEmptyAreNamed(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"blank": " \n", "empty": "", "set": "x", "number": 0, "map": map[string]any{"empty": ""}, "not asked for": "",
	})
	err := CheckNotEmpty(conf, "blank", "set", "number", "map", "absent", "empty")
	require.EqualError(t, err, "blank is empty: is the environment variable or the file behind it set? Remove the key if it is not to be used\n"+
		"empty is empty: is the environment variable or the file behind it set? Remove the key if it is not to be used")
	require.NoError(t, CheckNotEmpty(conf, "set", "absent"))
}
