// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// While the backend refuses, reading comes to rest and nothing is lost; afterwards it goes on by itself.
func TestASlowOrAbsentBackendSlowsReadingDown(t *testing.T) {
	for name, refusal := range map[string]error{"retryable": errDown, "permanent": consumererror.NewPermanent(errDown)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(2 * time.Hour)
				w.sink.refuse(refusal)
				time.Sleep(10 * time.Minute) // pages that were on their way
				before := w.sim.Ledger().Total(sapbtp.KindRecords)
				time.Sleep(5 * time.Hour)
				require.LessOrEqual(t, w.sim.Ledger().Total(sapbtp.KindRecords)-before, 10, "no requests whose pages have nowhere to go")
				w.sink.refuse(nil)
				time.Sleep(24 * time.Hour)
				w.requireExactlyOnce()
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

func TestADownBackendDoesNotHoldUpShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.sink.refuse(errDown)
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(time.Hour)
		begin := time.Now()
		require.NoError(t, r.Shutdown(t.Context()))
		require.LessOrEqual(t, time.Since(begin), deliveryGrace)
		w.sink.refuse(nil)
		w.runFor(30 * time.Hour)
		w.requireExactlyOnce()
	})
}

// One record that the backend refuses for good must not stop the others; its original is kept.
func TestAPoisonousRecordIsQuarantinedAndTheRestGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		poison := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: time.Now().Add(10 * time.Minute)})[0]
		w.sink.accept = func(logs plog.Logs) error {
			for _, lr := range observed.Records(logs) {
				if id, _ := lr.Attributes().Get("sap.btp.audit.message_uuid"); id.AsString() == poison {
					return consumererror.NewPermanent(errors.New("field too long"))
				}
			}
			return nil
		}
		w.runFor(30 * time.Hour)
		require.Equal(t, []string{poison}, w.sim.Ledger().Missing(w.sink.delivered()))
		w.requireNoDuplicates(0)

		client := w.disk.Client()
		store, err := quarantine.Open(t.Context(), client, quarantine.Limits{})
		require.NoError(t, err)
		entries, err := store.List(t.Context())
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Equal(t, quarantine.FormatOTLPProto, entries[0].Format)
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(entries[0].Data)
		require.NoError(t, err)
		require.Len(t, observed.Records(logs), 1)
		id, _ := observed.Records(logs)[0].Attributes().Get("sap.btp.audit.message_uuid")
		require.Equal(t, poison, id.AsString())
		require.NoError(t, client.Close(t.Context()))
	})
}

func TestOnlyTheCategoriesAskedForAreDelivered(t *testing.T) {
	for _, tc := range []struct {
		name     string
		readings sapbtp.Readings
		ignores  bool
		wanted   []string
	}{
		{name: "server filters"},
		{name: "server answers 501", readings: sapbtp.Readings{NoCategory: true}},
		// As of the global account, whose documents know no filter. What no document knows is delivered to be safe.
		{name: "server ignores the filter", ignores: true, wanted: []string{"audit.ai-usage"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 41, Readings: tc.readings}, func(c *Config) {
					c.Categories = []string{sapbtp.CategorySecurity, sapbtp.CategoryConfiguration}
				})
				if tc.ignores {
					w.transport = withoutCategory{w.transport}
				}
				w.sim.Generate(w.sub.Tenant, 3000, time.Now().Add(-20*time.Hour), time.Now().Add(time.Hour))
				w.runFor(3 * time.Hour)
				wanted := 0
				for _, category := range append(tc.wanted, sapbtp.CategorySecurity, sapbtp.CategoryConfiguration) {
					require.Empty(t, w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.InCategory(category)))
					wanted += w.sim.Ledger().Count(sapbtp.InCategory(category))
				}
				require.Len(t, w.sink.delivered(), wanted)
				w.requireNoDuplicates(0)
			})
		})
	}
}

// withoutCategory is a way to an API that does not know the category filter, and ignores it.
type withoutCategory struct{ next http.RoundTripper }

func (t withoutCategory) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	query := req.URL.Query()
	query.Del("category")
	req.URL.RawQuery = query.Encode()
	return t.next.RoundTrip(req)
}

// A 501 for some other reason must never filter away what nobody asked to filter.
func TestAnAnswer501WithoutCategoriesFiltersNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Match: sapbtp.Match{Kind: sapbtp.KindRecords, Every: 3}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 501}}))
		w.runFor(40 * time.Hour)
		w.requireExactlyOnce()
	})
}

func TestOwnReadingIsDroppedOnlyOnRequest(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(strconv.FormatBool(drop), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 42, Readings: sapbtp.Readings{OwnRecords: true}}, func(c *Config) {
					c.InitialLookback = 0
					c.DropOwnEvents = drop
				})
				w.sim.Generate(w.sub.Tenant, 300, time.Now().Add(time.Second), time.Now().Add(2*time.Hour))
				w.runFor(4 * time.Hour)
				if !drop {
					w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-2 * time.Minute)))
					return
				}
				missing := w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.VisibleBy(time.Now().Add(-2*time.Minute)))
				require.Greater(t, len(missing), 400, "four hours of polls, two records each")
				for e := range w.sim.Ledger().Entries() {
					own := strings.HasPrefix(e.Producer, "self-")
					if slices.Contains(missing, e.ID) {
						require.Contains(t, string(e.Body()), w.sub.ClientID, "only what names the own client is dropped")
					} else if e.VisibleAt.Before(time.Now().Add(-2 * time.Minute)) {
						require.False(t, own, "%s was delivered", e.Producer)
					}
				}
			})
		})
	}
}

func TestBodyAndOriginalAreAsConfigured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t, func(c *Config) {
			c.Body = bodyString
			c.IncludeOriginal = true
		})
		w.sink.keep = true
		w.runFor(3 * time.Hour)
		n := 0
		for _, logs := range w.sink.logs {
			resource := logs.ResourceLogs().At(0).Resource().Attributes().AsRaw()
			require.Equal(t, map[string]any{
				"service.name": "sap-btp-audit", "cloud.region": "eu10", "sap.btp.subaccount.id": w.sub.Tenant,
			}, resource)
			for _, lr := range observed.Records(logs) {
				n++
				original, _ := lr.Attributes().Get("log.record.original")
				require.Equal(t, lr.Body().AsString(), original.AsString())
				require.True(t, strings.HasPrefix(original.Str(), `{"message_uuid"`), original.Str()[:40])
			}
		}
		require.Positive(t, n)
	})
}

func TestMissingStorageWorksAndWarns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t, func(c *Config) { c.StorageID = nil })
		w.runFor(40 * time.Hour)
		w.requireExactlyOnce()
		require.Len(t, w.logs.FilterMessageSnippet("No storage is configured").All(), 1)
		require.Empty(t, w.disk.Keys())
	})
}

// A second instance on the same storage is refused with a hint, and can start once the first has stopped.
func TestTheStorageBelongsToOneInstance(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		first, ext, err := w.start()
		require.NoError(t, err)
		time.Sleep(time.Hour)
		_, err = ext.GetClient(t.Context(), component.KindReceiver, first.set.ID, "")
		require.ErrorContains(t, err, "timeout")
		require.NoError(t, first.Shutdown(t.Context()))
		require.True(t, ext.Released())
		w.runFor(40 * time.Hour)
		w.requireExactlyOnce()
	})
}
