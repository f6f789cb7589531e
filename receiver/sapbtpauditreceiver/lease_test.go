// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// answerAfter answers each request after a time.
type answerAfter time.Duration

func (d answerAfter) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := sleep(req.Context(), time.Duration(d)); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// request sends a request for a page that has a place, and says how long its answer took.
func (l *lease) request(ctx context.Context, answer time.Duration) (time.Duration, error) {
	if err := l.take(ctx); err != nil {
		return 0, err
	}
	began := time.Now()
	req, err := http.NewRequestWithContext(context.WithValue(ctx, leaseKey{}, l), http.MethodGet, "https://example.com", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := lending{next: answerAfter(answer), slow: newGate(1)}.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return time.Since(began), resp.Body.Close()
}

func TestAPlaceIsLentWhileAnAnswerIsAwaited(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		pages := newGate(1)
		slow, quick := &lease{from: pages}, &lease{from: pages}
		done := make(chan time.Duration)
		go func() {
			took, err := slow.request(t.Context(), time.Minute)
			if err == nil {
				done <- took
			}
		}()
		synctest.Wait()

		began := time.Now()
		_, err := quick.request(t.Context(), time.Second)
		require.NoError(t, err)
		require.Equal(t, lendAfter+time.Second, time.Since(began), "no longer than until the slow one lends its place")
		time.Sleep(2 * time.Minute) // the quick page is being delivered
		require.Len(t, pages, 1, "and the slow answer is not read meanwhile")
		quick.free()
		require.Greater(t, <-done, 2*time.Minute)
		require.Len(t, pages, 1)
		slow.free()
		slow.free()
		require.Empty(t, pages)
	})
}

func TestAPlaceIsNotTakenAgainForAnAnswerThatNobodyWants(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		pages := newGate(1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		slow, other := &lease{from: pages}, &lease{from: pages}
		failed := make(chan error)
		go func() {
			_, err := slow.request(ctx, time.Minute)
			failed <- err
		}()
		synctest.Wait()
		require.NoError(t, other.take(t.Context()))
		require.ErrorIs(t, <-failed, context.DeadlineExceeded)
		slow.free()
		require.Len(t, pages, 1, "the place of the other")
		other.free()
	})
}
