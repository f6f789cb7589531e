// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTruncatedAnswerBreaksOff(t *testing.T) {
	overBoth(t, Fault{Kind: FaultTruncate, Bytes: 1000}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.Greater(t, resp.length, int64(100_000))
		require.ErrorIs(t, resp.broken, io.ErrUnexpectedEOF)
		require.Len(t, resp.body, 1000)
		for e := range sim.Ledger().Entries() {
			require.Zero(t, e.Served)
		}
	})
}

func TestHalfADocumentEndsCleanly(t *testing.T) {
	overBoth(t, Fault{Kind: FaultHalf}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		body := resp.body
		require.Len(t, body, int(resp.length))
		require.False(t, json.Valid(body))
		require.Zero(t, sim.Ledger().Count(func(e *Entry) bool { return e.Served > 0 }))
	})
}

func TestBodiesThatGrow(t *testing.T) {
	for name, fault := range map[string]Fault{
		"oversize": {Kind: FaultOversize, Bytes: mebibyte},
		"bomb":     {Kind: FaultBomb, Bytes: mebibyte},
		"huge":     {Kind: FaultHuge, Bytes: mebibyte},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, fault, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
				t.Helper()
				body := c.get().body
				require.Greater(t, len(body), mebibyte)
				require.True(t, json.Valid(body))
			})
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	overBoth(t, Fault{Kind: FaultGzip}, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.True(t, resp.inflated)
		require.Equal(t, int64(-1), resp.length)
		require.Len(t, resp.ids(t), 500)

		asked := c.request()
		asked.Header.Set("Accept-Encoding", "gzip")
		resp, err := c.send(asked)
		require.NoError(t, err)
		require.Equal(t, "gzip", resp.header.Get("Content-Encoding"), "who asks for it gets it raw")
		require.Equal(t, []byte{0x1f, 0x8b}, resp.body[:2])

		plain := c.request()
		plain.Header.Set("Accept-Encoding", "identity")
		resp, err = c.send(plain)
		require.NoError(t, err)
		require.Len(t, resp.ids(t), 500)
	})
}

func TestDamagedRecords(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		check func(*testing.T, []byte)
	}{
		"null row":   {Fault{Kind: FaultGarbage}, func(t *testing.T, b []byte) { t.Helper(); require.Contains(t, string(b), ",null,") }},
		"number row": {Fault{Kind: FaultGarbage, Text: "42"}, func(t *testing.T, b []byte) { t.Helper(); require.Contains(t, string(b), ",42,") }},
		"utf8":       {Fault{Kind: FaultUTF8}, func(t *testing.T, b []byte) { t.Helper(); require.True(t, bytes.Contains(b, []byte{0xff, 0xfe})) }},
		"deep": {Fault{Kind: FaultDeep, Bytes: 900}, func(t *testing.T, b []byte) {
			t.Helper()
			require.Contains(t, string(b), strings.Repeat("[", 900)+strings.Repeat("]", 900)+"}")
			require.True(t, json.Valid(b))
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			overBoth(t, tc.fault, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
				t.Helper()
				body := c.get().body
				tc.check(t, body)
				require.Equal(t, 500, strings.Count(string(body), `{"message_uuid":`), "all records are there")
				require.Equal(t, 500, sim.Ledger().Count(func(e *Entry) bool { return e.Served == 1 }))
			})
		})
	}
}
