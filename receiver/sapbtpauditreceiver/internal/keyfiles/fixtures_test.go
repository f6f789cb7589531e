// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const apiURL = "https://auditlog-management.cfapps.eu10.hana.ondemand.com"

func tokenURL(tenant string) string {
	return "https://" + tenant + ".authentication.eu10.hana.ondemand.com"
}

// identity names a subaccount as the receiver does, in short.
func identity(key servicekey.Key) string {
	if key.TenantID != "" {
		return key.TenantID
	}
	u, err := url.Parse(key.TokenURL)
	if err != nil {
		return key.TokenURL
	}
	return strings.SplitN(u.Host, ".", 2)[0]
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func secretUAA(tenant, secret string) map[string]any {
	return map[string]any{"clientid": "sb-" + tenant + "!b1|x!b1", "clientsecret": secret, "tenantid": tenant, "url": tokenURL(tenant)}
}

// secretKey is the JSON of a service key with a secret.
func secretKey(t *testing.T, tenant, secret string) string {
	t.Helper()
	return toJSON(t, map[string]any{"uaa": secretUAA(tenant, secret), "url": apiURL})
}

// certKey is the JSON of a service key of tenant A with a new certificate.
func certKey(t *testing.T, notAfter time.Time) string {
	t.Helper()
	const tenant = "A"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: notAfter}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	uaa := map[string]any{
		"clientid": "sb-" + tenant + "!b1|x!b1", "tenantid": tenant,
		"certurl":     "https://" + tenant + ".authentication.cert.eu10.hana.ondemand.com",
		"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})),
		"key":         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}
	return toJSON(t, map[string]any{"uaa": uaa, "url": apiURL})
}

// in returns the path of a file below root, given with slashes.
func in(root, path string) string { return filepath.Join(root, filepath.FromSlash(path)) }

// write writes a file in place, and the directories above it.
func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// replace writes a file so that it is there as a whole or not at all.
func replace(t *testing.T, path, content string) {
	t.Helper()
	temporary := filepath.Join(filepath.Dir(path), ".temporary")
	write(t, temporary, content)
	require.NoError(t, os.Rename(temporary, path))
}

// link makes a symbolic link, or replaces it.
func link(t *testing.T, target, path string) {
	t.Helper()
	temporary := filepath.Join(filepath.Dir(path), "..link_tmp")
	require.NoError(t, os.Symlink(target, temporary))
	require.NoError(t, os.Rename(temporary, path))
}

var mounts atomic.Int64

// mount lays out files as Kubernetes mounts a Secret, and replaces them as
// Kubernetes does: all at once.
func mount(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	version := fmt.Sprintf("..2026_%d", mounts.Add(1))
	for name, content := range files {
		write(t, filepath.Join(dir, version, name), content)
	}
	data := filepath.Join(dir, "..data")
	old, _ := os.Readlink(data)
	link(t, version, data)
	for name := range files {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
		}
	}
	if old != "" {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

// setTime sets when a file was changed, to so long before a fixed time long ago.
func setTime(t *testing.T, path string, ago time.Duration) {
	t.Helper()
	when := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(-ago)
	require.NoError(t, os.Chtimes(path, when, when))
}

// state tells a snapshot in words: of each source its ID, and for each credential
// the secret, or the year of expiry, and the path; of each problem its path.
func state(s Snapshot, root string) []string {
	relative := func(path string) string {
		if rel, err := filepath.Rel(root, path); err == nil {
			return rel
		}
		return path
	}
	words := []string{}
	for _, source := range s.Sources {
		line := []string{source.ID + ":"}
		for _, c := range source.Credentials {
			what := string(c.Key.ClientSecret)
			if what == "" {
				what = c.Key.NotAfter.Format("2006")
			}
			line = append(line, what+"@"+relative(c.Path))
		}
		words = append(words, strings.Join(line, " "))
	}
	var problems []string
	for path := range s.Problems {
		problems = append(problems, "problem: "+relative(path))
	}
	slices.Sort(problems)
	return append(words, problems...)
}
