// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package observed

import (
	"fmt"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Metric is the sum of a metric's points that have all of these attributes, given as key and value in turn; of a histogram, how
// often something was measured. It is not known before that was the first time. The name goes without its otelcol_.
func Metric(telemetry *componenttest.Telemetry, name string, attributes ...string) (total int, known bool) {
	m, err := telemetry.GetMetric("otelcol_" + name)
	if err != nil {
		return 0, false
	}
	sum := 0.0
	add := func(set attribute.Set, value float64) {
		for i := 0; i < len(attributes); i += 2 {
			if v, _ := set.Value(attribute.Key(attributes[i])); v.AsString() != attributes[i+1] {
				return
			}
		}
		sum += value
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Count))
		}
	default:
		panic(fmt.Sprintf("%s is a %T, of which no sum is known", name, data))
	}
	return int(sum), true
}
