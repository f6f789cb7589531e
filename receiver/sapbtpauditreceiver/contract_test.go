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
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
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
		return NewFactory().CreateLogs(ctx, set, &own, &contractConsumer{Logs: next, dropped: map[string]struct{}{}})
	}
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithLogs(create, metadata.LogsStability))
}

// contractConsumer stands between the receiver and the checker.
//
// The checker takes a permanent error for the end of the data. This receiver goes further and offers it again, as a backend
// that is down answers with permanent errors too. The data that the checker has dropped ends here, so that
// everything else is checked: nothing that was accepted comes again, and nothing is missing.
type contractConsumer struct {
	consumer.Logs
	dropped map[string]struct{} // by id; pages are delivered one at a time
}

func (c *contractConsumer) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	given := plog.NewLogs()
	logs.CopyTo(given)
	given.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(lr plog.LogRecord) bool {
		id, _ := lr.Attributes().Get("sap.btp.audit.message_uuid")
		lr.Attributes().PutStr(receivertest.UniqueIDAttrName, id.Str())
		_, again := c.dropped[id.Str()]
		return again
	})
	if given.LogRecordCount() == 0 {
		return nil
	}
	err := c.Logs.ConsumeLogs(ctx, given)
	if consumererror.IsPermanent(err) {
		for _, lr := range observed.Records(given) {
			id, _ := lr.Attributes().Get(receivertest.UniqueIDAttrName)
			c.dropped[id.Str()] = struct{}{}
		}
	}
	return err
}
