// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheUsersConfigurationHasWhatTheQuickstartsHas(t *testing.T) {
	t.Setenv("METRICS_PORT", "8888")
	dir := t.TempDir()
	env, err := aloneEnv(options{dir: dir})
	require.NoError(t, err)
	require.Len(t, env, 2, "what the user has set stays")
	require.Equal(t, "RUN_DIR="+filepath.Join(dir, "own"), env[0])
	require.DirExists(t, filepath.Join(dir, "own"))
	require.True(t, strings.HasPrefix(env[1], "OTLP_PORT="))
}

func TestTheUsersConfigurationRunsUntilTheEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		role string
		want string
	}{
		"the time is up":    {"serving", ""},
		"ended with status": {"failing", "the collector ended by itself: exit status 3"},
		"ended":             {"finished", "the collector ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(roleVariable, tc.role)
			o := options{collector: os.Args[0], dir: t.TempDir()}
			if tc.role == "serving" {
				o.runFor = time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := run(ctx, o)
			require.NoError(t, ctx.Err())
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
		})
	}
	err := run(t.Context(), options{collector: filepath.Join(t.TempDir(), "nothing"), dir: t.TempDir()})
	require.ErrorIs(t, err, os.ErrNotExist)
}
