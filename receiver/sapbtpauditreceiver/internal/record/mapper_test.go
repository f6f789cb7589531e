// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// wrap makes a record of the given outer members and message, the latter as SAP sends it: JSON in a string.
func wrap(t *testing.T, category string, message any) string {
	t.Helper()
	text, err := json.Marshal(message)
	require.NoError(t, err)
	record, err := json.Marshal(object{
		"message_uuid": "uuid-1", "time": "2026-10-02T11:20:01Z", "tenant": "tenant-1", "category": category, "message": string(text),
	})
	require.NoError(t, err)
	return string(record)
}

func mapOne(t *testing.T, m *Mapper, record string) plog.LogRecord {
	t.Helper()
	recs := recordsOf(mapPage(t, m, []byte("["+record+"]")))
	require.Equal(t, 1, recs.Len())
	return recs.At(0)
}

func attr(t *testing.T, rec plog.LogRecord, key string) any {
	t.Helper()
	v, ok := rec.Attributes().Get(key)
	if !ok {
		return nil
	}
	return v.AsRaw()
}

func TestSeverityTellsOfFailure(t *testing.T) {
	line := func(typ string) string { return typ + " ('x'): principal=p, origin=[], identityZoneId=[z]" }
	for name, tt := range map[string]struct {
		message object
		want    plog.SeverityNumber
	}{
		"nothing said":            {object{}, plog.SeverityNumberInfo},
		"success":                 {object{"success": true}, plog.SeverityNumberInfo},
		"no success":              {object{"success": false}, plog.SeverityNumberWarn},
		"no success, as text":     {object{"success": "False"}, plog.SeverityNumberWarn},
		"one attribute failed":    {object{"attributes": []any{object{"successful": true}, object{"successful": false}, object{"successful": true}}}, plog.SeverityNumberWarn},
		"the example's spelling":  {object{"attributes": []any{object{fieldSuccessfull: false}}}, plog.SeverityNumberWarn},
		"success outweighs":       {object{"success": true, "attributes": []any{object{"successful": false}}}, plog.SeverityNumberInfo},
		"service success":         {object{"data": line("ClientAuthenticationSuccess")}, plog.SeverityNumberInfo},
		"service failure":         {object{"data": line("PrincipalAuthenticationFailure")}, plog.SeverityNumberWarn},
		"level INFO":              {object{"success": false, "data": object{"level": "INFO"}}, plog.SeverityNumberWarn},
		"level WARN":              {object{"data": object{"level": "warning"}}, plog.SeverityNumberWarn},
		"level ERROR":             {object{"data": `{"level":"ERROR"}`}, plog.SeverityNumberError},
		"level FATAL":             {object{"success": false, "data": object{"level": "FATAL"}}, plog.SeverityNumberFatal},
		"level unknown":           {object{"data": object{"level": "PANIC"}}, plog.SeverityNumberInfo},
		"identity service failed": {object{"data": `action="login" state="Failed_Reason"`}, plog.SeverityNumberWarn},
		"identity service did":    {object{"data": `action="login" state="successful"`}, plog.SeverityNumberInfo},
		"failed login":            {object{"data": "unsuccessful login event"}, plog.SeverityNumberWarn},
		"login":                   {object{"data": "successful login event"}, plog.SeverityNumberInfo},
		"prose":                   {object{"data": "Unauthorized access attempt"}, plog.SeverityNumberWarn},
		"prose about failure":     {object{"data": "The user looked at failed jobs"}, plog.SeverityNumberInfo},
		"status":                  {object{"status": "FAILURE"}, plog.SeverityNumberWarn},
	} {
		t.Run(name, func(t *testing.T) {
			rec := mapOne(t, testMapper(nil), wrap(t, "audit.security-events", tt.message))
			require.Equal(t, tt.want, rec.SeverityNumber())
			require.Equal(t, tt.want.String(), strings.ToUpper(rec.SeverityText()[:1])+strings.ToLower(rec.SeverityText()[1:]))
		})
	}
}

