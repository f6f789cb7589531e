// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The straightforward way to do what this package does, by which the benchmark measures it: encoding/json into maps, and
// pcommon.Map.FromRaw. It shares the text grammars and the names with the real one.

type object = map[string]any

func decodeOnly(tb testing.TB, page []byte) []object {
	tb.Helper()
	var recs []object
	if err := json.Unmarshal(page, &recs); err != nil {
		tb.Fatal(err)
	}
	return recs
}

func mapWay(tb testing.TB, m *Mapper, page []byte) plog.Logs {
	tb.Helper()
	logs, into := m.NewLogs()
	for _, rec := range decodeOnly(tb, page) {
		if err := mapRecord(into.AppendEmpty(), rec); err != nil {
			tb.Fatal(err)
		}
	}
	return logs
}

func mapRecord(rec plog.LogRecord, outer object) error {
	// What a map has to offer as an identity that does not depend on the order of members.
	canonical, err := json.Marshal(outer)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(canonical)
	digest := hex.EncodeToString(sum[:len(Key{})])
	message := open(outer, "message")
	data := open(message, "data")
	inner := open(data, "message")

	rec.SetEventName(eventName(str(outer, "category")))
	at, err := time.Parse(time.RFC3339, str(outer, "time"))
	if err != nil {
		return err
	}
	rec.SetTimestamp(pcommon.NewTimestampFromTime(at))
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))

	text := str(message, "data")
	line := text
	if data != nil {
		line = str(data, "message")
	}
	uaa, isUAA := parseUAA(line)
	pairs, _ := parsePairs(text, nil)
	if strings.HasPrefix(text, `"`) {
		_ = json.Unmarshal([]byte("{"+text+"}"), &data)
	}

	a := object{attrUID: strings.ToLower(str(outer, "message_uuid")) + "@" + str(outer, "tenant") + "#" + digest[:shortDigits]}
	put(a, attrUser, str(outer, "user"))
	put(a, attrClient, firstPresent(str(message, "ip"), uaa.remoteAddress, pairOf(pairs, "ipAddress")))
	for _, name := range []string{
		"category", "message_uuid", "tenant", "org_id", "space_id", "app_or_service_id", "als_service_id", "format_version",
	} {
		put(a, prefix+name, str(outer, name))
	}
	put(a, attrIdentityProvider, str(message, "identityProvider"))
	put(a, attrStatus, str(message, "status"))
	success := mapSuccess(a, message)
	mapTarget(a, message)
	switch {
	case isUAA || data["msgId"] != nil:
		mapService(a, data, uaa)
	default:
		mapScalars(a, attrData, data, inner != nil)
		mapScalars(a, attrData, inner, false)
	}
	for _, p := range pairs {
		put(a, attrCIS+snakeCase(p.key), p.value)
	}
	mapSeverity(rec, success, uaa, str(data, "level"), str(message, "status"), pairOf(pairs, "state"), text)
	if err := rec.Attributes().FromRaw(a); err != nil {
		return err
	}
	return rec.Body().SetEmptyMap().FromRaw(outer)
}

func mapSuccess(a, message object) outcome {
	o := unsaid
	if v, ok := message["success"].(bool); ok {
		o = outcomeOfBool(v)
	} else {
		for _, change := range list(message["attributes"]) {
			for _, key := range []string{fieldSuccessful, fieldSuccessfull} {
				if v, ok := change[key].(bool); ok {
					o = max(o, outcomeOfBool(v))
				}
			}
		}
	}
	if o != unsaid {
		a[attrSuccess] = o == succeeded
	}
	return o
}

func outcomeOfBool(v bool) outcome {
	if v {
		return succeeded
	}
	return failed
}

