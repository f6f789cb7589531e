// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// carriers are the forms in which keys come, as the files of a folder, or as one file by the name "".
var carriers = []func(m *many, i int) map[string][]byte{
	func(m *many, i int) map[string][]byte {
		return map[string][]byte{"": m.sub(i).ServiceKey(sapbtp.SecretKey)}
	},
	func(m *many, i int) map[string][]byte { // Kyma's flat Secret
		sub := m.sub(i)
		return map[string][]byte{
			"url": []byte(sub.Endpoint), "clientID": []byte(sub.ClientID), "clientSecret": []byte(sub.ClientSecret),
			"tokenUrl": []byte(m.listeners.URL + "/zone-" + strconv.Itoa(i) + "/oauth/token"),
		}
	},
	func(m *many, i int) map[string][]byte { // with a certificate
		cert := m.sim.IssueClientCert(m.sub(i).Tenant, time.Hour)
		return map[string][]byte{"": m.sub(i).ServiceKeyWith(cert)}
	},
	func(m *many, i int) map[string][]byte { // VCAP_SERVICES
		return map[string][]byte{"": m.marshal(map[string]any{"auditlog-management": []any{
			map[string]any{"name": "audit", "label": "auditlog-management", "credentials": json.RawMessage(m.sub(i).ServiceKey(sapbtp.SecretKey))},
		}})}
	},
	func(m *many, i int) map[string][]byte { // the service operator's Secret, a file for each field
		var fields map[string]json.RawMessage
		require.NoError(m.t, json.Unmarshal(m.sub(i).ServiceKey(sapbtp.SecretKey), &fields))
		return map[string][]byte{"uaa": fields["uaa"], "url": []byte(m.sub(i).Endpoint), "vendor": []byte("SAP")}
	},
}

// next is the form to which a key changes when it is rotated. Kyma's stays Kyma's: only there the subaccount is known by the
// URL of its token service, which the others do not share here as they do with SAP.
var next = []int{2, 1, 3, 4, 0}

// sub is the subaccount with its present credentials.
func (m *many) sub(i int) sapbtp.Subaccount { return m.sim.Subaccount(i) }

func (m *many) marshal(v any) []byte {
	m.t.Helper()
	out, err := json.Marshal(v)
	require.NoError(m.t, err)
	return out
}

// write puts the key of a subaccount into the watched folder, in one of the forms.
func (m *many) write(i, form int) {
	m.t.Helper()
	files := carriers[form%len(carriers)](m, i)
	m.paths[i] = m.path(m.name(i) + "-" + strconv.Itoa(form))
	if content, single := files[""]; single {
		m.save(filepath.Join("keys", filepath.Base(m.paths[i])), content)
		return
	}
	temporary := m.path("temporary")
	require.NoError(m.t, os.Mkdir(temporary, 0o700))
	for name, content := range files {
		require.NoError(m.t, os.WriteFile(filepath.Join(temporary, name), content, 0o600))
	}
	require.NoError(m.t, os.Rename(temporary, m.paths[i]))
}

// remove takes the key of a subaccount away.
func (m *many) remove(i int) {
	m.t.Helper()
	require.NoError(m.t, os.RemoveAll(m.paths[i]))
}

// breakSome adds keys that cannot be used, and gives their paths.
func (m *many) breakSome() (paths []string) {
	m.t.Helper()
	for name, text := range map[string]string{
		"broken-empty.json": "", "broken-half.json": `{"uaa": {"clientid": "sb-1`, "broken-other.json": `{"hello": "world"}`,
		"broken-secretless.json": `{"url": "https://127.0.0.1", "uaa": {"clientid": "sb-1", "url": "https://127.0.0.1"}}`,
		"broken-http.json":       `{"url": "http://example.com", "uaa": {"clientid": "sb-1", "clientsecret": "x", "url": "http://example.com"}}`,
	} {
		m.save("keys/"+name, []byte(text))
		paths = append(paths, m.path("keys/"+name))
	}
	return paths
}
