// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The list of actions in the README is closed: it has what the code can say, and nothing else.
func TestReadmeListsEveryAction(t *testing.T) {
	said := map[string]struct{}{}
	add := func(action string) {
		if action != "" {
			said[action] = struct{}{}
		}
	}
	for verb, action := range verbs {
		require.LessOrEqual(t, len(verb), maxVerb)
		add(action)
	}
	for typ, k := range uaaKinds {
		require.NotEqual(t, unsaid, outcomeOfType(typ), typ)
		add(k.action)
	}
	for name, k := range kinds {
		require.LessOrEqual(t, len(name), maxNormal)
		add(k.action)
	}
	for _, p := range proses {
		add(p.action)
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(readme), "#### Actions")
	section, _, _ = strings.Cut(section, "####")
	listed, _, _ := strings.Cut(section, ".")
	named := map[string]struct{}{}
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(listed, -1) {
		named[m[1]] = struct{}{}
	}
	require.Equal(t, said, named)
}

func TestActionIsTheFirstVerbOfAProducersWords(t *testing.T) {
	for words, want := range map[string]string{
		"UPDATE": actionUpdate, "grantPermissions": actionGrant, "PasswordDelete": actionDelete, "package import": actionImport, "SAMLLogout": actionLogout,
		"Attempt to access restricted service": actionAccess, "re-deploy": actionDeploy, "audit.authn": actionLogin, "": "", "frobnicate": "", "ÄÖÜ": "",
		"one two three four five six delete": "",
	} {
		assert.Equal(t, want, actionOf(words), words)
	}
}

func TestUserIsNamedWithoutItsPrefix(t *testing.T) {
	for name, want := range map[string][3]string{
		"user/corp/ann@example.org": {"ann@example.org", "corp", actorUser}, "user/corp/a/b": {"a/b", "corp", actorUser}, "client/sb-x!b1": {"sb-x!b1", "", actorService},
		"sb-x": {"sb-x", "", actorService}, "shop!t7": {"shop!t7", "", actorService}, "P000042": {"P000042", "", actorUser}, "system": {"system", "", actorSystem},
		"ann": {"ann", "", ""}, `{"user":"ann@example.org"}`: {"ann@example.org", "", actorUser},
		"": {}, "-": {}, "unknown_user": {}, "ANONYMOUS": {}, "User not logged in": {}, "user/corp/UNKNOWN_USER": {},
	} {
		id, idp, typ := splitUser(name)
		assert.Equal(t, want, [3]string{id, idp, typ}, name)
	}
}
