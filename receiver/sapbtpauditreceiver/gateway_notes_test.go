// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// divided is a storage that knows of the keys b, which goes by the name of the host, and a and c, which are apart.
func divided(t *testing.T) (disk *crashtest.Disk, keys map[string]servicekey.Key) {
	t.Helper()
	disk, keys = crashtest.NewDisk(), map[string]servicekey.Key{}
	for _, client := range []string{"a", "b", "c"} {
		keys[client] = servicekey.Key{TokenURL: "https://" + gatewayHost, ClientID: client}
	}
	n := newNames(disk.Client(), zap.NewNop())
	n.survey([]servicekey.Key{keys["b"]})
	n.survey([]servicekey.Key{keys["a"], keys["b"], keys["c"]})
	for client, tenant := range map[string]string{"a": "A", "b": "B", "c": "C"} {
		n.learn(t.Context(), keys[client], tenant)
	}
	return disk, keys
}

func contents(disk *crashtest.Disk) map[string]string {
	all := map[string]string{}
	for _, key := range disk.Keys() {
		all[key] = string(disk.Value(key))
	}
	return all
}

// A key that is given the state of another subaccount is not read any more from where it was.
func TestDamagedNotesOfAGatewayGiveNoKeyTheStateOfAnother(t *testing.T) {
	const host = gatewayHost
	own := func(client string) string { return host + " " + client }
	for name, tc := range map[string]struct {
		damaged []string
		owner   string // of b
		doubt   []string
	}{
		"owner":                         {[]string{noteOwner(host)}, host, nil},
		"apart":                         {[]string{noteApart(own("a"))}, host, []string{own("a")}},
		"owner and apart":               {[]string{noteOwner(host), noteApart(own("a"))}, host, []string{own("a")}},
		"owner and who has it":          {[]string{noteOwner(host), noteOf(own("b"))}, own("b"), []string{own("b")}},
		"everything of owner and apart": {[]string{noteOwner(host), noteApart(own("a")), noteApart(own("c")), noteOf(own("a")), noteOf(own("b"))}, own("b"), []string{own("a"), own("b"), own("c")}},
	} {
		t.Run(name, func(t *testing.T) {
			disk, keys := divided(t)
			for _, note := range tc.damaged {
				disk.Flip(t, note, -4)
			}
			before := contents(disk)
			for range 2 { // starts
				client := disk.Client()
				n := newNames(client, zap.NewNop())
				at := &term{storage: client, names: n, subaccounts: map[string]*subaccount{}}
				for range 2 { // looks at the keys
					n.survey([]servicekey.Key{keys["a"], keys["b"], keys["c"]})
					assert.Equal(t, own("a"), n.of(keys["a"]))
					assert.Equal(t, tc.owner, n.of(keys["b"]))
					assert.Equal(t, own("c"), n.of(keys["c"]))
				}
				for _, id := range tc.doubt {
					got := at.placeApart(t.Context(), id, host)
					assert.Equal(t, place{prefix: id + "/", note: noteState(id), begun: true}, got, "what is not there must be read again")
				}
				assert.Equal(t, before, contents(disk), "nothing is decided for good")
			}
		})
	}
}

func TestNotesOfAGatewayThatStorageDoesNotGiveAreAskedForAgain(t *testing.T) {
	const host = gatewayHost
	broken := errors.New("the disk is gone for a moment")
	for name, failed := range map[string][]string{
		"owner":           {noteOwner(host)},
		"apart":           {noteApart(host + " a")},
		"owner and apart": {noteOwner(host), noteApart(host + " a")},
	} {
		t.Run(name, func(t *testing.T) {
			disk, keys := divided(t)
			before := contents(disk)
			var options []crashtest.Option
			for _, note := range failed {
				options = append(options, crashtest.FailGet(note, 2, broken))
			}
			client := disk.Client(options...)
			n := newNames(client, zap.NewNop())
			at := &term{storage: client, names: n, subaccounts: map[string]*subaccount{}}
			all := []servicekey.Key{keys["a"], keys["b"], keys["c"]}
			for range 2 {
				n.survey(all)
				for _, key := range []servicekey.Key{keys["a"], keys["b"]} {
					_, err := at.place(t.Context(), keyfiles.Source{ID: n.of(key), Credentials: []keyfiles.Credential{{Key: key}}})
					if key.ClientID == "a" || len(failed) == 2 || name == "owner" {
						require.ErrorIs(t, err, broken)
					}
					assert.NotEqual(t, host, n.of(key), "nobody knows")
				}
			}
			n.survey(all)
			assert.Equal(t, []string{host + " a", host, host + " c"}, []string{n.of(keys["a"]), n.of(keys["b"]), n.of(keys["c"])})
			_, err := at.place(t.Context(), keyfiles.Source{ID: host + " a", Credentials: []keyfiles.Credential{{Key: keys["a"]}}})
			require.NoError(t, err)
			assert.Equal(t, before, contents(disk))
		})
	}
}

func TestAKeyThatIsBeingReadStaysWhatItIsWhileStorageFails(t *testing.T) {
	disk, keys := divided(t)
	client := disk.Client(crashtest.FailGet(noteApart(gatewayHost+" d"), 1, errors.New("gone")))
	n := newNames(client, zap.NewNop())
	n.survey([]servicekey.Key{keys["a"], keys["b"]})
	d := servicekey.Key{TokenURL: "https://" + gatewayHost, ClientID: "d"}
	for range 2 {
		n.survey([]servicekey.Key{keys["a"], keys["b"], d})
		assert.Equal(t, gatewayHost+" a", n.of(keys["a"]))
		assert.Equal(t, gatewayHost, n.of(keys["b"]))
		assert.Equal(t, gatewayHost+" d", n.of(d))
	}
}
