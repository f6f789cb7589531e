// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdmin(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
		admin := sim.Admin()
		ask := func(method, target, body string) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			admin.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, AdminPath+target, strings.NewReader(body)))
			return rec
		}
		require.Equal(t, http.StatusBadRequest, ask(http.MethodPost, "enqueue?n=-1", "").Code)
		require.JSONEq(t, `{"first":1,"n":120}`, ask(http.MethodPost, "enqueue?n=120", "").Body.String())

		require.Equal(t, http.StatusBadRequest, ask(http.MethodPost, "rules", "bulk nonsense").Code)
		require.Equal(t, http.StatusNoContent, ask(http.MethodPost, "rules", "status=429 times=1").Code)
		require.Equal(t, http.StatusTooManyRequests, c.bulk(t).status)
		require.Equal(t, http.StatusOK, c.bulk(t).status)

		require.JSONEq(t, `{"enqueued":120,"queued":20,"expired":0,"sent":100,"unsent":0,"dequeues":1,
			"token_requests":0,"reads_by_outcome":{"refused":1,"served":1},"credentials_in_wrong_places":0}`,
			ask(http.MethodGet, "ledger", "").Body.String())

		var full Ledger
		require.NoError(t, json.Unmarshal(ask(http.MethodGet, "ledger?full=true", "").Body.Bytes(), &full))
		require.Equal(t, numbers(1, 100), full.SentEvents())

		var reset map[string]string
		require.NoError(t, json.Unmarshal(ask(http.MethodPost, "reset-secret?revoke=true", "").Body.Bytes(), &reset))
		status, _ := c.token(t, "", wantedForm, basic(DefaultClientID, reset["client_secret"]))
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, http.StatusUnauthorized, c.bulk(t).status, "revoked")
	})
}
