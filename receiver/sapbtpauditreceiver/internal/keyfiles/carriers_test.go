// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// carriers are ways in which a key lies in a directory of its own.
var carriers = map[string]struct {
	pattern string
	path    string // of the match
	put     func(t *testing.T, dir, tenant, secret string)
	spoil   func(t *testing.T, dir string)
}{
	"file that is replaced": {
		"*/key.json", "it/key.json",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			replace(t, filepath.Join(dir, "key.json"), secretKey(t, tenant, secret))
		},
		func(t *testing.T, dir string) { t.Helper(); replace(t, filepath.Join(dir, "key.json"), `{"uaa":`) },
	},
	"file that is written in place": {
		"it/key.json", "it/key.json",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			write(t, filepath.Join(dir, "key.json"), secretKey(t, tenant, secret))
		},
		func(t *testing.T, dir string) { t.Helper(); write(t, filepath.Join(dir, "key.json"), "") },
	},
	"VCAP_SERVICES": {
		"it/*", "it/vcap",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			binding := map[string]any{"credentials": map[string]any{"uaa": secretUAA(tenant, secret), "url": apiURL}}
			replace(t, filepath.Join(dir, "vcap"), toJSON(t, map[string]any{"auditlog-management": []any{binding}}))
		},
		func(t *testing.T, dir string) { t.Helper(); replace(t, filepath.Join(dir, "vcap"), "[]") },
	},
	"Secret mounted by Kubernetes, as directory": {
		"*", "it",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			mount(t, dir, map[string]string{"uaa": toJSON(t, secretUAA(tenant, secret)), "url": apiURL})
		},
		func(t *testing.T, dir string) {
			t.Helper()
			mount(t, dir, map[string]string{"uaa": "{", "url": apiURL})
		},
	},
	"Secret mounted by Kubernetes, as file": {
		"*/*.json", "it/key.json",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			mount(t, dir, map[string]string{"key.json": secretKey(t, tenant, secret)})
		},
		func(t *testing.T, dir string) { t.Helper(); mount(t, dir, map[string]string{"key.json": "{"}) },
	},
	"Kyma's Secret": {
		"it", "it",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			mount(t, dir, map[string]string{"url": apiURL, "clientID": "sb-x!b1", "clientSecret": secret, "tokenUrl": tokenURL(tenant)})
		},
		func(t *testing.T, dir string) {
			t.Helper()
			mount(t, dir, map[string]string{"url": apiURL, "clientID": "x"})
		},
	},
	"directory whose files are written one by one": {
		"i?", "it",
		func(t *testing.T, dir, tenant, secret string) {
			t.Helper()
			write(t, filepath.Join(dir, "url"), apiURL)
			write(t, filepath.Join(dir, "uaa"), toJSON(t, secretUAA(tenant, secret)))
		},
		func(t *testing.T, dir string) { t.Helper(); require.NoError(t, os.Remove(filepath.Join(dir, "url"))) },
	},
}

func TestRunFollowsEveryCarrier(t *testing.T) {
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "it")
			at := "@" + carrier.path
			f := follow(t, root, carrier.pattern)
			f.await(t, "problem: "+carrier.pattern)

			carrier.put(t, dir, "a", "one")
			f.await(t, "a: one"+at)

			f.kept = "a:"
			carrier.put(t, dir, "a", "two")
			f.await(t, "a: two"+at)
			carrier.spoil(t, dir)
			f.await(t, "a: two"+at, "problem: "+carrier.path)
			carrier.put(t, dir, "a", "three")
			f.await(t, "a: three"+at)

			f.kept = ""
			carrier.put(t, dir, "b", "four")
			f.await(t, "b: four"+at)
			require.NoError(t, os.RemoveAll(dir))
			f.await(t, "problem: "+carrier.pattern)
			carrier.put(t, dir, "b", "five")
			f.await(t, "b: five"+at)
		})
	}
}
