// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry"
)

// asking is a configuration that notes who validates it.
type asking struct{ dry bool }

func (a *asking) Validate() error {
	a.dry = Active()
	return nil
}

type provider struct{}

func (provider) Retrieve(context.Context, string, confmap.WatcherFunc) (*confmap.Retrieved, error) {
	return confmap.NewRetrieved(map[string]any{"receivers": map[string]any{"asking": nil}, "service": map[string]any{"pipelines": map[string]any{}}})
}
func (provider) Scheme() string                 { return "test" }
func (provider) Shutdown(context.Context) error { return nil }

func TestOnlyTheCommandValidateIsADryRun(t *testing.T) {
	cfg := &asking{}
	kind := component.MustNewType("asking")
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: func() (otelcol.Factories, error) {
			return otelcol.Factories{Receivers: map[component.Type]receiver.Factory{
				kind: receiver.NewFactory(kind, func() component.Config { return cfg }),
			}, Telemetry: telemetry.NewFactory(func() component.Config { return &struct{}{} })}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"test:config"},
			ProviderFactories: []confmap.ProviderFactory{confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return provider{} })},
		}},
	})
	require.NoError(t, err)
	err = collector.DryRun(t.Context())
	require.True(t, cfg.dry, "%v", err)
	require.NoError(t, confmap.Validate(cfg))
	require.False(t, cfg.dry)
}
