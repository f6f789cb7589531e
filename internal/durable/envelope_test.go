// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

type state struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func TestSealedValueOpensUnchanged(t *testing.T) {
	for _, want := range []state{{}, {Name: "größe & <tag> \u2028", Count: math.MaxInt64}, {Name: `","data":{}}`, Count: -1}} {
		raw, err := Seal(3, want)
		require.NoError(t, err)
		require.True(t, json.Valid(raw))

		var got state
		require.NoError(t, Open(raw, 3, &got))
		require.Equal(t, want, got)
	}
}

func TestSealedBytesOpenUnchanged(t *testing.T) {
	for _, want := range [][]byte{{}, {0}, []byte("\xff\xfe\x00 no text"), []byte(`{"json":true}`), make([]byte, 1000)} {
		raw := SealBytes(1, want)
		require.True(t, json.Valid(raw))
		require.True(t, utf8.Valid(raw))

		got, err := OpenBytes(raw, 1)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestSealRefusesWhatJSONCannotHold(t *testing.T) {
	_, err := Seal(1, math.NaN())
	require.ErrorContains(t, err, "encoding state")
}

func TestEveryFlippedBitIsCorrupt(t *testing.T) {
	text, err := Seal(12, state{Name: "a secret place", Count: 7})
	require.NoError(t, err)
	binary := SealBytes(12, []byte("raw"))

	for name, raw := range map[string][]byte{"value": text, "bytes": binary} {
		t.Run(name, func(t *testing.T) {
			for i := range raw {
				for bit := range 8 {
					flipped := append([]byte(nil), raw...)
					flipped[i] ^= 1 << bit
					var into any
					err := Open(flipped, 99, &into)
					require.ErrorIs(t, err, ErrCorrupt, "byte %d bit %d", i, bit)
					_, err = OpenBytes(flipped, 99)
					require.ErrorIs(t, err, ErrCorrupt, "byte %d bit %d", i, bit)
				}
			}
		})
	}
}

func TestEveryCutValueIsCorrupt(t *testing.T) {
	raw := SealBytes(1, []byte("some payload"))
	for n := range raw {
		_, err := OpenBytes(raw[:n], 1)
		require.ErrorIs(t, err, ErrCorrupt, "first %d bytes", n)
		_, err = OpenBytes(raw[n+1:], 1)
		require.ErrorIs(t, err, ErrCorrupt, "without the first %d bytes", n+1)
	}
}

func TestOpenTellsWhyItCannot(t *testing.T) {
	sealed, err := Seal(2, state{Name: "canary"})
	require.NoError(t, err)

	tests := []struct {
		name    string
		raw     []byte
		version int
		want    error
	}{
		{"missing value", nil, 2, ErrAbsent},
		{"empty value", []byte{}, 2, ErrCorrupt},
		{"foreign value", []byte(`{"cursor":"2024"}`), 2, ErrCorrupt},
		{"older reader", sealed, 1, ErrNewerVersion},
		{"payload of another type", seal(1, []byte(`{"count":"canary"}`)), 1, ErrCorrupt},
		{"payload that is no JSON", seal(1, []byte(`canary`)), 1, ErrCorrupt},
		{"version that is no number", []byte(`{"version":x,"sha256":"` + checksum("x", nil) + `","data":}`), 1, ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var into state
			err := Open(tt.raw, tt.version, &into)
			require.ErrorIs(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestNewerReaderOpensOlderValue(t *testing.T) {
	raw, err := Seal(1, state{Count: 4})
	require.NoError(t, err)
	var got state
	require.NoError(t, Open(raw, 2, &got))
	require.Equal(t, 4, got.Count)
}

func TestBytesAndValuesAreNotConfused(t *testing.T) {
	text, err := Seal(1, state{})
	require.NoError(t, err)
	_, err = OpenBytes(text, 1)
	require.ErrorIs(t, err, ErrCorrupt)

	_, err = OpenBytes(seal(1, []byte(`"`)), 1)
	require.ErrorIs(t, err, ErrCorrupt)
}
