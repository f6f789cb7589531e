// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// reformed is a world that was read for two hours with single fields, then not for five, and whose credentials are a service key
// with the tenant now. It gives the key of the note that leads from the one to the other.
func reformed(t *testing.T) (w *world, note string) {
	t.Helper()
	w = newWorld(t, sapbtp.Options{Seed: 184}, func(c *Config) { c.InitialLookback = 0 })
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 3000, now.Add(time.Minute), now.Add(12*time.Hour))
	w.runFor(2 * time.Hour)
	note = "state of " + keyOf(w, "")
	require.NotNil(t, w.disk.Value(note))
	time.Sleep(5 * time.Hour)
	w.configure = func(cfg *Config) {
		cfg.InitialLookback = 0
		cfg.ClientConfig.Endpoint, cfg.TokenURL, cfg.ClientID, cfg.ClientSecret = "", "", "", ""
		cfg.ServiceKey = configopaque.String(fmt.Sprintf(`{"url":%q,"uaa":{"url":%q,"clientid":%q,"clientsecret":%q,"tenantid":%q}}`,
			w.sub.Endpoint, w.sub.TokenURL, w.sub.ClientID, w.sub.ClientSecret, w.sub.Tenant))
	}
	return w, note
}

// Without a note that can be read nobody knows where the progress is; that there is one is certain.
func TestADamagedNoteOfTheStateIsNotTakenForAFirstStart(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *world, string){
		"note flipped": func(t *testing.T, w *world, note string) { t.Helper(); w.disk.Flip(t, note, -4) },
		"note torn": func(t *testing.T, w *world, note string) {
			t.Helper()
			require.NoError(t, w.disk.Client().Set(t.Context(), note, w.disk.Value(note)[:30]))
		},
		"what it leads to is gone": func(t *testing.T, w *world, _ string) {
			t.Helper()
			for _, key := range w.disk.Keys() {
				if strings.Contains(key, "/progress/") {
					require.NoError(t, w.disk.Client().Delete(t.Context(), key))
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, note := reformed(t)
				damage(t, w, note)
				w.runFor(20 * time.Hour)
				w.requireComplete()
				require.Len(t, w.logs.FilterMessageSnippet("progress is damaged or gone").All(), 1)
				before := w.sink.total()
				w.runFor(time.Hour)
				require.Equal(t, before, w.sink.total(), "it is mended")
			})
		})
	}
}

// What has become of the note must be known after a crash as well.
func TestACrashWhileADamagedNoteIsMendedLosesNothing(t *testing.T) {
	for k := range 4 {
		t.Run(strconv.Itoa(k), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, note := reformed(t)
				w.disk.Flip(t, note, -4)
				r, _, err := w.start(crashtest.CrashAfter(k))
				if err == nil {
					time.Sleep(time.Minute)
					_ = r.Shutdown(t.Context())
				}
				w.runFor(20 * time.Hour)
				w.requireComplete()
			})
		})
	}
}

// A first start writes the progress before the note: cut off in between it is the same start once more.
func TestACrashOfAFirstStartIsNotTakenForDamage(t *testing.T) {
	for k := range 4 {
		t.Run(strconv.Itoa(k), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 185}, func(c *Config) { c.InitialLookback = 0 })
				w.sim.Generate(w.sub.Tenant, 500, time.Now().Add(-20*24*time.Hour), time.Now().Add(-time.Hour))
				if r, _, err := w.start(crashtest.CrashAfter(k)); err == nil {
					time.Sleep(time.Minute)
					_ = r.Shutdown(t.Context())
				}
				w.runFor(time.Hour)
				require.Zero(t, w.sink.total(), "initial_lookback counts")
				require.Empty(t, w.logs.FilterMessageSnippet("damaged").All())
			})
		})
	}
}
