// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/contract"
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
			return NewFactory().CreateLogs(ctx, set, cfg, contract.Judge(next, "saas_security.item_name"))
		}, metadata.LogsStability))
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: factory, Signal: pipeline.SignalLogs, Config: cfg,
		Generator: &source{sim: sim}, GenerateCount: 200,
	})
}
