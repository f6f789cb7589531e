// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// listener is a host that notes down what it is told; "" stands for OK.
type listener struct {
	component.Host

	mu     sync.Mutex
	heard  []string
	status []componentstatus.Status
}

func (l *listener) Report(event *componentstatus.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := ""
	if event.Err() != nil {
		text = event.Err().Error()
	}
	l.heard = append(l.heard, text)
	l.status = append(l.status, event.Status())
}

func TestChangesAreReportedOnce(t *testing.T) {
	host := &listener{}
	r := New()
	r.Start(host)
	require.Empty(t, host.heard, "the service reports OK after Start itself")

	down := errors.New("HTTP 503")
	r.Set("api", nil)
	r.Set("api", down)
	r.Set("api", down)
	r.Set("api", errors.New("HTTP 503"))
	r.Set("spool", errors.New("80% full"))
	r.Set("api", errors.New("HTTP 401"))
	r.Set("api", nil)
	r.Set("api", nil)
	r.Set("spool", nil)
	r.Set("spool", nil)

	require.Equal(t, []string{
		"api: HTTP 503",
		"api: HTTP 503; spool: 80% full",
		"api: HTTP 401; spool: 80% full",
		"spool: 80% full",
		"",
	}, host.heard)
	bad := componentstatus.StatusRecoverableError
	require.Equal(t, []componentstatus.Status{bad, bad, bad, bad, componentstatus.StatusOK}, host.status)
}

func TestNothingIsReportedOutsideTheLifetime(t *testing.T) {
	host := &listener{}
	r := New()
	r.Set("storage", errors.New("none"))
	r.Set("gone", errors.New("early"))
	r.Set("gone", nil)
	require.Empty(t, host.heard)

	r.Start(host)
	require.Equal(t, []string{"storage: none"}, host.heard)

	r.Stop()
	r.Set("storage", nil)
	r.Set("api", errors.New("late"))
	require.Len(t, host.heard, 1)
}

func TestStopWithoutStartIsHarmless(t *testing.T) {
	r := New()
	r.Stop()
	require.NotPanics(t, func() { r.Set("api", errors.New("late")) })
}

func TestHostWithoutStatusSupportIsHarmless(t *testing.T) {
	r := New()
	r.Start(struct{ component.Host }{})
	require.NotPanics(t, func() { r.Set("api", errors.New("down")) })
}

func TestTextIsSanitised(t *testing.T) {
	tests := []struct {
		name, give, want string
	}{
		{"line breaks", "a\r\nlevel=error\tb", "cause: a  level=error b"},
		{"escape sequences", "\x1b[31mred\x00", "cause:  [31mred "},
		{"invalid UTF-8", "bad \xff\xfe", "cause: bad ?"},
		{"direction override", "abc\u202edef", "cause: abc def"},
		{"long text", strings.Repeat("ü", 300), "cause: " + strings.Repeat("ü", 126) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host := &listener{}
			r := New()
			r.Start(host)
			r.Set("cause", errors.New(tt.give))
			require.Equal(t, []string{tt.want}, host.heard)
			require.True(t, utf8.ValidString(host.heard[0]))
			require.LessOrEqual(t, len(host.heard[0]), len("cause: ")+maxText)
		})
	}
}

func TestManyCausesAreCounted(t *testing.T) {
	host := &listener{}
	r := New()
	r.Start(host)
	const first = "a: down; b: down; c: down; d: down; e: down; f: down; g: down; h: down; i: down; j: down"
	for c := 'l'; c >= 'a'; c-- {
		r.Set(string(c), errors.New("down"))
	}
	require.Equal(t, first+"; and 2 more", host.heard[len(host.heard)-1])
	r.Set("l", nil)
	require.Equal(t, first+"; and 1 more", host.heard[len(host.heard)-1])
	r.Set("k", nil)
	require.Equal(t, first, host.heard[len(host.heard)-1])

	for i := range 1000 {
		r.Set(strconv.Itoa(i), errors.New(strings.Repeat("x", 2*maxText)))
	}
	last := host.heard[len(host.heard)-1]
	require.True(t, strings.HasSuffix(last, "; and 1000 more"))
	require.Less(t, len(last), maxCauses*(maxText+10)+20)
}

func TestManyCausesOfOneKindDoNotHideAnother(t *testing.T) {
	host := &listener{}
	r := New()
	r.Start(host)
	for i := range 500 {
		r.Set(fmt.Sprintf("reading %03d", i), errors.New("down"))
	}
	for i := range 3 {
		r.Set(fmt.Sprintf("service key /keys/%d.json", i), errors.New("broken"))
	}
	r.Set("storage a", errors.New("full"))
	require.Equal(t, "reading 000: down; reading 001: down; reading 002: down; reading 003: down; reading 004: down; reading 005: down; "+
		"service key /keys/0.json: broken; service key /keys/1.json: broken; service key /keys/2.json: broken; storage a: full; and 494 more",
		host.heard[len(host.heard)-1])
}

func TestEventCarriesNothingButText(t *testing.T) {
	secret := errors.New("inner")
	var got *componentstatus.Event
	r := New()
	r.Start(hostFunc(func(event *componentstatus.Event) { got = event }))
	r.Set("api", errors.Join(secret))
	require.NotErrorIs(t, got.Err(), secret)
}

func TestAScopeTakesItsCausesWithIt(t *testing.T) {
	host := &listener{}
	r := New()
	r.Start(host)
	r.Set("leading", errors.New("no"))
	old, next := r.Scope(), r.Scope()
	old.Set("storage", errors.New("full"))
	old.Set("api", errors.New("down"))
	old.Set("api", nil)
	old.Close()
	require.Equal(t, "leading: no", host.heard[len(host.heard)-1])
	old.Set("api", errors.New("late"))
	next.Set("storage", errors.New("empty"))
	old.Set("storage", nil)
	old.Close()
	require.Equal(t, "leading: no; storage: empty", host.heard[len(host.heard)-1])
}

type hostFunc func(*componentstatus.Event)

func (hostFunc) GetExtensions() map[component.ID]component.Component { return nil }
func (f hostFunc) Report(event *componentstatus.Event)               { f(event) }

func TestConcurrentCausesEndInTheTrueStatus(t *testing.T) {
	host := &listener{}
	r := New()
	r.Start(host)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			cause := strconv.Itoa(i)
			for range 50 {
				r.Set(cause, errors.New("down"))
				r.Set(cause, nil)
			}
			if i == 3 {
				r.Set(cause, errors.New("still down"))
			}
		})
	}
	wg.Wait()
	require.Equal(t, "3: still down", host.heard[len(host.heard)-1])
	for i := 1; i < len(host.heard); i++ {
		require.NotEqual(t, host.heard[i-1], host.heard[i])
	}
}
