// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestParseDirReadsMountedSecrets(t *testing.T) {
	instance := map[string]string{
		"instance_guid": "1", "instance_name": "audit", "plan": "default", "type": serviceName, "label": serviceName,
		"tags": `["audit"]`, ".metadata": `{"credentialProperties":[{"name":"uaa","format":"json"}]}`, "..data": "",
	}
	tests := []struct {
		name  string
		files map[string]string
		want  Key
	}{
		{"service operator, one field each", map[string]string{"uaa": secretUAA().json(t) + "\n", "url": apiURLText + "\r\n", "vendor": "SAP"}, wantSecret()},
		{"service operator, secretKey", map[string]string{"credentials-of-mine": secretKey().json(t)}, wantSecret()},
		{"service operator, secretRootKey", map[string]string{"root": values{"uaa": secretUAA().json(t), "url": apiURLText}.json(t)}, wantSecret()},
		{"service operator, secretRootKey and secretKey", map[string]string{"root": values{"k": secretKey().json(t)}.json(t)}, wantSecret()},
		{"service operator, template", map[string]string{"key.json": values{"credentials": secretKey()}.json(t)}, wantSecret()},
		{"Kyma", map[string]string{"url": apiURLText, "clientID": clientIDText, "clientSecret": secretText, "tokenUrl": tokenBase}, wantKyma()},
		{"Kyma, spelt otherwise", map[string]string{"url": apiURLText, "clientId": clientIDText + "\n", "clientsecret": secretText + "\n", "tokenURL": tokenBase + "/oauth/token\n"}, wantKyma()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{}
			for _, part := range []map[string]string{instance, tt.files} {
				for name, content := range part {
					files[name] = []byte(content)
				}
			}
			keys, err := ParseDir(files)
			require.NoError(t, err)
			require.Equal(t, []Key{tt.want}, keys)
		})
	}
}

func TestParseDirSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"no files", nil, "has no files"},
		{"hidden files only", map[string][]byte{"..data": nil, ".metadata": []byte("{}")}, "has no files"},
		{"too large together", map[string][]byte{"a": make([]byte, maxSize), "b": make([]byte, 1)}, "larger than 1048576 bytes"},
		{"another service", map[string][]byte{"clientid": []byte("canary"), "url": []byte(tokenBase)}, "key of another service"},
		{"nothing of a key", map[string][]byte{"username": []byte("canary")}, "no service key in it"},
		{"field missing", map[string][]byte{"uaa": []byte(`{"clientid":"canary"}`), "url": []byte(apiURLText)}, "lacks uaa.clientsecret or uaa.certificate"},
		{"half-written key in a file", map[string][]byte{"root": []byte(`{"uaa":{"clientid":"canary`)}, "root: the service key is not JSON"},
		{"truncated file", map[string][]byte{"key.json": nil}, "key.json: the service key is empty"},
		{"broken key in a file", map[string][]byte{"root": []byte(`{"uaa":{}}`)}, "root: the service key lacks url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := ParseDir(tt.files)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
			require.Empty(t, keys)
		})
	}
}

func TestParseDirTellsBindingsOfOtherServicesFromBrokenOnes(t *testing.T) {
	redis := map[string]string{"uri": "redis://canary", "password": "canary"}
	xsuaa := map[string]string{"clientid": "canary", "clientsecret": "canary", "url": tokenBase}
	tests := []struct {
		name        string
		files       map[string]string
		kind, label string
		other       bool
	}{
		{"type", redis, "redis", "", true},
		{"label", xsuaa, "", "xsuaa\n", true},
		{"both", xsuaa, "xsuaa", "xsuaa", true},
		{"a type of the user's own", redis, "mine", serviceName, false},
		{"the audit log's, broken", redis, serviceName + "\n", "", false},
		{"nothing says it", xsuaa, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{}
			for name, content := range tt.files {
				files[name] = []byte(content)
			}
			for name, content := range map[string]string{"type": tt.kind, "label": tt.label} {
				if content != "" {
					files[name] = []byte(content)
				}
			}
			keys, err := ParseDir(files)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "canary")
			require.Equal(t, tt.other, errors.Is(err, ErrOtherService), err)
			require.Empty(t, keys)
		})
	}
	keys, err := ParseDir(map[string][]byte{"type": []byte("mine"), "uaa": []byte(secretUAA().json(t)), "url": []byte(apiURLText)})
	require.NoError(t, err)
	require.Equal(t, []Key{wantSecret()}, keys, "what can be read is read")
}

// mountSecret lays files out as Kubernetes does: the real ones in a directory
// of their own, to which ..data links.
func mountSecret(t *testing.T, dir, version string, files map[string]string) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, name), []byte(content), 0o600))
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			require.NoError(t, os.Symlink(filepath.Join(dataLink, name), filepath.Join(dir, name)))
		}
	}
	link := filepath.Join(dir, "..data_tmp")
	require.NoError(t, os.Symlink(version, link))
	require.NoError(t, os.Rename(link, filepath.Join(dir, dataLink)))
}

