// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwnReadingIsRecognisedByTheExactClientOnly(t *testing.T) {
	const own, other = "sb-11!b1|auditlog-management!b2", "sb-11!b1|auditlog-management!b22"
	service := func(typ, principal, client string) object {
		return object{"data": `{"level":"INFO","msgId":"m","message":"` + typ + ` ('x'): principal=` + principal + `, origin=[remoteAddress=192.0.2.1, clientId=` + client + `], identityZoneId=[z]"}`}
	}
	read := func(user, subject string) object {
		return object{
			"user": user, "object": object{"type": "data read event", "id": object{"tenant_id": "t"}},
			"data_subject": object{"type": "account", "role": "account", "id": object{"id": subject}},
			"attributes":   []any{object{"name": "data read event", "successful": true}},
		}
	}
	line := func(text string) object {
		data, _ := json.Marshal(object{"level": "INFO", "msgId": "m", "msgNo": 1, "message": text}) //nolint:errchkjson // strings and numbers
		return object{"data": string(data)}
	}
	const token = "TokenIssuedEvent ('[\"uaa.resource\"]'): principal=" + own
	origin := func(text string) string { return ", origin=[" + text + "], identityZoneId=[z]" }
	claims := func(text string) string { return "TokenIssuedEvent ('{" + text + "}')" }
	failed := service("TokenIssuedEvent", own, own)
	failed["success"] = false
	const security, access = "audit.security-events", "audit.data-access"
	for name, tt := range map[string]struct {
		category string
		message  object
		want     bool
	}{
		"read":                             {access, read(own, own), true},
		"read without user":                {access, read("-", own), true},
		"read by another":                  {access, read(other, other), false},
		"read of another subject":          {access, read(own, other), false},
		"read by a user":                   {access, read("ann@example.org", own), false},
		"read of other data":               {access, object{"user": own, "object": object{"type": "customer"}, "data_subject": object{"id": object{"id": own}}}, false},
		"read, several subjects":           {access, object{"user": own, "object": object{"type": "data read event"}, "data_subject": object{"id": object{"id": own}}, "data_subjects": []any{object{}}}, false},
		"read, several ids":                {access, object{"user": own, "object": object{"type": "data read event"}, "data_subject": object{"id": object{"id": own, "x": own}}}, false},
		"read in another category":         {"audit.configuration", read(own, own), false},
		"login":                            {security, object{"user": own, "data": "successful login event"}, true},
		"login of another":                 {security, object{"user": other, "data": "successful login event"}, false},
		"failed login":                     {security, object{"user": own, "data": "unsuccessful login event"}, false},
		"other event":                      {security, object{"user": own, "data": "something else"}, false},
		"client authentication":            {security, service("ClientAuthenticationSuccess", own, own), true},
		"client authentication failed":     {security, service("ClientAuthenticationFailure", own, own), false},
		"token":                            {security, service("TokenIssuedEvent", own, own), true},
		"token, client not named":          {security, service("TokenIssuedEvent", own, "null"), true},
		"token of another":                 {security, service("TokenIssuedEvent", other, other), false},
		"token through another":            {security, service("TokenIssuedEvent", own, other), false},
		"token for a user of ours":         {security, service("TokenIssuedEvent", "user-1", own), false},
		"token not granted":                {security, failed, false},
		"other event of the service":       {security, service("UserCreatedEvent", own, own), false},
		"token, caller and details":        {security, line(token + origin("caller="+own+", details=(remoteAddress=192.0.2.1, clientId="+own+")")), true},
		"token, client and details":        {security, line(token + origin("client="+own+", details=(remoteAddress=192.0.2.1, type=T, opaque-token=present)")), true},
		"token, bare address":              {security, line(token + origin("192.0.2.1")), true},
		"token, no origin":                 {security, line(token), true},
		"token, no zone":                   {security, line(token + ", origin=[caller=null]"), true},
		"token, double quotes":             {security, line(`TokenIssuedEvent ("['uaa.resource']"): principal=` + own + ", origin=[caller=null]"), true},
		"token, claims":                    {security, line(claims(`"sub":"`+own+`","cid":"`+own+`","grant_type":"client_credentials"`) + ": principal=x, origin=[caller=null]"), true},
		"token, claims without a grant":    {security, line(claims(`"azp":"`+own+`"`) + ": principal=" + own), true},
		"token, claims cut":                {security, line(`TokenIssuedEvent ('{"client_id":"` + own + `","grant_type":"client_credentials","scope":["uaa.re`), true},
		"token, claims cut before a grant": {security, line(`TokenIssuedEvent ('{"client_id":"` + own + `","scope":["uaa.re`), false},
		"token, claims of a user":          {security, line(claims(`"cid":"`+own+`","user_name":"ann","grant_type":"client_credentials"`) + ": principal=" + own), false},
		"token, claims of a login":         {security, line(claims(`"cid":"`+own+`","grant_type":"authorization_code"`) + ": principal=" + own), false},
		"token, claims of another":         {security, line(claims(`"cid":"`+other+`","grant_type":"client_credentials"`) + ": principal=" + own), false},
		"token, caller is another":         {security, line(token + origin("caller="+other+", details=(remoteAddress=192.0.2.1, clientId="+own+")")), false},
		"token, a user called":             {security, line(token + origin("client="+own+", user=ann, details=(remoteAddress=192.0.2.1)")), false},
		"token, origin imitated":           {security, line(token + origin("caller="+own+", details=(remoteAddress=192.0.2.1), details=(remoteAddress=192.0.2.2)")), false},
		"event imitated by a user name":    {security, service("ClientAuthenticationSuccess", own+", origin=[remoteAddress=192.0.2.1], identityZoneId=[z]", own), false},
	} {
		t.Run(name, func(t *testing.T) {
			recs := split(t, "["+wrap(t, tt.category, tt.message)+"]")
			require.Equal(t, tt.want, OwnReading(&recs[0], own))
			require.False(t, OwnReading(&recs[0], ""), "without a client nothing is own")
			require.False(t, OwnReading(&recs[0], strings.TrimSuffix(own, "2")), "a part of the client is not the client")
		})
	}
	require.False(t, OwnReading(&Raw{Text: `"` + own + `"`, Malformed: true}, own))
}
