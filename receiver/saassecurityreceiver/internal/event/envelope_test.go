// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

const (
	evA = `{"log_type":"incident","n":1}`
	evB = `{"log_type":"remediation","s":"]}"}`
)

// text is JSON in a string, n times.
func text(s string, n int) string {
	for range n {
		s = strconv.Quote(s)
	}
	return s
}

// However events are wrapped, each is one record.
func TestEnvelopesAreOpened(t *testing.T) {
	const list = `[` + evA + `,` + evB + `]`
	for name, body := range map[string]string{
		"renamed":                    `{"data":` + list + `}`,
		"renamed, in capitals":       `{"Events":` + list + `}`,
		"of no known name":           `{"Vorfälle":` + list + `}`,
		"with an escaped name":       `{"\u0065vents":` + list + `}`,
		"nested":                     `{"status":"ok","data":{"events":` + list + `}}`,
		"nested twice":               `{"response":{"result":{"events":` + list + `}}}`,
		"nested in unknown names":    `{"a":{"b":{"c":` + list + `}}}`,
		"beside an empty one":        `{"events":[],"more":` + list + `}`,
		"beside null":                `{"events":null,"data":{"events":` + list + `}}`,
		"two lists":                  `{"incidents":[` + evA + `],"remediations":[` + evB + `]}`,
		"a list of lists":            `[[` + evA + `],[` + evB + `]]`,
		"a list of lists of lists":   `{"events":[[[` + evA + `,` + evB + `]]]}`,
		"lists and events":           `[` + evA + `,[` + evB + `]]`,
		"a list of envelopes":        `[{"events":[` + evA + `]},{"events":[` + evB + `]}]`,
		"batches of no known name":   `{"batches":[{"page":1,"events":[` + evA + `]},{"page":2,"events":[` + evB + `]}]}`,
		"objects by number":          `{"events":{"0":` + evA + `,"1":` + evB + `}}`,
		"one a line":                 evA + "\n" + evB + "\n",
		"one a line, CRLF":           evA + "\r\n" + evB + "\r\n",
		"one a line, blank lines":    "\n\n" + evA + "\n\n \n" + evB + "\n\n",
		"one a line, commas":         evA + ",\n" + evB + ",\n",
		"one behind the other":       evA + evB,
		"RFC 7464":                   "\x1e" + evA + "\n\x1e" + evB + "\n",
		"envelopes, one a line":      `{"events":[` + evA + "]}\n{\"events\":[" + evB + `]}`,
		"lists, one a line":          `[` + evA + "]\n[" + evB + `]`,
		"strings, one a line":        text(evA, 1) + "\n" + text(evB, 1),
		"a list as text":             text(list, 1),
		"a list as text of a text":   text(list, 2),
		"an envelope as text":        text(`{"events":`+list+`}`, 1),
		"a member as text":           `{"events":` + text(list, 1) + `}`,
		"a renamed member as text":   `{"ok":true,"data":` + text(`{"events":`+list+`}`, 1) + `}`,
		"text with blanks before it": `{"body":` + strconv.Quote("\n  "+list) + `}`,
		"byte order mark":            "\ufeff" + list,
		"byte order marks":           "\ufeff" + evA + "\n\ufeff" + evB,
	} {
		t.Run(name, func(t *testing.T) {
			r := Decode([]byte(body), "")
			require.Equal(t, 2, r.Events)
			require.True(t, r.Listed || r.Events > 0)
			events, problem := all(r)
			require.Equal(t, []Raw{evA, evB}, events)
			require.Equal(t, Problem{}, problem)
		})
	}
}

func TestListWithoutTypesIsOpenedByItsName(t *testing.T) {
	for body, want := range map[string][]Raw{
		`{"resources":[{"id":1},{"id":2}]}`:                    {`{"id":1}`, `{"id":2}`},
		`{"Data":{"Items":[{"id":1}]}}`:                        {`{"id":1}`},
		`{"data":[]}`:                                          nil,
		`{"data":[],"next":"x"}`:                               {`{"next":"x"}`},
		`{"id":7,"name":"x","data":[{"k":1},{"k":2}]}`:         {`{"k":1}`, `{"k":2}`, `{"id":7,"name":"x"}`},
		`{"id":7,"findings":[{"k":1},{"k":2}]}`:                {`{"id":7,"findings":[{"k":1},{"k":2}]}`},
		`{"data":[1,2]}`:                                       {`{"data":[1,2]}`},
		`{"data":{"a":1}}`:                                     {`{"data":{"a":1}}`},
		`{"data":"{\"a\":1}"}`:                                 {`{"data":"{\"a\":1}"}`},
		`{"data":"{\"events\":[1"}`:                            {`{"data":"{\"events\":[1"}`},
		`{"note":"[{\"log_type\":\"incident\"}]"}`:             {`{"note":"[{\"log_type\":\"incident\"}]"}`},
		`{"data":[{"page":1}],"events":[{"x":1}]}`:             {`{"x":1}`, `{"data":[{"page":1}]}`},
		`{"ok":true,"data":{"events":[{}],"page":{"next":2}}}`: {`{}`, `{"ok":true,"data":{"page":{"next":2}}}`},
	} {
		events, problem := decoded([]byte(body))
		require.Equal(t, want, events, body)
		require.Equal(t, Problem{}, problem, body)
	}
}

