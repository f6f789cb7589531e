// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

func TestUsesATokenForHalfOfItsLife(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(grants("t1", time.Hour), grants("t2", 12*time.Hour), grants("t3", time.Hour))
		s := e.source()
		want(t, s, "t1")
		time.Sleep(30*time.Minute - 1)
		want(t, s, "t1")
		require.Equal(t, 1, e.count())
		time.Sleep(time.Nanosecond)
		want(t, s, "t2")
		time.Sleep(6*time.Hour - 1)
		want(t, s, "t2")
		time.Sleep(time.Nanosecond)
		want(t, s, "t3")
	})
}

func TestCountsATokensLifeFromTheRequest(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(after(10*time.Second, grants("t1", time.Minute)), grants("t2", time.Minute))
		s := e.source()
		want(t, s, "t1")
		time.Sleep(20 * time.Second) // 30 s after the request
		want(t, s, "t2")
	})
}

func TestUsesTheOldTokenOnWhileRenewingFails(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(grants("t1", 100*time.Second), reply(503, ""))
		var outcomes []error
		s := e.source(func(set *Settings) { set.OnRefresh = func(err error) { outcomes = append(outcomes, err) } })
		want(t, s, "t1")
		for range 89 { // the token is good for 100 s less a margin of 10 s
			time.Sleep(time.Second)
			want(t, s, "t1")
		}
		require.Greater(t, e.count(), 5, "renewing is tried again")
		require.Less(t, e.count(), 20, "but not by each caller")

		time.Sleep(time.Second)
		before := e.count()
		_, err := s.Token(t.Context())
		require.Equal(t, httpcall.KindServer, httpcall.KindOf(err))
		require.Equal(t, before+maxTries, e.count())
		require.Len(t, outcomes, before+1)
		require.NoError(t, outcomes[0])
		require.Error(t, outcomes[1])
	})
}

func TestDoesNotWaitLongForARenewalThatIsNotUrgent(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(grants("t1", time.Hour), after(10*time.Minute, unreachable))
		s := e.source()
		want(t, s, "t1")
		time.Sleep(30 * time.Minute)

		done := make(chan struct{})
		go func() {
			defer close(done)
			begin := time.Now()
			want(t, s, "t1")
			assert.Equal(t, renewTimeout, time.Since(begin))
		}()
		synctest.Wait()
		begin := time.Now()
		want(t, s, "t1") // another caller is at it: no wait at all
		require.Zero(t, time.Since(begin))
		<-done
		require.Equal(t, 2, e.count())
	})
}

func TestMakesAFullAttemptIfTheTokenIsDroppedDuringItsRenewal(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(grants("t1", time.Hour), after(time.Second, reply(503, "")), grants("t2", time.Hour))
		s := e.source()
		old := want(t, s, "t1")
		time.Sleep(30 * time.Minute)
		var wg sync.WaitGroup
		wg.Go(func() { want(t, s, "t2") })
		synctest.Wait()
		s.Drop(old)
		wg.Go(func() { want(t, s, "t2") })
		wg.Wait()
		require.Equal(t, 3, e.count())
	})
}

func TestManyCallersShareOneRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		e     *endpoint
		kind  httpcall.Kind
		count int
	}{
		"success": {newEndpoint(after(time.Second, grants("t1", time.Hour)), grants("t2", time.Hour)), httpcall.KindUnknown, 1},
		"failure": {newEndpoint(after(time.Second, reply(401, "")), grants("t2", time.Hour)), httpcall.KindUnauthorized, 1},
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				s := tt.e.source()
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() {
						_, err := s.Token(t.Context())
						assert.Equal(t, tt.kind, httpcall.KindOf(err))
					})
				}
				wg.Wait()
				require.Equal(t, tt.count, tt.e.count())
			})
		})
	}
}

func TestOneCallersEndDisturbsNoOther(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(after(time.Minute, grants("t1", time.Hour)), after(time.Minute, grants("t2", time.Hour)))
		refreshed := 0
		s := e.source(func(set *Settings) { set.OnRefresh = func(error) { refreshed++ } })
		leader, cancelLeader := context.WithCancel(t.Context())
		waiter, cancelWaiter := context.WithCancel(t.Context())

		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Token(leader)
			assert.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		wg.Go(func() {
			_, err := s.Token(waiter)
			assert.ErrorIs(t, err, context.Canceled)
		})
		for range 3 {
			wg.Go(func() { want(t, s, "t2") })
		}
		time.Sleep(time.Second)
		cancelWaiter()
		synctest.Wait()
		require.Equal(t, 1, e.count(), "a waiter's end ends nothing")
		cancelLeader()
		wg.Wait()
		require.Equal(t, 2, e.count(), "one of the waiters takes the leader's place")
		require.Equal(t, 1, refreshed, "an attempt that was given up does not count")
	})
}

func TestDropForgetsExactlyThatToken(t *testing.T) {
	e := newEndpoint(grants("same", time.Hour)) // the same text from another reply is another token
	s := e.source()
	first := want(t, s, "same")
	s.Drop(Token{})
	want(t, s, "same")
	require.Equal(t, 1, e.count())
	s.Drop(first)
	second := want(t, s, "same")
	require.Equal(t, 2, e.count())
	s.Drop(first) // late: another caller has replaced it already
	want(t, s, "same")
	require.Equal(t, 2, e.count())
	s.Drop(second)
	want(t, s, "same")
	require.Equal(t, 3, e.count())
}

func TestAskingIsNoRaceWithDropping(t *testing.T) {
	e := newEndpoint(grants("t1", time.Hour))
	s := e.source()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s.Drop(want(t, s, "t1"))
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, e.count(), 400)
}
