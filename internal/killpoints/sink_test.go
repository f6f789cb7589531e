// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"bytes"
	"context"
	"errors"
	"os"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

var errRefused = errors.New("refused")

// sink is the next consumer: each call is one line of OTLP JSON at the end of a file, written at once.
type sink struct {
	life   *life
	points *points
	file   *os.File
}

// arrivals is the file of the sink.
const arrivals = "arrivals.jsonl"

func newSink(l *life, points *points) (consumer.Logs, error) {
	file, err := os.OpenFile(l.path(arrivals), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &sink{life: l, points: points, file: file}, err
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	if s.life.Down {
		return errRefused
	}
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return err
	}
	if s.life.Poison != "" && bytes.Contains(text, []byte(s.life.Poison)) {
		return consumererror.NewPermanent(errRefused)
	}
	return s.points.around(deliver, func() error {
		_, err := s.file.Write(append(text, '\n'))
		return err
	})
}