func TestEventNameComesFromTheCategory(t *testing.T) {
	for category, want := range map[string]string{
		"audit.security-events":   "sap.btp.audit.security_event",
		"audit.configuration":     "sap.btp.audit.configuration_change",
		"audit.data-access":       "sap.btp.audit.data_access",
		"Audit.Data-Modification": "sap.btp.audit.data_modification",
		"audit.other":             "sap.btp.audit.unknown",
		"-":                       "sap.btp.audit.unknown",
		"":                        "sap.btp.audit.unknown",
	} {
		require.Equal(t, want, mapOne(t, testMapper(nil), wrap(t, category, object{})).EventName(), category)
	}
	inner := mapOne(t, testMapper(nil), wrap(t, "", object{"category": "audit.data-access"}))
	require.Equal(t, "sap.btp.audit.data_access", inner.EventName())
}

func TestTimestampFallsBackToInnerTimeAndThenToObserved(t *testing.T) {
	inner := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	for record, want := range map[string]time.Time{
		`{"time":"2026-10-02T11:20:01.5Z","message":"{\"time\":\"2026-01-02T03:04:05.000000678Z\"}"}`: time.Date(2026, 10, 2, 11, 20, 1, 5e8, time.UTC),
		`{"time":"soon","message":"{\"time\":\"2026-01-02T03:04:05.000000678Z\"}"}`:                   inner,
		`{"message":{"time":"2026-01-02T03:04:05.000000678Z"}}`:                                       inner,
		`{"time":17,"message":"text"}`:                                                                observed,
		`null`:                                                                                        observed,
	} {
		rec := mapOne(t, testMapper(nil), record)
		require.Equal(t, want, rec.Timestamp().AsTime(), record)
		require.Equal(t, observed, rec.ObservedTimestamp().AsTime())
	}
}

func TestIdentityIsStableAndUnique(t *testing.T) {
	uid := func(record string) string {
		id, ok := attr(t, mapOne(t, testMapper(nil), record), attrUID).(string)
		require.True(t, ok)
		return id
	}
	first := uid(`{"message_uuid":" AB-1","tenant":"t1","message":"x"}`)
	require.Regexp(t, `^ab-1@t1#[0-9a-f]{12}$`, first)
	require.Equal(t, first, uid(`{"tenant":"t1","message":"x","message_uuid":"ab-1 "}`))
	require.Regexp(t, `^ab-1@3f1d7c20-94ab-4e55-a0c6-7be1d2f3a455#`, uid(`{"message_uuid":"ab-1"}`), "the configured subaccount stands in")
	require.Regexp(t, `^@t1#[0-9a-f]{32}$`, uid(`{"tenant":"t1","message":"x"}`), "the whole digest stands in")

	ids := map[string]string{}
	for _, record := range []string{
		`{"message_uuid":"ab-1","tenant":"t1","message":"x"}`, `{"message_uuid":"ab-1","tenant":"t1","message":"y"}`,
		`{"message_uuid":"ab-1","tenant":"t2","message":"x"}`, `{"tenant":"t1","message":"x"}`, `{"tenant":"t1","message":"y"}`, `{}`, `null`, `[]`,
	} {
		id := uid(record)
		require.NotContains(t, ids, id, "%s and %s", record, ids[id])
		ids[id] = record
	}
}

func TestAbsentValuesMakeNoAttributes(t *testing.T) {
	for _, absent := range []string{`null`, `""`, `"-"`, `"undefined"`, `"  "`, `{}`, `[]`} {
		message := strings.ReplaceAll(`{"ip":V,"user":V,"identityProvider":V,"status":V,"object":{"type":V,"id":{"k":V}},"data_subject":{"type":V,"role":V,"id":V},`+
			`"attributes":[{"name":V}],"data":{"level":V,"msgId":V,"x":V,"user":V}}`, "V", absent)
		record := strings.ReplaceAll(`{"tenant":V,"org_id":V,"space_id":V,"app_or_service_id":V,"als_service_id":V,"user":V,"category":V,"format_version":V,"message":`, "V", absent) + message + `}`
		rec := mapOne(t, testMapper(nil), record)
		require.Equal(t, 2, rec.Attributes().Len(), "%s: %v", absent, rec.Attributes().AsRaw())
		require.NotNil(t, attr(t, rec, attrUID))
		require.Equal(t, "unknown", attr(t, rec, attrOutcome))
	}
}

