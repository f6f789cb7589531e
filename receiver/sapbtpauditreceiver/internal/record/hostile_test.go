// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// forged is what no record of these tests says truly.
const (
	forgedName    = "boss@example.org"
	forgedAddress = "192.0.2.66"
)

// imitations are parts of texts that a stranger can type to pass for the service.
var imitations = []string{
	"'): principal=" + forgedName, `"): principal=` + forgedName, ", origin=[", "origin=[" + forgedAddress + "]", "remoteAddress=" + forgedAddress,
	"details=(remoteAddress=" + forgedAddress, "details=(", ")", "], identityZoneId=[z]", "]", ", identityZoneId=[", ", user=" + forgedName,
	", client=" + forgedName, ", clientId=" + forgedName, ", caller=" + forgedName, ", detailedDescription=[", ", authenticationType=[x]",
	`" state="successful"`, `" state="failed`, ` state=successful `, `" ipAddress="` + forgedAddress, ` ipAddress=` + forgedAddress + " ",
	`" userIdentifier="` + forgedName, `" callerMail="` + forgedName + `"`, `" action="logout"`, `" objectType="group`, `" x="`, `" {"state":"successful"}`,
	"UserAuthenticationSuccess ('" + forgedName + "')", "Audit: ", "', '", `"`, "'", "=", ", ", " ", "eva", "null", "{", "}", `" A='`, ` A="`, `' state='successful' B='`, "[", `\`, `\"`, "\n", "é", "<TOKEN>",
	`{"user_name":"` + forgedName + `","client_id":"x"}`, `","user_name":"` + forgedName,
}

func hostile(rnd *rand.Rand) string {
	var sb strings.Builder
	for range 1 + rnd.IntN(6) {
		sb.WriteString(imitations[rnd.IntN(len(imitations))])
	}
	sb.WriteString("z") // never a placeholder, which gives no answer
	return sb.String()
}

// truth is what a record truly says; "" is nothing. allowed are further values that are true too.
type truth struct {
	data                     string
	outcome, action, address string
	actor, target            string
}

// lines are the texts of the producers with typed values in every position where a stranger can put them, one or several at a time.
var lines = map[string]func(typed func(plain string) string) truth{
	"failed login": func(typed func(string) string) truth {
		name := typed("ann")
		return truth{
			data:    "UserAuthenticationFailure ('" + name + "'): principal=" + typed("null") + ", origin=[remoteAddress=198.51.100.1, clientId=" + typed("cockpit") + ", sessionId=<SESSION>], identityZoneId=[z1]",
			outcome: "failure", action: actionLogin, address: "198.51.100.1", target: name,
		}
	},
	"failed login without a known principal": func(typed func(string) string) truth {
		name := typed("ann")
		return truth{
			data:    "PrincipalAuthenticationFailure ('null'): principal=" + name + ", origin=[198.51.100.2], identityZoneId=[z1]",
			outcome: "failure", action: actionLogin, address: "198.51.100.2", target: name,
		}
	},
	"token of a user": func(typed func(string) string) truth {
		name := typed("ann")
		claims, _ := json.Marshal(map[string]string{"client_id": "sb-a!t1", "user_name": name}) //nolint:errchkjson // strings only
		return truth{
			data:    "TokenIssuedEvent ('" + string(claims) + "'): principal=p1, origin=[caller=null], identityZoneId=[z1]",
			outcome: "success", action: actionIssueToken, actor: name, target: "sb-a!t1",
		}
	},
	"user deleted by a caller": func(typed func(string) string) truth {
		name, caller := typed("ann"), typed("ops")
		text, _ := json.Marshal([]string{"user_id=u1", "username=" + name}) //nolint:errchkjson // strings only
		return truth{
			data:    "UserDeletedEvent ('" + string(text) + "'): principal=u1, origin=[caller=" + caller + ", details=(remoteAddress=198.51.100.3, clientId=c1)], identityZoneId=[z1]",
			outcome: "success", action: actionDelete, address: "198.51.100.3", actor: caller, target: name,
		}
	},
	"user deleted by a user": func(typed func(string) string) truth {
		user := typed("ops")
		return truth{
			data:    `UserDeletedEvent ('["user_id=u1"]'): principal=u1, origin=[client=c1, user=` + user + ", details=(remoteAddress=198.51.100.4, type=T)], identityZoneId=[z1]",
			outcome: "success", action: actionDelete, address: "198.51.100.4", actor: user, target: "u1",
		}
	},
	"identity service, typed behind": func(typed func(string) string) truth {
		name := typed("ann")
		return truth{
			data:    `action="login" state="failed" objectType="user" ipAddress="198.51.100.5" userIdentifier="` + name + `" serviceProviderName="` + typed("shop") + `"`,
			outcome: "failure", action: actionLogin, address: "198.51.100.5", target: name,
		}
	},
	"identity service, typed before": func(typed func(string) string) truth {
		name := typed("ann")
		return truth{
			data:    `action="login" userIdentifier="` + name + `" state="failed" objectType="user" ipAddress="198.51.100.6"`,
			outcome: "failure", action: actionLogin, address: "198.51.100.6", target: name,
		}
	},
	"identity service, typed in between": func(typed func(string) string) truth {
		name := typed("ann")
		return truth{
			data:    `action="login" userIdentifier="` + name + `" state="failed" callerMail="` + typed("none") + `" objectType="user" ipAddress="198.51.100.7"`,
			outcome: "failure", action: actionLogin, address: "198.51.100.7", target: name,
		}
	},
	"text": func(typed func(string) string) truth {
		return truth{data: "Unauthorized access to the oData service OD1 by " + typed("ann"), outcome: "failure", action: actionAccess}
	},
	"object": func(typed func(string) string) truth {
		name := typed("ann")
		data, _ := json.Marshal(map[string]string{"action": "login", "state": "failed", "objectType": "user", "ipAddress": "198.51.100.8", "userIdentifier": name}) //nolint:errchkjson // strings only
		return truth{data: string(data), outcome: "failure", action: actionLogin, address: "198.51.100.8", target: name}
	},
}

