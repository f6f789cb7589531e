// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
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
	Read      int       `json:"read"`      // events, numbered from 1
	Delivered []int64   `json:"delivered"` // numbers of events
	Refused   int64     `json:"refused"`   // number of the event in the quarantine
}

// forms are the spools that a state is kept of.
func forms(t *testing.T) map[string]func(*Config) {
	t.Helper()
	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte(strings.Repeat("0f", 32)), 0o600))
	return map[string]func(*Config){
		"plain":     func(*Config) {},
		"encrypted": func(c *Config) { c.Spool.EncryptionKeyFile = keys },
	}
}

func quick(c *Config) { c.RetryOnFailure.InitialInterval = 100 * time.Millisecond }

// Run it with WRITE_STATE=2026-11 before the format of the state or its rooms change.
func TestTheStateOfThisReleaseIsKept(t *testing.T) {
	for form, configure := range forms(t) {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			if name := os.Getenv(writeStateEnv); name != "" {
				dir = filepath.Join(statesDir, name+"-"+form)
				require.NoError(t, os.MkdirAll(dir, 0o750))
			}
			bubble(t, func(t *testing.T) { leaveState(t, dir, configure) })
		})
	}
}

// leaveState is the life of a receiver that delivers, then cannot, and is stopped with a part-full spool.
func leaveState(t *testing.T, dir string, configure func(*Config)) {
	t.Helper()
	w := newWorld(t, saassecurity.Options{Seed: 41}, quick, configure)
	left := handedOver{Read: 750, Refused: 17}
	poison := []byte(saassecurity.Marker(left.Refused))
	w.sink.do(func(_ context.Context, logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			if bytes.Contains([]byte(lr.Body().AsString()), poison) {
				return consumererror.NewPermanent(errDown)
			}
		}
		return nil
	})
	l := w.mustStart()
	w.sim.Enqueue(100)
	for at := 100; at < 300; at++ { // beside others that are accepted
		w.sim.Enqueue(1)
		time.Sleep(15 * time.Second)
	}
	require.Eventually(t, func() bool { return w.sink.events() == 299 && w.quarantines() }, 24*time.Hour, time.Second)
	w.sink.refuse(errDown)
	w.sim.Enqueue(left.Read - 300)
	require.Eventually(t, func() bool { return w.sim.Ledger().Queued == 0 }, time.Hour, time.Second)
	time.Sleep(time.Minute)
	l.stop(t)
	left.At, left.Delivered = time.Now().UTC(), slices.Sorted(maps.Keys(w.sink.found))
	require.NoError(t, w.disk.Save(filepath.Join(dir, storageFile)))
	raw, err := json.Marshal(left)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, deliveredFile), append(raw, '\n'), 0o600))
}

func (w *world) quarantines() bool {
	for _, key := range w.disk.Keys() {
		if strings.Contains(key, "quarantine/item") {
			return true
		}
	}
	return false
}

func TestDeliveryGoesOnFromTheStateOfAnEarlierRelease(t *testing.T) {
	folders, err := os.ReadDir(statesDir)
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		form := folder.Name()[strings.LastIndexByte(folder.Name(), '-')+1:]
		configure := forms(t)[form]
		require.NotNil(t, configure, form)
		t.Run(folder.Name(), func(t *testing.T) {
			dir := filepath.Join(statesDir, folder.Name())
			bubble(t, func(t *testing.T) { takeOver(t, dir, configure) })
		})
	}
}

func takeOver(t *testing.T, dir string, configure func(*Config)) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, deliveredFile))
	require.NoError(t, err)
	var left handedOver
	require.NoError(t, json.Unmarshal(raw, &left))
	w := newWorld(t, saassecurity.Options{Seed: 41}, quick, configure)
	w.disk, err = crashtest.LoadDisk(filepath.Join(dir, storageFile))
	require.NoError(t, err)
	time.Sleep(time.Until(left.At.Add(10 * time.Minute))) // nothing runs meanwhile
	w.runFor(time.Hour)

	want := slices.DeleteFunc(upTo(left.Read), func(n int64) bool { return slices.Contains(left.Delivered, n) })
	if w.quarantines() {
		want = slices.DeleteFunc(want, func(n int64) bool { return n == left.Refused })
	}
	w.requireDelivered(want)
	require.Empty(t, w.messages(zapcore.ErrorLevel))
}
