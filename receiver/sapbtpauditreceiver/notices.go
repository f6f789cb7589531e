// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
)

// noticeInterval is how often the same kind of trouble is worth a line.
const noticeInterval = 10 * time.Minute

// notices logs trouble that is overcome without anybody's help, once a while for each kind, so that nothing is silent and
// the log stays readable. The metrics count each case.
type notices struct {
	logger *zap.Logger

	mu   sync.Mutex
	last map[string]time.Time
}

func (n *notices) add(kind string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, known := n.last[kind]; known && time.Since(last) < noticeInterval {
		return
	}
	n.last[kind] = time.Now()
	n.logger.Info("An answer was not as it should be; it is asked for again or kept as it came, nothing is lost", zap.String("answer", kind))
}

// request counts an API request and notices what did not succeed.
func (s *subaccount) requested(outcome string, took time.Duration) {
	s.tel.request(outcome, took)
	if outcome != auditlog.OutcomeOK && outcome != auditlog.OutcomeEmpty {
		s.notices.add(outcome)
	}
}
