// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// answersOf are the answers of a record in one line: who (what kind of who), what, to what, whose, how it went, from where.
func answersOf(record plog.LogRecord) string {
	raw := record.Attributes().AsRaw()
	said := func(key string) string {
		if text, ok := raw[key].(string); ok {
			return text
		}
		return "-"
	}
	return strings.Join([]string{
		said("audit.actor.id") + " (" + said("audit.actor.type") + ")", said("audit.action"),
		said("audit.target.type") + " " + said("audit.target.id") + " of " + said("audit.target.owner"),
		said("audit.outcome"), said("client.address"),
	}, " | ")
}

func TestEventAnswersWhoDidWhatToWhom(t *testing.T) {
	for event, want := range map[string]string{
		`{"log_type":"activity_monitoring","user":"ann@example.org","action":"download","item_type":"File","item_name":"a.txt","source_ip":"198.51.100.7"}`:                    "ann@example.org (user) | download | file a.txt of - | success | 198.51.100.7",
		`{"log_type":"activity_monitoring","user":" Ann ","action":"share","item_type":"FILE","item_name":"a.txt","item_unique_id":"u1","target_name":"x@example.net"}`:        "Ann (user) | share | file u1 of - | success | -",
		`{"log_type":"activity_monitoring","user":"Unknown","action":"preview","item_type":"Folder","item_name":"a"}`:                                                          "- (-) | preview | folder a of - | success | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"login_failed","item_type":"user","item_name":"ann@example.org"}`:                                             "- (-) | login | user ann@example.org of - | failure | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"Login Failure"}`:                                                                                             "- (-) | login | user Ann of - | failure | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"Failed to log in","item_type":"user","item_name":"Unknown"}`:                                                 "- (-) | login | user Ann of - | failure | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"authorize","item_type":"app","item_name":"Notes"}`:                                                           "Ann (user) | grant | application Notes of - | success | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"frobnicate","target_type":"Channel","target_name":"general"}`:                                                "Ann (user) | - | channel general of - | success | -",
		`{"log_type":"activity_monitoring","user":"Ann","action":"upload","success":false,"item_type":"file","item_name":"a"}`:                                                 "Ann (user) | upload | file a of - | failure | -",
		`{"log_type":"activity_monitoring","user":"Ann"}`:                                                                                                                      "Ann (user) | - | - - of - | unknown | -",
		`{"log_type":"admin_audit","admin_id":"root@example.org","event_type":"policy","item_type":"content_policy","item_name":"PCI","action":"edit","ip":"203.0.113.9:443"}`: "root@example.org (user) | update | policy PCI of - | success | 203.0.113.9",
		`{"log_type":"admin_audit","admin_id":"root@example.org","event_type":"settings","item_type":"general_settings","item_name":"Retention","action":"create"}`:            "root@example.org (user) | create | settings Retention of - | success | -",
		`{"log_type":"admin_audit","admin_id":"root@example.org","event_type":"login","item_type":"user","item_name":"root","action":"sign_in","ip":"203.0.113.9"}`:            "root@example.org (user) | login | user root of - | success | 203.0.113.9",
		`{"log_type":"admin_audit","admin_id":"root@example.org","event_type":"login"}`:                                                                                        "root@example.org (user) | login | user root@example.org of - | success | -",
		`{"log_type":"admin_audit","admin_id":"root@example.org","action":"sign_out"}`:                                                                                         "root@example.org (user) | logout | user root@example.org of - | success | -",
		`{"log_type":"admin_audit","admin_id":"root@example.org","event_type":"login","action":"login failed"}`:                                                                "- (-) | login | user root@example.org of - | failure | -",
		`{"log_type":"incident","item_type":"file","item_name":"a","asset_id":"60b1","item_owner":"Lee","item_owner_email":"lee@example.org","incident_owner":"soc"}`:          "- (-) | detect_incident | file 60b1 of lee@example.org | unknown | -",
		`{"log_type":"incident","item_type":"file","item_name":"a","item_verdict":"Malware","item_owner":"Lee","item_owner_email":""}`:                                         "- (-) | detect_malware | file a of Lee | unknown | -",
		`{"log_type":"incident","incident_id":"17","item_owner":"Unknown"}`:                                                                                                    "- (-) | detect_incident | incident 17 of - | unknown | -",
		`{"log_type":"policy_violation","item_type":"File","item_name":"a","item_owner":"Lee","action_taken":"Log only","action_taken_by":"Aperture"}`:                         "Aperture (system) | log | file a of Lee | success | -",
		`{"log_type":"policy_violation","item_type":"File","item_name":"a","action_taken":"Send Administrator Alert","action_taken_by":"APERTURE"}`:                            "APERTURE (system) | notify | file a of - | success | -",
		`{"log_type":"policy_violation","item_type":"File","item_name":"a","action_taken":null,"action_taken_by":null,"item_owner":"Lee"}`:                                     "- (-) | detect_violation | file a of Lee | unknown | -",
		`{"log_type":"remediation","item_type":"File","item_name":"a","action_taken":"quarantine","action_taken_by":"soc@example.org"}`:                                        "soc@example.org (user) | quarantine | file a of - | success | -",
		`{"log_type":"remediation","item_type":"File","item_name":"a","action_taken":"Failed to quarantine","action_taken_by":"Aperture"}`:                                     "Aperture (system) | quarantine | file a of - | failure | -",
		`{"log_type":"remediation","item_type":"File","item_name":"a","action_taken":"Remove public link","status":"failed"}`:                                                  "- (-) | unshare | file a of - | failure | -",
		`{"log_type":"remediation","item_type":"File","item_name":"a","action_taken":"blocked"}`:                                                                               "- (-) | block | file a of - | success | -",
		`{"log_type":"ba_incident_event","user_email":"ann@example.org","description":"Login failed often","policy_id":"7"}`:                                                   "ann@example.org (user) | detect_threat | user ann@example.org of - | unknown | -",
		`{"log_type":"posture","user":"Ann","action":"delete","outcome":"Success","item_type":"ApiKey","item_name":"k"}`:                                                       "Ann (user) | delete | api_key k of - | success | -",
		`{"log_type":"posture","action_taken_by":"Aperture"}`:                                                                                                                  "Aperture (system) | - | - - of - | unknown | -",
		`{"user":{"name":"Ann"},"action":["delete"],"item_name":7}`:                                                                                                            "- (-) | - | - 7 of - | unknown | -",
		`{"event":{"log_type":"remediation","action_taken":"restore","item_name":"a"},"id":7}`:                                                                                 "- (-) | restore | - a of - | success | -",
		`"{\"log_type\":\"remediation\",\"action_taken\":\"restore\",\"item_name\":\"a\"}"`:                                                                                    "- (-) | restore | - a of - | success | -",
		`7`: "- (-) | - | - - of - | unknown | -",
	} {
		record, _ := one(t, event)
		require.Equal(t, want, answersOf(record), event)
	}
}

func TestClientIsOneAddressWhereverItStands(t *testing.T) {
	for fields, want := range map[string]string{
		`"source_ip":"198.51.100.7"`:                           "198.51.100.7",
		`"ip":"[2001:DB8::1]:443"`:                             "2001:db8::1",
		`"remoteAddress":"198.51.100.7, 10.0.0.1"`:             "198.51.100.7",
		`"source_ip":"198.51.100.7","ip":"203.0.113.9"`:        "198.51.100.7",
		`"source_ip":"10.0.0.7","ip":"203.0.113.9"`:            "203.0.113.9",
		`"source_ip":"10.0.0.7","remoteAddress":"203.0.113.9"`: "203.0.113.9",
		`"source_ip":"10.0.0.7","ip":"192.168.0.1"`:            "10.0.0.7",
		`"source_ip":"Unknown","ip":"203.0.113.9"`:             "203.0.113.9",
		`"source_ip":"gw.example.org","ip":"203.0.113.9"`:      "203.0.113.9",
		`"source_ip":"gw.example.org"`:                         "gw.example.org",
		`"source_ip":null,"ip":""`:                             "-",
		`"source_ip":["198.51.100.7"]`:                         "-",
	} {
		record, odd := one(t, `{"log_type":"incident","timestamp":"2026-01-01T00:00:00Z",`+fields+`}`)
		line := answersOf(record)
		require.Equal(t, want, line[strings.LastIndex(line, " ")+1:], fields)
		require.Zero(t, odd, "all of them are known")
	}
	record, _ := one(t, `{"remoteAddress":"198.51.100.7:4711"}`)
	require.Equal(t, int64(4711), record.Attributes().AsRaw()["client.port"])
	require.Equal(t, "198.51.100.7:4711", record.Attributes().AsRaw()["saas_security.remoteAddress"])
}

// What people can type, in an event of each type: names, comments, values. None of it may change how an answer is given.
var typed = []string{
	"item_name", "target_name", "policy_rule_name", "location", "description", "resource_value_old", "resource_value_new", "additional_notes",
	"container_name", "cloud_app_instance", "item_creator", "incident_owner", "incident_category", "collaborators", "item_cloud_url", "field", "note",
}

var imitations = []string{
	`"`, `\`, `","action":"login_failed`, `"},{"log_type":"incident","user":"boss@example.org"}`, "\n", "login_failed", "failed", "success", "Aperture",
	`{"log_type":"incident","user":"boss@example.org"}`, `{"events":[{"log_type":"incident","user":"boss@example.org"}]}`, "192.0.2.66", "not logged in",
	"UNKNOWN_USER", "boss@example.org", "\u0000", "\u2028", "é", "critical", "5", "2020-01-01T00:00:00Z", "malware",
}

// Whatever is typed, every answer stays what it is without it; only the target's id is what was typed.
func TestTypedTextForgesNoAnswer(t *testing.T) {
	rnd := rand.New(rand.NewPCG(12, 2))
	for _, base := range []map[string]any{
		{"log_type": "activity_monitoring", "user": "ann@example.org", "action": "download", "item_type": "file", "source_ip": "198.51.100.7", "severity": 1},
		{"log_type": "activity_monitoring", "user": "ann@example.org", "action": "login_failed", "item_type": "app", "source_ip": "198.51.100.7"},
		{"log_type": "admin_audit", "admin_id": "root@example.org", "action": "edit", "item_type": "content_policy", "ip": "198.51.100.7"},
		{"log_type": "incident", "item_type": "file", "asset_id": "60b1", "item_owner_email": "lee@example.org", "severity": "Critical"},
		{"log_type": "policy_violation", "item_type": "file", "action_taken": "quarantine", "action_taken_by": "soc@example.org"},
		{"log_type": "remediation", "item_type": "file", "action_taken": "quarantine", "action_taken_by": "Aperture"},
		{"log_type": "ba_incident_event", "user_email": "ann@example.org", "severity": 5},
		{"log_type": "posture", "user": "ann@example.org", "item_type": "file", "outcome": "failed"},
	} {
		plain := answersTyped(t, base)
		for range 2000 {
			full := maps.Clone(base)
			for _, key := range typed {
				if rnd.IntN(2) == 0 {
					continue
				}
				var sb strings.Builder
				for range 1 + rnd.IntN(4) {
					sb.WriteString(imitations[rnd.IntN(len(imitations))])
				}
				full[key] = sb.String()
			}
			require.Equal(t, plain, answersTyped(t, full), "%v", full)
		}
	}
}

// answersTyped are the answers, without a target that has no id of its own.
func answersTyped(t *testing.T, event map[string]any) string {
	t.Helper()
	text, err := json.Marshal(event)
	require.NoError(t, err)
	events, problem := decoded([]byte(`{"events":[` + string(text) + `]}`))
	require.False(t, problem.Found())
	require.Len(t, events, 1)
	record, _ := one(t, string(events[0]))
	if _, own := event["asset_id"]; !own && !strings.HasPrefix(record.EventName(), "saas_security.ba") && event["action"] != "login_failed" {
		record.Attributes().Remove("audit.target.id")
		record.Attributes().Remove("audit.target.type")
	}
	return answersOf(record) + " " + record.SeverityNumber().String() + " " + record.EventName()
}

func TestReadmeListsEveryAction(t *testing.T) {
	said := map[string]struct{}{actionDetectIncident: {}, actionDetectMalware: {}, actionDetectThreat: {}, actionDetectBreach: {}}
	for verb, action := range verbs {
		require.Regexp(t, `^[a-z]+$`, verb)
		said[action] = struct{}{}
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "#### Actions")
	require.True(t, found)
	listed, _, _ := strings.Cut(section, ".")
	named := map[string]struct{}{}
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(listed, -1) {
		named[m[1]] = struct{}{}
	}
	require.Equal(t, slices.Sorted(maps.Keys(said)), slices.Sorted(maps.Keys(named)))
}

func TestWordsSayWhatWasDone(t *testing.T) {
	for words, want := range map[string]said{
		"download": {action: "download"}, "FileDownloaded": {action: "download"}, "DELETE": {action: "delete"}, "sign_in": {action: "login"}, "signIn": {action: "login"},
		"Log Out": {action: "logout"}, "login failures": {action: "login", fails: true}, "LOGIN_FAILED": {action: "login", fails: true},
		"Quarantine (User)": {action: "quarantine"}, "User Quarantine": {action: "quarantine"}, "Notify file owner": {action: "notify"}, "Log only": {action: "log"},
		"Change Sharing": {action: "unshare"}, "Remove public link": {action: "unshare"}, "create incident": {action: "detect_incident"},
		"quarantine completed": {action: "quarantine", ok: true}, "": {}, "frobnicate": {}, "ÄÖ": {}, "one two three four five six seven eight delete": {},
	} {
		require.Equal(t, want, read(words), words)
	}
}
