// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/contract"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

func TestTheContractBetweenReceiversAndConsumersIsKept(t *testing.T) {
	t.Parallel()
	api := &contractAPI{t: t}
	cfg := createDefaultConfig().(*Config)
	cfg.PollInterval = 50 * time.Millisecond
	cfg.RequestsPerSecond = 1000
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = 10 * time.Millisecond
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Factory: api.factory(), Signal: pipeline.SignalLogs, Config: cfg, Generator: api, GenerateCount: 200,
	})
}

// contractAPI is the API behind the checked receiver. Each of the checker's scenarios gets a simulator of its own, because
// a receiver that starts without state reads the last second too, which belongs to the scenario before.
type contractAPI struct {
	t *testing.T

	mu  sync.Mutex
	sim *sapbtp.Simulator
}

func (*contractAPI) Start() {}
func (*contractAPI) Stop()  {}

// Generate puts one event into the API.
func (a *contractAPI) Generate() []receivertest.UniqueIDAttrVal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(a.sim.Add(a.sim.Subaccount(0).Tenant, sapbtp.Record{})[0])}
}

// factory makes receivers that read a new simulator and whose records have the attribute that the checker looks for.
func (a *contractAPI) factory() receiver.Factory {
	create := func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sim = sapbtp.New(sapbtp.Options{Seed: 51})
		listeners, err := a.sim.Start(sapbtp.StartOptions{}) //nolint:contextcheck // they outlive the call
		require.NoError(a.t, err)
		a.t.Cleanup(func() { require.NoError(a.t, listeners.Close()) })
		own := *cfg.(*Config)
		point(&own, a.sim.Subaccount(0))
		return NewFactory().CreateLogs(ctx, set, &own, contract.Judge(next, "sap.btp.audit.message_uuid"))
	}
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithLogs(create, metadata.LogsStability))
}