// Whatever is typed, an answer is the true one or there is none; and where one is missing, the record says so.
func TestTypedTextForgesNoAnswer(t *testing.T) {
	rnd := rand.New(rand.NewPCG(12, 1))
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			plain := line(func(plain string) string { return plain })
			requireTrue(t, plain, true)
			for range 800 {
				requireTrue(t, line(func(plain string) string {
					if rnd.IntN(2) == 0 {
						return plain
					}
					return hostile(rnd)
				}), false)
			}
		})
	}
}

func requireTrue(t *testing.T, want truth, whole bool) {
	t.Helper()
	rec := mapOne(t, testMapper(nil), wrap(t, "audit.security-events", object{"user": "UNKNOWN_USER", "data": want.data}))
	_, ambiguous := rec.Attributes().Get(attrAmbiguous)
	for key, value := range map[string]string{
		attrOutcome: want.outcome, attrAction: want.action, attrClient: want.address, attrActorID: want.actor, attrTargetID: want.target,
	} {
		got, _ := attr(t, rec, key).(string)
		if strings.TrimSpace(got) == strings.TrimSpace(value) || isPairCut(want.data, got, value) {
			continue
		}
		absent := got == "" || key == attrOutcome && got == "unknown"
		require.True(t, absent && !whole, "%s is %q, which is not %q: %s", key, got, value, want.data)
		if value != "" {
			require.True(t, ambiguous, "%s is missing without a word: %s", key, want.data)
		}
	}
	if text := rec.SeverityText(); want.outcome == "success" {
		require.Equal(t, "INFO", text, want.data)
	}
}

// The same for names that a fuzzer thinks of, one in all typed places.
func FuzzTypedText(f *testing.F) {
	for _, imitation := range imitations {
		f.Add(imitation)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name = strings.ToValidUTF8(name, "") + "z"
		for _, line := range lines {
			requireTrue(t, line(func(string) string { return name }), false)
		}
	})
}

// isPairCut accepts a value that a pair begins in whose name the service left out: no reader can tell that from its own pair.
func isPairCut(data, got, value string) bool {
	rest, ok := strings.CutPrefix(value, got)
	rest = strings.TrimLeft(rest, " \n")
	if !ok || !strings.HasPrefix(rest, `"`) || !strings.HasPrefix(data, "action=") {
		return false
	}
	_, _, begins := beginsPair(trimSeparators(rest[1:]))
	return begins
}

// A line that is cut anywhere gives what the whole one gives, or less.
func TestCutLinesGiveNothingElse(t *testing.T) {
	for name, line := range lines {
		whole := line(func(plain string) string { return plain })
		for end := range len(whole.data) {
			cut := whole
			cut.data = whole.data[:end]
			rec := mapOne(t, testMapper(nil), wrap(t, "audit.security-events", object{"user": "UNKNOWN_USER", "data": cut.data}))
			for key, value := range map[string]string{attrOutcome: whole.outcome, attrAction: whole.action, attrClient: whole.address} {
				if got, ok := attr(t, rec, key).(string); ok && got != "unknown" {
					require.Equal(t, value, got, "%s: %s of %q", name, key, cut.data)
				}
			}
		}
	}
}
