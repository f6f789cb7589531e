// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

// canary is in every error of the test consumers and must never come out anywhere.
const canary = "CANARY"

var (
	errTransient = errors.New("unavailable " + canary)
	errPermanent = consumererror.NewPermanent(errors.New("bad request " + canary))
)

// makeLogs returns n records with the uids "0" to "n-1", spread over two resources with two scopes each.
func makeLogs(n int) plog.Logs {
	logs := plog.NewLogs()
	for group := range 4 {
		from, to := group*n/4, (group+1)*n/4
		if from == to {
			continue
		}
		resource := logs.ResourceLogs().AppendEmpty()
		resource.SetSchemaUrl("resource schema")
		resource.Resource().Attributes().PutInt("resource", int64(group/2))
		scope := resource.ScopeLogs().AppendEmpty()
		scope.SetSchemaUrl("scope schema")
		scope.Scope().SetName("scope " + strconv.Itoa(group))
		for i := from; i < to; i++ {
			record := scope.LogRecords().AppendEmpty()
			record.Attributes().PutStr(uidAttribute, strconv.Itoa(i))
			record.Body().SetStr("body " + strconv.Itoa(i))
		}
	}
	return logs
}

// uidOf returns the uid of record, or nothing if it has none.
func uidOf(record plog.LogRecord) string {
	uid, ok := record.Attributes().Get(uidAttribute)
	if !ok {
		return ""
	}
	return uid.Str()
}

func uids(logs plog.Logs) []string {
	var ids []string
	for record := range records(logs) {
		ids = append(ids, uidOf(record))
	}
	return ids
}

func numbers(from, to int) []string {
	var ids []string
	for i := from; i < to; i++ {
		ids = append(ids, strconv.Itoa(i))
	}
	return ids
}

func has(logs plog.Logs, uid string) bool {
	return slices.Contains(uids(logs), uid)
}

// backend is a consumer that decides by a function and keeps what it accepted.
type backend struct {
	mutates bool
	decide  func(logs plog.Logs) error

	mu       sync.Mutex
	accepted []string
	calls    int
	sizes    []int       // records of each call
	times    []time.Time // of each call
}

func (b *backend) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: b.mutates}
}

func (b *backend) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	b.sizes = append(b.sizes, logs.LogRecordCount())
	b.times = append(b.times, time.Now())
	ids := uids(logs)
	err := b.decide(logs)
	if strings.HasPrefix(ids[0], otherCall) {
		b.calls, b.sizes, b.times = b.calls-1, b.sizes[:len(b.sizes)-1], b.times[:len(b.times)-1]
		return err
	}
	if err == nil {
		b.accepted = append(b.accepted, ids...)
		return nil
	}
	if partial, ok := errors.AsType[consumererror.Logs](err); ok && !joins(err) {
		failed := uids(partial.Data())
		if len(failed) > 0 && len(failed) < len(ids) {
			for _, id := range ids {
				if !slices.Contains(failed, id) {
					b.accepted = append(b.accepted, id)
				}
			}
		}
	}
	return err
}

// refuseUIDs refuses permanently every batch that holds one of the poisoned records.
func refuseUIDs(poison ...string) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		for _, uid := range poison {
			if has(logs, uid) {
				return errPermanent
			}
		}
		return nil
	}
}

// rig is a Deliverer with everything around it that a test looks at.
type rig struct {
	*Deliverer
	backend     *backend
	store       *quarantine.Store
	logs        *observer.ObservedLogs
	problems    []error
	quarantines atomic.Int64 // as told by OnQuarantine
}

