// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/election"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

type plain struct {
	component.StartFunc
	component.ShutdownFunc
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// office notes what a term does, and fails to begin as often as told.
type office struct {
	refusals int
	events   []string
}

func (o *office) term() Term {
	return Term{
		Begin: func(context.Context) error {
			if o.refusals > 0 {
				o.refusals--
				o.events = append(o.events, "refused")
				return errors.New("storage is locked")
			}
			o.events = append(o.events, "begin")
			return nil
		},
		End: func(context.Context) error {
			o.events = append(o.events, "end")
			return nil
		},
		OnProblem: func(error) {},
		Logger:    zap.NewNop(),
	}
}

func TestTermsFollowTheElection(t *testing.T) {
	for _, tc := range []struct {
		name     string
		refusals int
		steps    string // l: elected, f: voted out, .: time passes
		want     []string
	}{
		{"never elected", 0, ".", nil},
		{"elected and voted out", 0, "l.f.", []string{"begin", "end"}},
		{"several terms", 0, "l.f.l.f.l.", []string{"begin", "end", "begin", "end", "begin"}},
		{"told twice", 0, "l.l.f.f.", []string{"begin", "end"}},
		{"a term that cannot begin is tried again", 2, "l.", []string{"refused", "refused", "begin"}},
		{"but not once voted out", 1, "l", []string{"refused"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				f, o := &election.Elector{}, &office{refusals: tc.refusals}
				c, err := Stand(t.Context(), host{election.ElectorID: f}, election.ElectorID, o.term())
				require.NoError(t, err)
				for _, step := range tc.steps {
					switch step {
					case 'l':
						f.Elect(t.Context())
					case 'f':
						f.VoteOut()
					case '.':
						time.Sleep(5 * retryPause)
					}
				}
				synctest.Wait()
				require.NoError(t, c.Withdraw(t.Context()))
				require.Equal(t, tc.want, o.events)
				f.Elect(t.Context()) // after the end nothing may happen
				time.Sleep(time.Minute)
				require.Equal(t, tc.want, o.events)
			})
		})
	}
}

func TestStandingNeedsAnElector(t *testing.T) {
	_, err := Stand(t.Context(), host{}, election.ElectorID, (&office{}).term())
	require.ErrorContains(t, err, "is not running")
	_, err = Stand(t.Context(), host{election.ElectorID: &plain{}}, election.ElectorID, (&office{}).term())
	require.ErrorContains(t, err, "is not a leader elector")
}

func TestWithdrawHonoursItsDeadline(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		f, o := &election.Elector{}, &office{}
		release := make(chan struct{})
		term := o.term()
		term.Begin = func(context.Context) error { <-release; return nil }
		c, err := Stand(t.Context(), host{election.ElectorID: f}, election.ElectorID, term)
		require.NoError(t, err)
		f.Elect(t.Context())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.Withdraw(ctx), context.DeadlineExceeded)
		close(release)
		require.NoError(t, c.Withdraw(t.Context()))
		require.Equal(t, []string{"end"}, o.events, "nobody else would end what began after all")
	})
}

// An instance that has led and could not begin has no trouble once another one leads, and does not fill the log before.
func TestATermThatCannotBeginIsTroubleWhileTheInstanceLeadsOnly(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		var told []error
		f, o := &election.Elector{}, &office{refusals: 1000}
		term := o.term()
		term.Logger = zap.New(core)
		term.OnProblem = func(err error) { told = append(told, err) }
		c, err := Stand(t.Context(), host{election.ElectorID: f}, election.ElectorID, term)
		require.NoError(t, err)
		for range 2 {
			f.Elect(t.Context())
			time.Sleep(5 * retryPause)
			synctest.Wait()
			require.Error(t, told[len(told)-1])
			f.VoteOut()
			synctest.Wait()
			require.NoError(t, told[len(told)-1])
		}
		require.Equal(t, 2, logs.Len(), "one line, not one a try")
		require.NoError(t, c.Withdraw(t.Context()))
	})
}
