// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	keyOne = strings.Repeat("1a", keyBytes)
	keyTwo = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("2", keyBytes)))
)

func ring(t *testing.T, lines ...string) *Keyring {
	t.Helper()
	keys, err := ParseKeyring(strings.Join(lines, "\n"))
	require.NoError(t, err)
	return keys
}

func sealedWith(keys *Keyring) func(*Settings) { return func(set *Settings) { set.Keys = keys } }

func TestKeysAreReadInEveryForm(t *testing.T) {
	raw := []byte(strings.Repeat("\xfb\xff", keyBytes/2))
	want := keyID(raw)
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw),
		base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		strings.Repeat("fbff", keyBytes/2), "# comment\r\n\r\n  " + strings.Repeat("FBFF", keyBytes/2) + " \r\n",
	} {
		require.Equal(t, want, ring(t, text).ID())
	}
}

func TestWrongKeyFilesAreRefusedWithoutShowingThem(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "no key found",
		"# nothing\n":              "no key found",
		keyOne + "\nhunter2secret": "line 2 is not a key",
		"c2hvcnQ=":                 "line 1 is not a key",
		keyOne + keyOne:            "line 1 is not a key",
	} {
		_, err := ParseKeyring(text)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2secret")
		require.NotContains(t, err.Error(), keyOne)
	}
}

func TestKeyChangeKeepsOldEntriesReadable(t *testing.T) {
	disk := filled(t, []string{"plain"})
	bodies := []string{"plain"}
	for i, keys := range []*Keyring{ring(t, keyOne), ring(t, keyTwo, keyOne), nil} {
		if keys == nil {
			_, err := Open(t.Context(), newStore(disk).settings(t))
			require.ErrorContains(t, err, ring(t, keyOne).ID())
			continue
		}
		s := newStore(disk).spool(t, sealedWith(keys))
		bodies = append(bodies, "sealed "+string(rune('0'+i)))
		commit(t, s, bodies[len(bodies)-1])
		require.NoError(t, s.Close(t.Context()))
	}
	require.Equal(t, bodies, drain(t, newStore(disk).spool(t, sealedWith(ring(t, keyTwo, keyOne)))))
}

func TestWrongKeyFailsTheStartAndDropsNothing(t *testing.T) {
	disk := filled(t, numbered(10, 1000), sealedWith(ring(t, keyOne)))
	before := disk.Keys()
	for _, keys := range []*Keyring{nil, ring(t, keyTwo)} {
		set := newStore(disk).settings(t)
		set.Keys = keys
		_, err := Open(t.Context(), set)
		require.ErrorContains(t, err, `sealed with the key "`+ring(t, keyOne).ID()+`"`)
		require.Equal(t, before, disk.Keys())
	}
	require.Len(t, drain(t, newStore(disk).spool(t, sealedWith(ring(t, keyOne)))), 10)
}

// A deletion that the storage forgot leaves an entry in a segment that is free, sealed with a key of then.
func TestEntryLeftInAFreeSegmentKeepsItsKey(t *testing.T) {
	for _, plain := range []bool{false, true} {
		disk := filled(t, numbered(10, 1000), sealedWith(ring(t, keyOne)))
		left := clientName(0) + "/" + entryKey(2)
		kept := disk.Value(left)
		open := func(keys *Keyring) *Spool {
			st := newStore(disk)
			st.Plain = plain
			return st.spool(t, sealedWith(keys))
		}
		s := open(ring(t, keyOne))
		drain(t, s)
		require.NoError(t, s.Close(t.Context()))
		require.NoError(t, disk.Client().Set(t.Context(), left, kept))

		s = open(ring(t, keyTwo, keyOne))
		for _, b := range numbered(10, 1000) {
			commit(t, s, b)
		}
		require.Equal(t, 11, s.Stats().Entries)
		require.NoError(t, s.Close(t.Context()))
		set := newStore(disk).settings(t)
		set.Keys = ring(t, keyTwo)
		_, err := Open(t.Context(), set)
		require.ErrorContains(t, err, ring(t, keyOne).ID())
		s = open(ring(t, keyTwo, keyOne))
		require.Len(t, drain(t, s), 11)
		require.NoError(t, s.Close(t.Context()))
		require.Empty(t, drain(t, open(ring(t, keyTwo))))
	}
}

func TestEmptySpoolTakesAnyKey(t *testing.T) {
	disk := filled(t, nil, sealedWith(ring(t, keyOne)))
	s := newStore(disk).spool(t, sealedWith(ring(t, keyTwo)))
	commit(t, s, "x")
	require.Equal(t, 1, s.slots)
	require.Equal(t, []string{"x"}, drain(t, s))
}

func TestSealedEntriesCannotBeSwapped(t *testing.T) {
	keys := ring(t, keyOne)
	one, err := encodeEntry(1, newID(time.Now()), Batch{Body: []byte("one")}, keys)
	require.NoError(t, err)
	_, _, body, err := splitEntry(one)
	require.NoError(t, err)
	two, err := encodeEntry(2, newID(time.Now()), Batch{Body: []byte("two")}, keys)
	require.NoError(t, err)
	_, head, _, err := splitEntry(two)
	require.NoError(t, err)

	// Whoever can write to the storage can make the checksum fit, but not the seal.
	forged := []byte(entryVersion + " " + checksum(head, body) + " " + string(head) + "\n" + string(body))
	_, _, err = decodeEntry(2, forged, keys)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestIdentifiersSortByTimeAndDiffer(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	seen := map[string]bool{}
	previous := ""
	for i := range 1000 {
		id := newID(at.Add(time.Duration(i) * time.Millisecond))
		require.Len(t, id, 26)
		require.Less(t, previous, id)
		previous = id
		other := newID(at)
		require.False(t, seen[other])
		seen[other] = true
	}
	// The first ten characters of a ULID are its time: 1700000000000 is 01HF7YAT00 in Crockford's base 32.
	require.Equal(t, "01HF7YAT00", newID(at)[:10])
}
