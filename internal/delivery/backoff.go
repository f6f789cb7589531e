// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"time"

	"go.opentelemetry.io/collector/config/configretry"
)

// minPause keeps a configuration of zeros from becoming a busy loop.
const minPause = time.Millisecond

// backoff grows the pause between retries as configretry describes it: from the initial interval by the multiplier up to the
// maximal interval, each spread by the randomization factor in both directions.
type backoff struct {
	cfg      configretry.BackOffConfig
	jitter   func() float64
	interval time.Duration // of the last pause, before spreading; 0 at first
}

func (b *backoff) reset() {
	b.interval = 0
}

func (b *backoff) next() time.Duration {
	initial := max(b.cfg.InitialInterval, minPause)
	if b.interval == 0 {
		b.interval = initial
	} else {
		grown := float64(b.interval) * max(b.cfg.Multiplier, 1)
		b.interval = time.Duration(min(grown, float64(max(b.cfg.MaxInterval, initial))))
	}
	spread := 1 + b.cfg.RandomizationFactor*(2*b.jitter()-1)
	return max(time.Duration(float64(b.interval)*spread), minPause)
}
