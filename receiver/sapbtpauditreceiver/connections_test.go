// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// The servers go on, so that only the receiver can have closed its connections. It is not parallel, as those of other tests
// are not to be seen.
func TestNoConnectionOutlivesTheReceiver(t *testing.T) {
	w := newKeyWorld(t, 2)
	w.endTraffic()
	w.key("secret.json", w.secretKey(0))
	w.key("certificate.json", w.sim.Subaccount(1).ServiceKey(sapbtp.X509Key))
	host := fileStorage(t)
	before := goleak.IgnoreCurrent()
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("by secret and by certificate", 0, 1)
	require.Error(t, goleak.Find(before), "there are connections")
	require.NoError(t, r.Shutdown(t.Context()))
	goleak.VerifyNone(t, before)
}

func TestConnectionsOfASubaccountThatIsLeftAreGivenBack(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	w.key("a.json", w.sim.Subaccount(0).ServiceKey(sapbtp.X509Key))
	r, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	var closed atomic.Bool
	s := r.list()[0]
	watched := *s.connection.Load()
	used := *watched.credentials[0]
	give := used.close
	used.close = func() { closed.Store(true); give() }
	watched.credentials = append(watched.credentials[:0:0], &used)
	s.connection.Store(&watched)
	w.remove("a.json")
	require.Eventually(t, closed.Load, longWait, 10*time.Millisecond)
	w.requireEventually(func() bool { return len(r.list()) == 0 }, "it is left")
}
