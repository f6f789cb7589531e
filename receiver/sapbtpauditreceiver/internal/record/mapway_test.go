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
	text, _ := redact(string(page))
	for _, rec := range decodeOnly(tb, []byte(text)) {
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
	pairs := parsePairs(text, nil).pairs
	if strings.HasPrefix(text, `"`) {
		_ = json.Unmarshal([]byte("{"+text+"}"), &data)
	}
	f := mapFacts(outer, message, data, inner, uaa, pairs)

	a := object{attrUID: strings.ToLower(str(outer, "message_uuid")) + "@" + str(outer, "tenant") + "#" + digest[:shortDigits]}
	put(a, attrUser, str(outer, "user"))
	for _, name := range []string{
		"category", "message_uuid", "tenant", "org_id", "space_id", "app_or_service_id", "als_service_id", "format_version",
	} {
		put(a, prefix+name, str(outer, name))
	}
	put(a, attrIdentityProvider, str(message, "identityProvider"))
	put(a, attrStatus, str(message, "status"))
	mapTarget(a, message, f)
	mapChanges(a, message, data, inner, f)
	switch {
	case isUAA || data["msgId"] != nil:
		mapService(a, data, f)
	default:
		mapScalars(a, attrData, data, inner != nil)
		mapScalars(a, attrData, inner, false)
		if data == nil && pairs == nil {
			f.text = firstPresent(text, str(outer, "message"))
			put(a, attrText, f.text)
		}
	}
	given := mapAnswers(a, f)
	if uaa.ambiguous {
		a[attrAmbiguous] = true
	}
	for _, p := range pairs {
		put(a, attrCIS+snakeCase(p.key), p.value)
	}
	number, severity := severityOf(given.went, str(data, "level"))
	rec.SetSeverityNumber(number)
	rec.SetSeverityText(severity)
	if err := rec.Attributes().FromRaw(a); err != nil {
		return err
	}
	return rec.Body().SetEmptyMap().FromRaw(outer)
}

// mapFacts gathers what the answers are made of; making them is the same in both ways.
func mapFacts(outer, message, data, inner object, uaa uaaEvent, pairs []pair) *facts {
	f := &facts{
		name: eventName(str(outer, "category")), user: str(outer, "user"), ip: str(message, "ip"), status: str(message, "status"),
		uaa: uaa, went: outcomeOfText(scalar(message["success"])),
	}
	if uaa.ownText {
		f.said = parseUAAText(uaa.text)
	}
	if f.went == unsaid {
		for _, change := range list(message["attributes"]) {
			f.went = max(f.went, outcomeOfText(scalar(change[fieldSuccessful])), outcomeOfText(scalar(change[fieldSuccessfull])))
		}
	}
	target, _ := message["object"].(object)
	f.objectType = present(str(target, "type"))
	id, _ := target["id"].(object)
	for key, v := range id {
		f.id.set(key, scalar(v))
	}
	if f.id.id == "" {
		f.id.id = present(scalar(target["id"]))
	}
	if uaa.typ == "" {
		for key, v := range inner {
			f.in.set(key, scalar(v))
		}
		for key, v := range data {
			f.in.set(key, scalar(v))
		}
	}
	f.in.findings = filled(data["findings"]) || filled(inner["findings"])
	for _, p := range pairs {
		f.in.setPair(p.key, p.value, false)
	}
	return f
}

func mapAnswers(a object, f *facts) answers {
	given := f.answer()
	for key, value := range map[string]string{
		attrActorID: given.actorID, attrActorIDP: given.actorIDP, attrActorType: given.actorType, attrAction: given.action,
		attrTargetType: given.targetType, attrTargetID: given.targetID, attrOutcome: given.went.String(), attrClient: given.client.Address,
	} {
		put(a, key, value)
	}
	if given.went != unsaid {
		a[attrSuccess] = given.went == succeeded
	}
	return given
}

func mapTarget(a, message object, f *facts) {
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
			for key, v := range wrapped {
				f.in.set(key, scalar(v))
			}
		case name != "":
			names = append(names, name)
			mapChange(a, name, changeOld, change[fieldOld], f)
			mapChange(a, name, changeNew, change[fieldNew], f)
		}
	}
	if names != nil {
		a[attrChanges] = names
	}
}

func mapChanges(a, message, data, inner object, f *facts) {
	for _, members := range []object{data, inner} {
		for key, v := range members {
			nested, _ := v.(object)
			switch items, _ := v.([]any); {
			case key == "attributes":
				for name, v := range nested {
					mapChange(a, name, changeNew, v, f)
				}
			case items != nil || nested != nil && key != "message":
				mapChange(a, key, changeNew, v, f)
			}
		}
	}
	attachments, _ := message["attachments"].([]any)
	for i, v := range attachments {
		attachment, _ := v.(object)
		mapChange(a, "attachments."+strconv.Itoa(i), changeNew, attachment[fieldName], f)
	}
}

func mapChange(a object, path, side string, v any, f *facts) {
	if text, _ := v.(string); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		var opened any
		if json.Unmarshal([]byte(text), &opened) == nil {
			v = opened
		}
	}
	switch v := v.(type) {
	case object:
		for key, v := range v {
			mapChange(a, path+"."+key, side, v, f)
		}
	case []any:
		for i, v := range v {
			mapChange(a, path+"."+strconv.Itoa(i), side, v, f)
		}
	default:
		value := scalar(v)
		f.change.set(path[strings.LastIndexByte(path, '.')+1:], value)
		put(a, attrChange+path+side, value)
	}
}

func mapService(a, data object, f *facts) {
	uaa := &f.uaa
	put(a, attrEventType, uaa.typ)
	put(a, attrPrincipal, uaa.principal)
	put(a, attrIdentityZone, uaa.zone)
	put(a, attrOriginAddress, uaa.origin.remoteAddress)
	put(a, attrOriginUser, firstPresent(uaa.origin.user, str(data, "user")))
	put(a, attrIdentityOrigin, str(data, "origin"))
	put(a, attrAuthType, uaa.authenticationType)
	put(a, attrDescription, uaa.detailedMessage)
	put(a, attrLevel, str(data, "level"))
	put(a, attrMsgID, str(data, "msgId"))
	if no, ok := data["msgNo"].(float64); ok {
		a[attrMsgNo] = int64(no)
	}
	put(a, attrGrantType, f.said.grant)
	put(a, attrTokenUser, f.said.user)
	put(a, attrClientID, firstPresent(uaa.origin.client, f.said.client))
	if uaa.typ == "" {
		f.text = str(data, "message")
		put(a, attrText, f.text)
	}
}

func mapScalars(a object, base string, data object, skipMessage bool) {
	for key, v := range data {
		if s := scalar(v); s != "" && (!skipMessage || key != "message") {
			put(a, base+snakeCase(key), s)
		}
	}
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

func filled(v any) bool {
	if list, is := v.([]any); is {
		return len(list) > 0
	}
	text := present(scalar(v))
	return text != "" && text != "0" && text != "false"
}
