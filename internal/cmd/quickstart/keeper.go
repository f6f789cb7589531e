// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

// restartPause is how long the Collector stays down after it was killed: long enough to be seen.
const restartPause = time.Second

// keeper keeps the Collector running: one that was killed or asked to end is started again. One that ends by itself, because
// it does not like its configuration for instance, is a failure.
type keeper struct {
	launch func() (*program.Process, error)
	log    string // path, for the last words of a Collector that failed
	tally  string // path of the file that keeps the number of kills for a run that goes on with this one's output

	process  *program.Process
	died     time.Time // when it was found that the process has ended; zero while it runs
	kills    int       // how often it was killed or asked to end
	lastKill time.Time
}

// start starts the Collector. The kills of the run that this one goes on with count, too.
func (k *keeper) start() (err error) {
	if text, absent := os.ReadFile(k.tally); absent == nil {
		k.kills, _ = strconv.Atoi(string(text))
	}
	k.process, err = k.launch()
	return err
}

// check looks after the Collector. It is to be called often.
func (k *keeper) check(now time.Time) error {
	if k.process.Running() {
		return nil
	}
	if k.died.IsZero() {
		if err := k.process.Err(); err != nil && !k.process.Signaled() {
			return failed("the collector ended by itself", err, k.log)
		}
		k.died, k.lastKill = now, now
		k.kills++
		if err := os.WriteFile(k.tally, []byte(strconv.Itoa(k.kills)), 0o600); err != nil {
			return err
		}
	}
	if now.Sub(k.died) < restartPause {
		return nil
	}
	k.died = time.Time{}
	var err error
	k.process, err = k.launch()
	return err
}

// pid is the running Collector's process id, 0 while there is none.
func (k *keeper) pid() int {
	if k.process == nil || !k.process.Running() {
		return 0
	}
	return k.process.PID()
}

// stop ends the Collector in an orderly way.
func (k *keeper) stop() error {
	if k.process == nil {
		return nil
	}
	if err := k.process.Stop(); err != nil {
		return failed("ending the collector", err, k.log)
	}
	return nil
}

// failed adds to an error what the program said last.
func failed(what string, err error, log string) error {
	said := program.LastLines(log, 8)
	if len(said) == 0 {
		return fmt.Errorf("%s: %w (its log %s is empty)", what, err, log)
	}
	return fmt.Errorf("%s: %w\n\nThe last lines of %s:\n  %s", what, err, log, strings.Join(said, "\n  "))
}