// What has a type is one event, whatever is in it: its values can be typed by strangers.
func TestEventIsNeverOpened(t *testing.T) {
	for _, inside := range []string{
		`"events":[` + evA + `]`, `"data":{"events":[` + evA + `]}`, `"data":` + text(`[`+evA+`]`, 1), `"item_name":` + text(evA, 1), `"a":` + evA + `,"b":` + evB,
	} {
		for _, ev := range []string{`{"log_type":"incident",` + inside + `}`, `{` + inside + `,"log_type":"x"}`} {
			for _, body := range []string{ev, `[` + ev + `]`, `{"events":[` + ev + `]}`, `{"a":{"b":[` + ev + `]}}`, ev + "\n"} {
				r := Decode([]byte(body), "")
				require.Equal(t, 1, r.Events, body)
				events, problem := all(r)
				require.Equal(t, []Raw{Raw(ev)}, events, body)
				require.Equal(t, Problem{}, problem)
			}
		}
	}
}

func TestElementInAWrapperIsOneEvent(t *testing.T) {
	for _, element := range []string{`{"event":` + evA + `}`, `{"id":7,"source":{"event":` + evA + `}}`, text(evA, 1)} {
		events, problem := decoded([]byte(`{"events":[` + element + `,` + element + `]}`))
		require.Equal(t, []Raw{Raw(element), Raw(element)}, events)
		require.Equal(t, Problem{}, problem)
		record, _ := one(t, element)
		require.Equal(t, "saas_security.incident", record.EventName(), element)
		body, err := json.Marshal(record.Body().AsRaw())
		require.NoError(t, err)
		require.Contains(t, string(body), "log_type")
	}
	events, _ := decoded([]byte(`[` + text(evA, 2) + `]`))
	require.Equal(t, []Raw{evA}, events)
	for _, single := range []string{`{"status":"ok","data":` + evA + `}`, `{"events":` + evA + `}`} {
		r := Decode([]byte(single), "")
		require.Equal(t, 1, r.Events)
		events, _ := all(r)
		require.Equal(t, []Raw{Raw(single)}, events)
	}
}

func TestBrokenEnvelopeGivesWhatIsWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		body    string
		want    []Raw
		problem Problem
	}{
		"nested, cut":            {`{"status":"ok","data":{"events":[` + evA + `,` + evB + `,{"log_ty`, []Raw{evA, evB}, Problem{Truncated, []byte(`,{"log_ty`)}},
		"renamed, cut":           {`{"Vorfälle":[` + evA + `,{"l`, []Raw{evA}, Problem{Truncated, []byte(`,{"l`)}},
		"by name, cut":           {`{"resources":[{"id":1},{"id"`, []Raw{`{"id":1}`}, Problem{Truncated, []byte(`,{"id"`)}},
		"list of lists, cut":     {`[[` + evA + `],[` + evB + `,{`, []Raw{evA, evB}, Problem{Truncated, []byte(`,{`)}},
		"list of envelopes, cut": {`[{"events":[` + evA + `]},{"events":[` + evB + `,{`, []Raw{evA, evB}, Problem{Truncated, []byte(`,{`)}},
		"behind a nested list":   {`{"data":{"events":[` + evA + `],"page":{"next":`, []Raw{evA}, Problem{Truncated, []byte(`,"page":{"next":`)}},
		"lines, cut":             {evA + "\n" + evB + "\n{\"log_", []Raw{evA, evB}, Problem{Truncated, []byte("\n{\"log_")}},
		"lines, then text":       {evA + "\nerror", []Raw{evA}, Problem{TrailingData, []byte("\nerror")}},
		"lines, then a number":   {evA + "\n7\n" + evB, []Raw{evA}, Problem{TrailingData, []byte("\n7\n" + evB)}},
		"lines, then broken":     {evA + "\n{x}", []Raw{evA}, Problem{NotJSON, []byte("\n{x}")}},
		"an envelope, then cut":  {`{"events":[` + evA + `]}` + `{"events":[` + evB + `,`, []Raw{evA, evB}, Problem{Truncated, []byte(`,`)}},
		"cut in text":            {`{"data":"[{\"log_type\"`, nil, Problem{Truncated, []byte(`{"data":"[{\"log_type\"`)}},
		"cut in a literal":       {`{"events":[` + evA + `],"more":fal`, []Raw{evA}, Problem{Truncated, []byte(`,"more":fal`)}},
	} {
		t.Run(name, func(t *testing.T) {
			events, problem := decoded([]byte(tt.body))
			require.Equal(t, tt.want, events)
			require.Equal(t, string(tt.problem.Rest), string(problem.Rest))
			require.Equal(t, tt.problem, problem)
		})
	}
}

