// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func messageID(lr plog.LogRecord) string {
	id, _ := lr.Attributes().Get("sap.btp.audit.message_uuid")
	return id.AsString()
}

// refusing makes the sink refuse whatever holds one of these events.
func (s *sink) refusing(err error, ids ...string) {
	bad := map[string]bool{}
	for _, id := range ids {
		bad[id] = true
	}
	s.accept = func(logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			if bad[messageID(lr)] {
				return err
			}
		}
		return nil
	}
}

// However the refusal of one record is called, and however long delivery may be tried, the others arrive.
func TestOneRefusedRecordStopsNothing(t *testing.T) {
	for name, err := range map[string]error{
		"plain":     errors.New("failed to execute statement"),
		"permanent": consumererror.NewPermanent(errors.New("field too long")),
	} {
		for retry, change := range map[string]func(*Config){
			"endless retries": func(*Config) {},
			"no retries":      func(c *Config) { c.RetryOnFailure.Enabled = false },
			"short retries":   func(c *Config) { c.RetryOnFailure.MaxElapsedTime = 10 * time.Second },
			"longer retries":  func(c *Config) { c.RetryOnFailure.MaxElapsedTime = 5 * time.Minute },
		} {
			t.Run(name+" "+retry, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, sapbtp.Options{Seed: 201}, change)
					now := time.Now()
					w.sim.Generate(w.sub.Tenant, 2000, now.Add(-20*time.Hour), now.Add(24*time.Hour))
					bad := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: now.Add(-8 * time.Hour)}, sapbtp.Record{Time: now.Add(10 * time.Minute)})
					w.sink.refusing(err, bad...)
					r, _, startErr := w.start()
					require.NoError(t, startErr)
					time.Sleep(2 * time.Hour)
					late := w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.VisibleBy(time.Now().Add(-10*time.Minute)))
					require.ElementsMatch(t, bad, late, "the others arrive as if nothing was wrong")
					time.Sleep(34 * time.Hour)
					require.ElementsMatch(t, bad, w.sim.Ledger().Missing(w.sink.delivered()))
					w.requireNoDuplicates(0)
					require.LessOrEqual(t, len(w.logs.FilterLevelExact(zapcore.WarnLevel).All()), 25, "%q", w.messages(zapcore.WarnLevel))
					require.Equal(t, 2, r.term.quarantine.Len())
					require.NoError(t, r.Shutdown(t.Context()))
				})
			})
		}
	}
}

// Pages take places that all subaccounts share. Those whose backend refuses something must not keep them from the others.

func TestStuckSubaccountsDoNotStopTheOthers(t *testing.T) {
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprint("everything of them is refused: ", all), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const stuck = 20
				w := newWorld(t, sapbtp.Options{Seed: 231, Subaccounts: 60}, func(c *Config) {
					c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
					c.InitialLookback = 0
				})
				configure := w.configure
				w.configure = func(c *Config) { configure(c); c.ServiceKey = w.bindings() }
				now := time.Now()
				var bad, healthy []string
				tenants := map[string]bool{}
				for i, sub := range w.sim.Subaccounts() {
					w.sim.Generate(sub.Tenant, 60, now.Add(5*time.Minute), now.Add(3*time.Hour))
					if i >= stuck {
						healthy = append(healthy, sub.Tenant)
						continue
					}
					bad = append(bad, w.sim.Add(sub.Tenant, sapbtp.Record{Time: now.Add(30 * time.Minute)})...)
					tenants[sub.Tenant] = true
				}
				w.sink.refusing(errors.New("failed to execute statement"), bad...)
				if all {
					w.sink.accept = func(logs plog.Logs) error {
						tenant, _ := logs.ResourceLogs().At(0).Resource().Attributes().Get("sap.btp.subaccount.id")
						if tenants[tenant.AsString()] {
							return errors.New("no index for this subaccount")
						}
						return nil
					}
				}
				w.runFor(5 * time.Hour)
				for _, tenant := range healthy {
					require.Empty(t, w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.InTenant(tenant)))
				}
				if !all {
					require.Len(t, w.sim.Ledger().Missing(w.sink.delivered()), stuck, "nor their own neighbours")
				}
				w.requireNoDuplicates(0)
			})
		})
	}
}

// A backend whose limit for a message is below a page takes pages in parts, at its own pace.
func TestBackendWithAMessageLimitIsGivenWhatItTakes(t *testing.T) {
	for name, err := range map[string]error{
		"unnamed": consumererror.NewPermanent(errors.New("bad request")), "413": consumererror.NewPermanent(errors.New("HTTP Status Code 413")),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 175})
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 20000, now.Add(-10*time.Hour), now.Add(-9*time.Hour))
				w.sink.accept = func(logs plog.Logs) error {
					if logs.LogRecordCount() > 400 {
						return err
					}
					return nil
				}
				r, _, startErr := w.start()
				require.NoError(t, startErr)
				time.Sleep(3 * time.Minute)
				require.Equal(t, 20000, w.sink.total())
				require.NoError(t, r.Shutdown(t.Context()))
				w.requireExactlyOnce()
			})
		})
	}
}

// What the backend said it has accepted is not delivered again because something else on the page was not, nor after a restart.
func TestAcceptedStaysAcceptedWhenTheRestIsGivenUp(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"endless retries": func(*Config) {},
		"no retries":      func(c *Config) { c.RetryOnFailure.Enabled = false },
		"five minutes":    func(c *Config) { c.RetryOnFailure.MaxElapsedTime = 5 * time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 177}, change)
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 400, now.Add(-8*time.Hour), now.Add(-7*time.Hour))
				bad := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: now.Add(-7*time.Hour - 30*time.Minute)})[0]
				w.sink.accept = func(logs plog.Logs) error {
					failed := plog.NewLogs()
					logs.CopyTo(failed)
					for _, rl := range failed.ResourceLogs().All() {
						for _, sl := range rl.ScopeLogs().All() {
							sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return messageID(lr) != bad })
						}
					}
					if failed.LogRecordCount() == 0 {
						return nil
					}
					for _, lr := range observed.Records(logs) {
						if messageID(lr) != bad {
							w.sink.ids = append(w.sink.ids, messageID(lr))
						}
					}
					return consumererror.NewLogs(errors.New("later"), failed)
				}
				for range 4 { // each with a restart
					w.runFor(30 * time.Minute)
				}
				require.Equal(t, []string{bad}, w.sim.Ledger().Missing(w.sink.delivered()))
				require.Empty(t, w.sim.Ledger().Duplicates(w.sink.delivered()))
			})
		})
	}
}

// Of a backend with one bad node no good event goes into the quarantine.
func TestOneBadNodeOfTwoQuarantinesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 178})
		random := rand.New(rand.NewPCG(3, 4))
		w.sim.Generate(w.sub.Tenant, 2000, time.Now().Add(-10*time.Hour), time.Now().Add(10*time.Hour))
		w.sink.accept = func(plog.Logs) error {
			if random.IntN(2) == 0 {
				return consumererror.NewPermanent(errDown)
			}
			return nil
		}
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(20 * time.Hour)
		require.Zero(t, r.term.quarantine.Len())
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce()
	})
}