func newRig(t *testing.T, decide func(plog.Logs) error, change ...func(*Settings)) *rig {
	t.Helper()
	store, err := quarantine.Open(t.Context(), durable.NewMemory(), quarantine.Limits{})
	require.NoError(t, err)
	core, observed := observer.New(zapcore.DebugLevel)
	r := &rig{backend: &backend{decide: decide}, store: store, logs: observed}
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0
	set := Settings{
		ID:           component.MustNewIDWithName("some_receiver", "eu10"),
		Next:         r.backend,
		Retry:        retry,
		Format:       "test",
		Quarantine:   store,
		Logger:       zap.New(core),
		OnProblem:    func(err error) { r.problems = append(r.problems, err) },
		OnQuarantine: func(n int) { r.quarantines.Add(int64(n)) },
		Jitter:       func() float64 { return 0.5 },
	}
	for _, f := range change {
		f(&set)
	}
	r.Deliverer = New(set)
	return r
}

// otherCall begins the uids of records that are delivered in between; the backend does not keep them.
const otherCall = "other call "

// insist delivers logs as a receiver does: what is left comes back after a pause, and meanwhile others have their turn.
func (r *rig) insist(ctx context.Context, logs plog.Logs) error {
	start := time.Now()
	for n := 0; ; n++ {
		out, err := r.DeliverOutcome(ctx, logs)
		if !errors.Is(err, ErrRefusedAlone) && !errors.Is(err, ErrGaveUp) || time.Since(start) > 7*24*time.Hour {
			return err
		}
		logs = out.Left
		if err := sleep(ctx, Again(n)); err != nil {
			return err
		}
		r.another(ctx, n)
	}
}

// another offers a record of some other call, for a second.
func (r *rig) another(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = r.Deliver(ctx, single(otherCall+strconv.Itoa(n))) // whether it is accepted is up to the backend
}

// quarantined returns the uids in the quarantine, and checks that each entry is the whole original of one record.
func (r *rig) quarantined(t *testing.T, originals plog.Logs) []string {
	t.Helper()
	entries, err := r.store.List(t.Context())
	require.NoError(t, err)
	require.Len(t, entries, int(r.quarantines.Load()))
	var ids []string
	for _, e := range entries {
		require.Equal(t, reasonRefused, e.Reason)
		require.Equal(t, "some_receiver/eu10", e.Source)
		require.Equal(t, quarantine.FormatOTLPProto, e.Format)
		got, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(e.Data)
		require.NoError(t, err)
		id := uids(got)
		require.Len(t, id, 1)
		require.Equal(t, pick(originals, func(record plog.LogRecord) bool {
			return uidOf(record) == id[0]
		}), got)
		ids = append(ids, id...)
	}
	return ids
}

// requireOnce checks that every one of n records is either delivered or quarantined, and that only once.
func (r *rig) requireOnce(t *testing.T, n int, originals plog.Logs) {
	t.Helper()
	require.ElementsMatch(t, numbers(0, n), append(r.quarantined(t, originals), r.backend.accepted...))
}

func (r *rig) requireNoCanary(t *testing.T) {
	t.Helper()
	for _, entry := range r.logs.All() {
		line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"}).EncodeEntry(entry.Entry, entry.Context)
		require.NoError(t, err)
		require.NotContains(t, line.String(), canary)
	}
	for _, err := range r.problems {
		if err != nil {
			require.NotContains(t, err.Error(), canary)
		}
	}
}

// single returns a call with the one record uid.
func single(uid string) plog.Logs {
	logs := plog.NewLogs()
	makeLogs(1).CopyTo(logs)
	for record := range records(logs) {
		record.Attributes().PutStr(uidAttribute, uid)
	}
	return logs
}

// anonymous returns a call with one record that has no uid.
func anonymous(resource, scope string) plog.Logs {
	logs := plog.NewLogs()
	r := logs.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("resource", resource)
	s := r.ScopeLogs().AppendEmpty()
	s.Scope().SetName(scope)
	s.LogRecords().AppendEmpty().Body().SetStr("poison")
	return logs
}

// refuseBody refuses permanently every batch that holds a record with the body.
func refuseBody(body string) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		for record := range records(logs) {
			if record.Body().Str() == body {
				return errPermanent
			}
		}
		return nil
	}
}