func mapTarget(a, message object) {
	target, _ := message["object"].(object)
	subject, _ := message["data_subject"].(object)
	if subjects := list(message["data_subjects"]); len(subjects) > 0 {
		subject = subjects[0]
		if len(subjects) > 1 {
			a[attrSubjectCount] = int64(len(subjects))
		}
	}
	put(a, attrObjectType, str(target, "type"))
	put(a, attrSubjectType, str(subject, "type"))
	put(a, attrSubjectRole, str(subject, "role"))
	for base, id := range map[string]any{attrObjectID: target["id"], attrSubjectID: subject["id"]} {
		parts, ok := id.(object)
		if !ok {
			put(a, strings.TrimSuffix(base, "."), scalar(id))
		}
		for key, v := range parts {
			put(a, base+key, scalar(v))
		}
	}
	var names []any
	for _, change := range list(message["attributes"]) {
		name := str(change, "name")
		var wrapped object
		switch {
		case strings.HasPrefix(name, "{") && json.Unmarshal([]byte(name), &wrapped) == nil:
			mapScalars(a, attrData, wrapped, false)
		case name != "":
			names = append(names, name)
		}
	}
	if names != nil {
		a[attrChanges] = names
	}
}

func mapService(a, data object, uaa uaaEvent) {
	put(a, attrEventType, uaa.typ)
	put(a, attrPrincipal, uaa.principal)
	put(a, attrIdentityZone, uaa.zone)
	put(a, attrOriginAddress, uaa.remoteAddress)
	put(a, attrOriginUser, firstPresent(uaa.user, str(data, "user")))
	put(a, attrIdentityOrigin, str(data, "origin"))
	put(a, attrAuthType, uaa.authenticationType)
	put(a, attrDescription, uaa.detailedMessage)
	put(a, attrLevel, str(data, "level"))
	put(a, attrMsgID, str(data, "msgId"))
	if no, ok := data["msgNo"].(float64); ok {
		a[attrMsgNo] = int64(no)
	}
	client := uaa.client
	var claims object
	if strings.HasPrefix(uaa.text, "{") && json.Unmarshal([]byte(uaa.text), &claims) == nil {
		put(a, attrGrantType, str(claims, "grant_type"))
		put(a, attrTokenUser, str(claims, "user_name"))
		client = firstPresent(client, str(claims, "client_id"), str(claims, "cid"))
	}
	put(a, attrClientID, client)
}

func mapScalars(a object, base string, data object, skipMessage bool) {
	for key, v := range data {
		if s := scalar(v); s != "" && (!skipMessage || key != "message") {
			put(a, base+snakeCase(key), s)
		}
	}
}

func mapSeverity(rec plog.LogRecord, success outcome, uaa uaaEvent, level string, tell ...string) {
	number, text := plog.SeverityNumberInfo, "INFO"
	warn := success == failed || strings.HasSuffix(uaa.typ, "Failure") || level == "WARN"
	for _, t := range tell {
		warn = warn || tellsFailure(t)
	}
	if warn {
		number, text = plog.SeverityNumberWarn, "WARN"
	}
	if level == "ERROR" {
		number, text = plog.SeverityNumberError, "ERROR"
	}
	rec.SetSeverityNumber(number)
	rec.SetSeverityText(text)
}

// open replaces JSON in a string by its value.
func open(m object, key string) object {
	if s, ok := m[key].(string); ok && strings.HasPrefix(s, "{") {
		var v object
		if json.Unmarshal([]byte(s), &v) == nil {
			m[key] = v
		}
	}
	v, _ := m[key].(object)
	return v
}

func put(a object, key, value string) {
	if value = present(value); value != "" {
		a[key] = value
	}
}

func str(m object, key string) string {
	s, _ := m[key].(string)
	return s
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

func list(v any) (objects []object) {
	elements, _ := v.([]any)
	for _, el := range elements {
		if o, ok := el.(object); ok {
			objects = append(objects, o)
		}
	}
	return objects
}

func pairOf(pairs []pair, key string) string {
	ev := event{pairs: pairs}
	return ev.pair(key)
}

// intsForFloats undoes what decoding into float64 does to the numbers.
func intsForFloats(logs plog.Logs) {
	recs := recordsOf(logs)
	for i := range recs.Len() {
		body := recs.At(i).Body()
		raw, _ := withInts(body.AsRaw()).(object)
		_ = body.SetEmptyMap().FromRaw(raw)
	}
}

func withInts(v any) any {
	switch v := v.(type) {
	case object:
		for key := range v {
			v[key] = withInts(v[key])
		}
	case []any:
		for i := range v {
			v[i] = withInts(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

func TestWithIntsKeepsFractions(t *testing.T) {
	require.Equal(t, object{"a": []any{int64(1), 1.5}}, withInts(object{"a": []any{1.0, 1.5}}))
}