func TestCharsetOfTheReplyIsRead(t *testing.T) {
	const want = `[{"log_type":"incident","item_name":"Größe"}]`
	latin, err := charmap.ISO8859_1.NewEncoder().String(want)
	require.NoError(t, err)
	wide := func(big, mark bool) string {
		var sb strings.Builder
		units := utf16.Encode([]rune(want + " 📄"))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			if big {
				sb.WriteString(string([]byte{byte(u >> 8), byte(u)}))
			} else {
				sb.WriteString(string([]byte{byte(u), byte(u >> 8)}))
			}
		}
		return sb.String()
	}
	const event = Raw(`{"log_type":"incident","item_name":"Größe"}`)
	asBytes := Raw(strings.ReplaceAll(strings.ReplaceAll(string(event), "ö", "\xf6"), "ß", "\xdf"))
	for name, tt := range map[string]struct {
		body, contentType string
		want              Raw
	}{
		"latin 1":                    {latin, "application/json;charset=ISO-8859-1", event},
		"latin 1, short":             {latin, "application/json; charset=latin1", event},
		"Windows, quoted":            {latin, `application/json; charset="Windows-1252"`, event},
		"without a charset":          {latin, "application/json", asBytes},
		"a charset that is not":      {latin, "application/json; charset=utf-8", asBytes},
		"an unknown charset":         {latin, "application/json; charset=x-unheard-of", asBytes},
		"a broken type":              {latin, "; charset=;", asBytes},
		"UTF-8 that says latin 1":    {want, "application/json; charset=ISO-8859-1", event},
		"UTF-8 with a mark":          {"\ufeff" + want, "application/json; charset=ISO-8859-1", event},
		"UTF-16, little, marked":     {wide(false, true), "", event},
		"UTF-16, big, marked":        {wide(true, true), "", event},
		"UTF-16, little, unmarked":   {wide(false, false), "", event},
		"UTF-16, big, unmarked":      {wide(true, false), "application/json; charset=utf-16be", event},
		"a charset that loses bytes": {"[\"\xff\",{\"log_type\":\"incident\",\"item_name\":\"Gr\xf6\xdfe\"}]", "text/json; charset=us-ascii", `"ÿ"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := Decode([]byte(tt.body), tt.contentType)
			ev, ok := r.Next()
			require.True(t, ok)
			require.Equal(t, tt.want, ev)
		})
	}
	shift, ok := Decode([]byte("[\"\x82\xff\"]"), "application/json; charset=shift_jis").Next()
	require.True(t, ok)
	require.Equal(t, Raw("\"\x82\xff\""), shift, "bytes that the charset has no text for stay")
}

func TestSalvageOfManyListsIsBounded(t *testing.T) {
	const n = 3 * maxLists
	for name, unit := range map[string]string{"lists": `[{}]`, "envelopes": `{"events":[{}]}`} {
		r := Decode([]byte(`[`+strings.Repeat(unit+",", n)+`{}]`), "")
		require.Equal(t, n+1, r.Len(), name)
		require.LessOrEqual(t, len(r.lists), maxLists+2)
	}
	deep := strings.Repeat(`{"a":`, maxOpen+1) + `[` + evA + `]` + strings.Repeat(`}`, maxOpen+1)
	events, problem := decoded([]byte(deep))
	require.Equal(t, []Raw{Raw(deep)}, events)
	require.Equal(t, Problem{}, problem)
}

// Wherever a nested reply or one of several documents is cut, each event is either returned or in the rest.
func TestEnvelopesCutAnywhere(t *testing.T) {
	for _, body := range []string{
		`{"status":"ok","data":{"events":[` + evA + `,` + evB + `]}}`, evA + "\n" + evB + "\n", `[[` + evA + `],[` + evB + `]]`,
		`{"events":[` + evA + `]}` + "\n" + `{"events":[` + evB + `]}`,
	} {
		for cut := range body {
			events, problem := decoded([]byte(body[:cut]))
			got := fmt.Sprint(events) + string(problem.Rest)
			for _, ev := range []string{evA, evB} {
				if i := strings.Index(body, ev); cut > i {
					require.Contains(t, got, body[i:min(cut, i+len(ev))], body[:cut])
				}
			}
		}
	}
}
