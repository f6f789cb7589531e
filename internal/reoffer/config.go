// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package reoffer

import (
	"fmt"
	"time"
)

const (
	// DefaultInterval is the default of Config.RetryInterval.
	DefaultInterval = 24 * time.Hour
	minInterval     = time.Minute
)

// Config says what becomes of events that the next consumer refused for good.
type Config struct {
	// RetryInterval is how often what is in the quarantine is offered again,
	// beside once at each start: at least 1m, or 0s for at the start only.
	// Default 24h.
	RetryInterval time.Duration `mapstructure:"retry_interval"`
}

// NewDefaultConfig returns the defaults.
func NewDefaultConfig() Config { return Config{RetryInterval: DefaultInterval} }

// Check returns what is wrong with the configuration, which is under key.
func (c Config) Check(key string) error {
	if c.RetryInterval == 0 || c.RetryInterval >= minInterval {
		return nil
	}
	return fmt.Errorf("%s::retry_interval must be at least %s, or 0s to offer what is in the quarantine again at the start only; the default is %s",
		key, short(minInterval), short(DefaultInterval))
}

// short writes whole hours and minutes as people do.
func short(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
