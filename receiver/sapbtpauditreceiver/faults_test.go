// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// unnoticed are faults that need no line in the log, because nothing about the answer is wrong as such.
var unnoticed = []string{
	"none", "204", "slow", "trickle", "no_date", "date", "gzip", "utf8", "deep", "huge", "short_token", "no_expires_in",
	// Their chains of pages end before they count as endless, or lose no page by it.
	"endless_empty", "endless_rows", "no_handle",
	// Their twenty seconds lie between two polls.
	"outage", "token-outage",
}

// altering are faults that change what a record says from one reading to the next. Both forms are delivered then, with
// different uids: which one is true cannot be known.
var altering = []string{"garbage", "utf8", "huge", "deep", "mix"}

// busy is a world with events of the last day and traffic of the next half hour.
func busy(t *testing.T, seed uint64, readings sapbtp.Readings, configure ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: seed, Readings: readings}, configure...)
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 3000, now.Add(-20*time.Hour), now)
	w.sim.Generate(w.sub.Tenant, 1000, now, now.Add(30*time.Minute))
	return w
}

// unaltered is the mix of all faults without the altering ones.
const unaltered = "mix of what alters nothing"

func TestEveryFaultIsSurvivedWithoutLossOrRepeats(t *testing.T) {
	for _, name := range append(sapbtp.PresetNames(), unaltered) {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := busy(t, 11, sapbtp.Readings{TokenLifetime: 20 * time.Second})
				preset := name
				if name == unaltered {
					preset = "mix"
				}
				rules, err := sapbtp.Preset(preset)
				require.NoError(t, err)
				if name == unaltered {
					rules = slices.DeleteFunc(rules, func(r sapbtp.Rule) bool { return slices.Contains(altering, string(r.Fault.Kind)) })
				}
				for i := range rules {
					// Reading up to the limit takes its time; a few are enough.
					if kind := rules[i].Fault.Kind; kind == sapbtp.FaultBomb || kind == sapbtp.FaultOversize {
						rules[i].Times = 3
					}
				}
				require.NoError(t, w.sim.Script(rules...))
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(30 * time.Minute)
				require.NoError(t, w.sim.Script())
				time.Sleep(30 * time.Minute)
				w.requireComplete()
				if !slices.Contains(altering, name) {
					w.requireNoDuplicates(0)
				}
				require.NoError(t, r.Shutdown(t.Context()))
				require.Empty(t, w.sim.Ledger().Leaks())
				if !slices.Contains(unnoticed, name) {
					lines := w.logs.FilterMessageSnippet("not as it should be").Len() + w.logs.FilterMessageSnippet("set aside").Len() +
						w.logs.FilterMessageSnippet("Reading the audit log failed").Len() + w.logs.FilterMessageSnippet("does not filter by category").Len()
					require.Positive(t, lines, "nothing is silent")
					require.Less(t, lines, 60, "the log stays readable")
				}
			})
		})
	}
}

// An outage of one kind that lasts is logged once when it begins and once when it ends, and reading goes on by itself.
func TestALastingFaultIsOneLineAndRecoversByItself(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault sapbtp.Fault
		kind  sapbtp.Kind
		says  string
	}{
		{"server error", sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 503}, sapbtp.KindRecords, "HTTP 503"},
		{"rights withdrawn", sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 403}, sapbtp.KindRecords, "HTTP 403"},
		{"credentials refused", sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 401}, sapbtp.KindToken, "HTTP 401"},
		{"redirect", sapbtp.Fault{Kind: sapbtp.FaultRedirect}, sapbtp.KindRecords, "redirect"},
		{"connection resets", sapbtp.Fault{Kind: sapbtp.FaultReset}, sapbtp.KindRecords, "connection"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := busy(t, 12, sapbtp.Readings{TokenLifetime: 10 * time.Minute})
				rule := sapbtp.Rule{Match: sapbtp.Match{Kind: tc.kind, After: sapbtp.Duration(5 * time.Minute), Before: sapbtp.Duration(65 * time.Minute)}, Fault: tc.fault}
				require.NoError(t, w.sim.Script(rule))
				w.runFor(90 * time.Minute)
				w.requireExactlyOnce()
				begins := w.logs.FilterMessage("Reading the audit log failed; trying again, nothing is skipped").All()
				require.NotEmpty(t, begins)
				require.LessOrEqual(t, len(begins), 3, "one line, not one a try")
				require.Contains(t, begins[0].ContextMap()["error"], tc.says)
				require.Len(t, w.logs.FilterMessage("Reading the audit log works again").All(), 1)
			})
		})
	}
}

// What SAP leaves open must not matter.
func TestEveryReadingOfTheDocumentsIsRight(t *testing.T) {
	for name, readings := range map[string]sapbtp.Readings{
		"exclusive edges":           {From: sapbtp.Exclusive, To: sapbtp.Exclusive},
		"exclusive lower edge":      {From: sapbtp.Exclusive},
		"exclusive upper edge":      {To: sapbtp.Exclusive},
		"compares whole seconds":    {WholeSeconds: true, To: sapbtp.Exclusive},
		"whole seconds, inclusive":  {WholeSeconds: true},
		"refuses fractions":         {QueryFraction: sapbtp.FractionRefused},
		"no range over ten minutes": {MaxRange: 10 * time.Minute},
		"newest first":              {Order: sapbtp.NewestFirst},
		"in no order":               {Order: sapbtp.Shuffled},
		"live view":                 {Paging: sapbtp.LiveView, OwnRecords: true},
		"live view, newest first":   {Paging: sapbtp.LiveView, Order: sapbtp.NewestFirst, OwnRecords: true},
		"handle alone":              {FollowUp: sapbtp.HandleAlone},
		"handle with times":         {FollowUp: sapbtp.HandleWithTimes},
		"handle of 2021":            {Handles: sapbtp.HandleTimeID},
		"handle of three parts":     {Handles: sapbtp.HandleTimeIDTime},
		"escaped handle":            {Handles: sapbtp.HandleTimeEscaped},
		"handles of one second":     {HandleAge: time.Second},
		"handles for one use":       {HandleUses: 1},
		"message is an object":      {Messages: sapbtp.MessageObject},
		"message is this or that":   {Messages: sapbtp.MessageMixed},
		"empty array for 204":       {EmptyArray: true},
		"204 after a full page":     {TrailingHandle: true},
		"empty handle at the end":   {EmptyHandle: true},
		"no Date":                   {NoDate: true},
		"server's clock is behind":  {DateSkew: -3 * time.Minute},
		"server's clock is ahead":   {DateSkew: time.Hour},
		"tokens of ten seconds":     {TokenLifetime: 10 * time.Second},
		"tokens without expires_in": {NoExpiresIn: true, TokenLifetime: time.Minute},
		"slow region":               {RateLimit: sapbtp.SlowRegion},
		"own records":               {OwnRecords: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := busy(t, 13, readings, func(c *Config) { c.RequestsPerSecond = 4 })
				w.runFor(45 * time.Minute)
				w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-5 * time.Minute)))
				require.Zero(t, w.sim.Ledger().Answered(sapbtp.KindRecords, 429))
			})
		})
	}
}
