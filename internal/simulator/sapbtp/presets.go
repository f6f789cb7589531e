// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Preset gives a ready fault script: each fault alone by the name of its kind, at every tenth request that it fits; the
// statuses by their number; and
//
//	mix          every fault, now and then
//	throttle     storms of 429, with and without Retry-After
//	outage       the API answers 503 for 20 s of each of the first ten minutes
//	token-outage the same for the token endpoint
//	none         nothing
func Preset(name string) ([]Rule, error) {
	rules, known := presets()[name]
	if !known {
		return nil, fmt.Errorf("no fault preset is called %q; there are %q", name, PresetNames())
	}
	return rules, nil
}

// PresetNames lists what Preset knows, in order.
func PresetNames() []string { return slices.Sorted(maps.Keys(presets())) }

// singles is each fault in the form in which a preset uses it. The big ones are smaller than by default, so that a
// quickstart does not fill a laptop.
func singles() map[string]Rule {
	out := map[string]Rule{}
	for kind := range injections {
		out[string(kind)] = Rule{Fault: Fault{Kind: kind}}
	}
	delete(out, string(FaultStatus))
	out[string(FaultSlow)] = Rule{Fault: Fault{Kind: FaultSlow, Delay: Duration(3 * time.Second)}}
	out[string(FaultHuge)] = Rule{Fault: Fault{Kind: FaultHuge, Bytes: 8 * mebibyte}}
	out[string(FaultRepeatHandle)] = Rule{Times: 20, Match: Match{Page: 2}, Fault: Fault{Kind: FaultRepeatHandle}} // others have none
	out[string(FaultEndlessEmpty)] = Rule{Times: 20, Fault: Fault{Kind: FaultEndlessEmpty}}
	out[string(FaultEndlessRows)] = Rule{Times: 20, Fault: Fault{Kind: FaultEndlessRows}}
	for _, status := range []int{204, 400, 401, 403, 429, 500, 501, 502, 503, 504} {
		name := strconv.Itoa(status)
		out[name] = Rule{Name: name, Fault: Fault{Kind: FaultStatus, Status: status}}
	}
	return out
}

func presets() map[string][]Rule {
	out := map[string][]Rule{"none": nil}
	names := slices.Sorted(maps.Keys(singles()))
	for _, name := range names {
		rule := singles()[name]
		mixed := rule
		rule.Match.Every, mixed.Match.Chance = 10, 0.01
		if rule.Match.Page > 1 { // of which there are few
			rule.Match.Every = 2
		}
		out[name] = []Rule{rule}
		out["mix"] = append(out["mix"], mixed)
	}
	for i, after := range []string{"", "1", "@2s", "-5", "soon"} {
		rule := Rule{Name: "throttle", Match: Match{Kind: KindRecords, Every: 25, Skip: i}, Fault: Fault{Kind: FaultStatus, Status: 429, RetryAfter: after}}
		out["throttle"] = append(out["throttle"], rule)
	}
	for minute := range 10 {
		from := time.Duration(minute)*time.Minute + 30*time.Second
		match := Match{Kind: KindRecords, After: Duration(from), Before: Duration(from + 20*time.Second)}
		down := Fault{Kind: FaultStatus, Status: 503}
		out["outage"] = append(out["outage"], Rule{Name: "outage", Match: match, Fault: down})
		match.Kind = KindToken
		out["token-outage"] = append(out["token-outage"], Rule{Name: "token-outage", Match: match, Fault: down})
	}
	return out
}
