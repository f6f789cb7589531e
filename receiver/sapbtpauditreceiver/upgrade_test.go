// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Folders of states, named after the month whose code wrote them, and what the sink of that time has got.
const (
	statesDir     = "testdata/state"
	storageFile   = "storage.json"
	deliveredFile = "delivered.json"
)

// writeStateEnv names a new folder of states. It is set to keep a state before its format or its rooms change.
const writeStateEnv = "WRITE_STATE"

// handedOver is what an earlier release leaves beside its storage.
type handedOver struct {
	At        time.Time `json:"at"`
	Delivered []string  `json:"delivered"` // message_uuid
	Refused   string    `json:"refused"`   // message_uuid of a record that is in the quarantine, or is offered again until it is
}

// inherited is a world whose events are the same for every release: three days of them to catch up with, events that
// come later, and some that are shown late.
func inherited(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: 41}, func(c *Config) {
		c.InitialLookback = 3 * 24 * time.Hour
		c.RetryOnFailure.InitialInterval = 100 * time.Millisecond
	})
	start := time.Now()
	add := func(n int, at, visible time.Time) {
		w.sim.Add(w.sub.Tenant, sapbtp.Record{VisibleAt: visible, JSON: fmt.Appendf(nil, `{"message_uuid":"%08x-1111-4222-8333-444455556666","time":%q,`+
			`"tenant":%q,"category":"audit.security-events","user":"someone","message":"{\"data\":\"event %[1]d\"}"}`,
			n, at.UTC().Format("2006-01-02T15:04:05.000Z"), w.sub.Tenant)})
	}
	const backlog, live = 2400, 120
	for i := range backlog {
		add(i, start.Add(-time.Duration(i)*108*time.Second-time.Second), time.Time{})
	}
	for i := range live {
		at := start.Add(time.Duration(i) * 3 * time.Minute)
		add(backlog+i, at, at.Add(time.Duration(i%7)*10*time.Minute))
	}
	return w
}

// poisonous refuses the record with that id for good.
func poisonous(id string) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			if got, _ := lr.Attributes().Get("sap.btp.audit.message_uuid"); got.AsString() == id {
				return consumererror.NewPermanent(errDown)
			}
		}
		return nil
	}
}

func (w *world) quarantines() bool {
	for _, key := range w.disk.Keys() {
		if strings.Contains(key, "quarantine/item") {
			return true
		}
	}
	return false
}

// Run it with WRITE_STATE=2026-11 before the format of the state or its rooms change.
func TestTheStateOfThisReleaseIsKept(t *testing.T) {
	dir := t.TempDir()
	if name := os.Getenv(writeStateEnv); name != "" {
		dir = filepath.Join(statesDir, name)
		require.NoError(t, os.MkdirAll(dir, 0o750))
	}
	bubble(t, func(t *testing.T) {
		w := inherited(t)
		left := handedOver{Refused: fmt.Sprintf("%08x-1111-4222-8333-444455556666", 3)}
		w.sink.accept = poisonous(left.Refused)
		r, _, err := w.start()
		require.NoError(t, err)
		for w.sink.total() < 900 {
			time.Sleep(10 * time.Millisecond)
			require.Less(t, w.sink.total(), 2000, "in the middle of the backfill")
		}
		require.NoError(t, r.Shutdown(t.Context()))
		left.At, left.Delivered = time.Now().UTC(), w.sink.delivered()
		require.NoError(t, w.disk.Save(filepath.Join(dir, storageFile)))
		raw, err := json.Marshal(left)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, deliveredFile), append(raw, '\n'), 0o600))
	})
}

func TestReadingGoesOnFromTheStateOfAnEarlierRelease(t *testing.T) {
	folders, err := os.ReadDir(statesDir)
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, left := inherit(t, filepath.Join(statesDir, folder.Name()))
				time.Sleep(3 * time.Hour) // nothing runs
				w.runFor(24 * time.Hour)
				w.sink.ids = append(w.sink.ids, left.Delivered...)
				w.requireComplete(func(e *sapbtp.Entry) bool { return e.ID != left.Refused })
				w.requireNoDuplicates(0)
				_, delivered := w.sink.at[left.Refused]
				require.True(t, delivered || w.quarantines(), "the refused record is kept or delivered")
			})
		})
	}
}

// inherit is the world in which an earlier release has left its state, at the time when it did.
func inherit(t *testing.T, dir string) (*world, handedOver) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, deliveredFile))
	require.NoError(t, err)
	var left handedOver
	require.NoError(t, json.Unmarshal(raw, &left))
	w := inherited(t)
	w.disk, err = crashtest.LoadDisk(filepath.Join(dir, storageFile))
	require.NoError(t, err)
	time.Sleep(time.Until(left.At))
	return w, left
}