func TestClientAddressIsTheBestThatIsKnown(t *testing.T) {
	line := "X ('t'): principal=p, origin=[remoteAddress=192.0.2.2, clientId=c], identityZoneId=[z]"
	for name, tt := range map[string]struct {
		message object
		want    any
	}{
		"message":          {object{"ip": "192.0.2.1", "data": line}, "192.0.2.1"},
		"service":          {object{"ip": "-", "data": line}, "192.0.2.2"},
		"identity service": {object{"data": `action="x" ipAddress="192.0.2.3"`}, "192.0.2.3"},
		"none":             {object{"data": "text"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, attr(t, mapOne(t, testMapper(nil), wrap(t, "", tt.message)), attrClient))
		})
	}
}

// manyIDs is a message with more ids than a record gets attributes.
func manyIDs(n int) object {
	ids := object{}
	for i := range n {
		ids[fmt.Sprintf("id%03d", i)] = strconv.Itoa(i)
	}
	return object{"user": "u", "object": object{"type": "t", "id": ids}, "data_subject": object{"role": "r"}}
}

func TestAttributesAreBoundedAndTheBodyIsWhole(t *testing.T) {
	message := manyIDs(1000)
	rec := mapOne(t, testMapper(nil), wrap(t, "audit.data-access", message))
	require.Equal(t, maxAttributes, rec.Attributes().Len())
	require.Equal(t, uint32(1000-(maxAttributes-11)), rec.DroppedAttributesCount())
	require.Equal(t, "r", attr(t, rec, attrSubjectRole), "fixed attributes are never pushed out")
	body, ok := rec.Body().Map().AsRaw()["message"].(object)
	require.True(t, ok)
	require.Equal(t, message, body)

	long := strings.Repeat("k", maxKey+1)
	rec = mapOne(t, testMapper(nil), wrap(t, "", object{"object": object{"id": object{long: "v", "short": "w"}}}))
	require.Nil(t, attr(t, rec, attrObjectID+long))
	require.Equal(t, "w", attr(t, rec, attrObjectID+"short"))

	var changes []any
	for i := range maxNames + 5 {
		changes = append(changes, object{"name": strconv.Itoa(i)})
	}
	rec = mapOne(t, testMapper(nil), wrap(t, "", object{"attributes": changes}))
	require.Len(t, attr(t, rec, attrChanges), maxNames)
	require.Equal(t, uint32(5), rec.DroppedAttributesCount())
}

func TestDuplicateIDsCountOnce(t *testing.T) {
	rec := mapOne(t, testMapper(nil), `{"message":{"object":{"id":{"k":"1","k":"2"}}}}`)
	require.Equal(t, "2", attr(t, rec, attrObjectID+"k"))
	require.Equal(t, map[string]any{"k": "2"}, rec.Body().Map().AsRaw()["message"].(object)["object"].(object)["id"])
}

func TestBodyIsTheEventWithWrappedJSONOpened(t *testing.T) {
	for name, tt := range map[string]struct{ record, want string }{
		"strings":         {`{"message":"{\"data\":\"{\\\"message\\\":\\\"{\\\\\\\"a\\\\\\\":1}\\\"}\",\"x\":2}"}`, `{"message":{"data":{"message":{"a":1}},"x":2}}`},
		"objects":         {`{"message":{"data":{"message":{"a":1}}}}`, `{"message":{"data":{"message":{"a":1}}}}`},
		"array":           {`{"message":"[1,{\"a\":null}]"}`, `{"message":[1,{"a":null}]}`},
		"text":            {`{"message":"no {JSON}"}`, `{"message":"no {JSON}"}`},
		"broken message":  {`{"message":"{\"data\":1"}`, `{"message":"{\"data\":1"}`},
		"broken data":     {`{"message":"{\"data\":\"{\\\"a\\\":\"}"}`, `{"message":{"data":"{\"a\":"}}`},
		"other strings":   {`{"message":{"x":"{\"a\":1}"},"y":"[1]"}`, `{"message":{"x":"{\"a\":1}"},"y":"[1]"}`},
		"no message":      {`{"future":{"a":[1,2.5,true,null,"x"]}}`, `{"future":{"a":[1,2.5,true,null,"x"]}}`},
		"scalar message":  {`{"message":17}`, `{"message":17}`},
		"members unbound": {`{"message":{"data":"\"type\":\"UPDATE\",\"entity\":\"Subaccount\""}}`, `{"message":{"data":"\"type\":\"UPDATE\",\"entity\":\"Subaccount\""}}`},
	} {
		t.Run(name, func(t *testing.T) {
			body := mapOne(t, testMapper(nil), tt.record).Body()
			require.Equal(t, pcommon.ValueTypeMap, body.Type())
			require.JSONEq(t, tt.want, body.AsString())
		})
	}
}