func TestLoadReadsASecretMountedByKubernetesAndItsReplacement(t *testing.T) {
	dir := t.TempDir()
	mountSecret(t, dir, "..2026_01_01", map[string]string{"uaa": secretUAA().json(t), "url": apiURLText})
	keys, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, []Key{wantSecret()}, keys)

	mountSecret(t, dir, "..2026_02_02", map[string]string{
		"uaa": secretUAA().with(values{"clientsecret": "rotated"}).json(t), "url": apiURLText,
	})
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "..2026_01_01")))
	keys, err = Load(dir)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, "rotated", string(keys[0].ClientSecret))
}

// swappingFS replaces the mounted Secret when its first file is opened.
type swappingFS struct {
	files   fstest.MapFS
	swapped bool
}

func (s *swappingFS) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, "uaa") {
		s.files[dataLink] = linkTo("..v2")
		s.swapped = true
	}
	return s.files.Open(name)
}

func (s *swappingFS) ReadLink(name string) (string, error)   { return s.files.ReadLink(name) }
func (s *swappingFS) Lstat(name string) (fs.FileInfo, error) { return s.files.Lstat(name) }

func linkTo(target string) *fstest.MapFile {
	return &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(target)}
}

func TestParseFSReadsOneStateOfAMountedSecret(t *testing.T) {
	fsys := &swappingFS{files: fstest.MapFS{
		dataLink: linkTo("..v1"), "uaa": linkTo("..data/uaa"), "url": linkTo("..data/url"),
		"..v1/uaa": {Data: []byte(secretUAA().json(t))}, "..v1/url": {Data: []byte(apiURLText)},
		"..v2/uaa": {Data: []byte("{}")}, "..v2/url": {Data: []byte("https://auditlog-management.cfapps.us10.hana.ondemand.com")},
	}}
	keys, err := ParseFS(fsys)
	require.NoError(t, err)
	require.Equal(t, []Key{wantSecret()}, keys)
	require.True(t, fsys.swapped)
}

func TestLoadReadsFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.json")
	require.NoError(t, os.WriteFile(path, []byte(secretKey().json(t)), 0o600))
	keys, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, []Key{wantSecret()}, keys)

	// A directory of whole keys is read too; sub-directories are left alone.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other.json"), []byte(kyma().json(t)), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	keys, err = Load(dir)
	require.NoError(t, err)
	require.Equal(t, []Key{wantSecret(), wantKyma()}, keys)
}

func TestParseDirReturnsTheGoodKeysBesideABadOne(t *testing.T) {
	for name, content := range map[string]string{"half.json": `{"uaa":`, "empty.json": "", "half": `{"uaa":`, "list.json": "[]"} {
		t.Run(name, func(t *testing.T) {
			keys, err := ParseDir(map[string][]byte{
				"good": []byte("\xef\xbb\xbf" + secretKey().json(t)), "note": []byte("canary"), name: []byte(content),
			})
			require.ErrorContains(t, err, name+": the service key is")
			require.NotContains(t, err.Error(), "canary")
			require.Equal(t, []Key{wantSecret()}, keys)
		})
	}
}

// countingFS counts the files that are opened.
type countingFS struct {
	fstest.MapFS
	opened int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	if name != "." {
		c.opened++
	}
	return c.MapFS.Open(name)
}

func TestParseFSStopsReadingWhatIsTooLargeForAKey(t *testing.T) {
	large := &fstest.MapFile{Data: make([]byte, maxSize)}
	fsys := &countingFS{MapFS: fstest.MapFS{}}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		fsys.MapFS[name] = large
	}
	_, err := ParseFS(fsys)
	require.ErrorContains(t, err, "larger than 1048576 bytes together")
	require.Equal(t, 2, fsys.opened)
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	_, err := Load(os.DevNull)
	require.EqualError(t, err, "neither a file nor a directory")
}

func TestLoadSaysWhatIsWrongAndLeavesThePathToItsCaller(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.json")
	_, err := Load(missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "no such file or directory")

	broken := filepath.Join(dir, "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte("canary"), 0o600))
	_, err = Load(broken)
	require.EqualError(t, err, "the service key is not JSON: error at byte 1 of 6; give it as it was issued")
	require.NotContains(t, err.Error(), "canary")

	large := filepath.Join(dir, "large.json")
	require.NoError(t, os.WriteFile(large, make([]byte, 2*maxSize), 0o600))
	_, err = Load(large)
	require.ErrorContains(t, err, "larger than 1048576 bytes")
}

func TestLoadReportsALinkToNothing(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("gone", filepath.Join(dir, "uaa")))
	_, err := Load(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "uaa")
}