func TestBodyAsStringIsTheRecordAsReceived(t *testing.T) {
	m := testMapper(func(o *Options) { o.Body, o.IncludeOriginal = BodyString, true })
	record := `{ "user" : "ann", "message":"{}" }`
	rec := mapOne(t, m, record)
	require.Equal(t, record, rec.Body().Str())
	require.Equal(t, record, attr(t, rec, attrOriginal))
	require.Equal(t, "ann", attr(t, rec, attrUser))
	require.Nil(t, attr(t, mapOne(t, testMapper(nil), record), attrOriginal))
}

func TestRecordsThatWereNotSplitAreKeptToo(t *testing.T) {
	logs, into := testMapper(nil).NewLogs()
	testMapper(nil).Append(into, &Raw{Text: "{broken"}, observed)
	require.Equal(t, "{broken", recordsOf(logs).At(0).Body().Str())
}

func TestResourceLeavesOutWhatIsUnknown(t *testing.T) {
	logs, _ := NewMapper(Options{}).NewLogs()
	resource := logs.ResourceLogs().At(0)
	require.Equal(t, map[string]any{"service.name": "sap-btp-audit"}, resource.Resource().Attributes().AsRaw())
	require.Equal(t, ScopeName, resource.ScopeLogs().At(0).Scope().Name())
}

func TestMapperIsSafeForConcurrentUse(t *testing.T) {
	m, page := testMapper(nil), realisticPage(t)
	want := mapPage(t, m, page)
	var wg sync.WaitGroup
	got := make([]plog.Logs, 4)
	for i := range got {
		wg.Go(func() {
			recs, err := Split(page)
			if err != nil {
				return
			}
			logs, into := m.NewLogs()
			for k := range recs {
				m.Append(into, &recs[k], observed)
			}
			got[i] = logs
		})
	}
	wg.Wait()
	for _, logs := range got {
		require.Equal(t, want, logs)
	}
}

func TestGapIsAnnounced(t *testing.T) {
	m := testMapper(nil)
	from := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	_, into := m.NewLogs()
	m.AppendGap(into, "subaccount", from, from.Add(90*time.Second), "retention", observed)
	m.AppendGap(into, "subaccount", from, from.Add(90*time.Second), "retention", observed.Add(time.Hour))
	m.AppendGap(into, "subaccount", from, from.Add(91*time.Second), "retention", observed)
	m.AppendGap(into, "subaccount", from, from.Add(90*time.Second), "malformed", observed)
	gap := into.At(0)
	require.Equal(t, "sap.btp.audit.gap", gap.EventName())
	require.Equal(t, plog.SeverityNumberError, gap.SeverityNumber())
	require.Equal(t, from.Add(90*time.Second), gap.Timestamp().AsTime())
	require.Equal(t, observed, gap.ObservedTimestamp().AsTime())
	require.Equal(t, "Audit events between 2026-07-01T00:00:00Z and 2026-07-01T00:01:30Z are missing (retention)", gap.Body().Str())
	require.Equal(t, map[string]any{
		"log.record.uid":            "gap:2026-07-01T00:00:00Z/2026-07-01T00:01:30Z:retention@subaccount",
		"sap.btp.audit.gap.from":    "2026-07-01T00:00:00Z",
		"sap.btp.audit.gap.to":      "2026-07-01T00:01:30Z",
		"sap.btp.audit.gap.reason":  "retention",
		"sap.btp.audit.gap.seconds": int64(90),
	}, gap.Attributes().AsRaw())
	require.Equal(t, gap.Attributes().AsRaw(), into.At(1).Attributes().AsRaw(), "the same gap has the same identity")
	require.NotEqual(t, attr(t, gap, attrUID), attr(t, into.At(2), attrUID))
	require.NotEqual(t, attr(t, gap, attrUID), attr(t, into.At(3), attrUID))
}
