// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// restorePause is the pause before a subaccount whose progress cannot be loaded while running is tried again.
const restorePause = 30 * time.Second

// sources are the subaccounts to read and their credentials, and for service_keys the watcher that follows the files.
func (t *term) sources() ([]keyfiles.Source, error) {
	if t.cfg.ClientConfig.Auth.HasValue() {
		// The authenticator extension adds the token; the receiver knows no more than the endpoint.
		return bySubaccount([]servicekey.Key{{Endpoint: t.cfg.ClientConfig.Endpoint}}), nil
	}
	if len(t.cfg.ServiceKeys) > 0 {
		t.watcher = keyfiles.New(keyfiles.Settings{
			Patterns: t.cfg.ServiceKeys, Load: t.cfg.loadKeys, Identity: identity, Logger: t.logger,
		})
		found := t.watcher.Scan()
		t.report(found.Problems)
		return found.Sources, nil
	}
	keys, err := t.cfg.credentials()
	return bySubaccount(keys), err
}

// bySubaccount makes sources of keys that the configuration itself holds; their order is that of the configuration.
func bySubaccount(keys []servicekey.Key) (sources []keyfiles.Source) {
	at := map[string]int{}
	for _, key := range keys {
		id := identity(key)
		if _, known := at[id]; !known {
			at[id] = len(sources)
			sources = append(sources, keyfiles.Source{ID: id})
		}
		source := &sources[at[id]]
		source.Credentials = append(source.Credentials, keyfiles.Credential{Key: key})
	}
	return sources
}

// follow makes what is read what the key files now say: a new subaccount is read from its stored progress or as on a first
// start, changed credentials serve the next token, and a subaccount without keys is left, its progress kept.
func (t *term) follow(now keyfiles.Snapshot) {
	t.report(now.Problems)
	gone := map[string]*subaccount{}
	for _, s := range t.list() {
		gone[s.id] = s
	}
	var joining []keyfiles.Source
	for _, source := range now.Sources {
		s, known := gone[source.ID]
		if !known {
			joining = append(joining, source)
			continue
		}
		delete(gone, source.ID)
		if err := s.reconnect(source); err != nil {
			t.logger.Error("New credentials cannot be used; the ones before stay in use", append(labels(s), zap.Error(err))...)
		}
	}
	for _, s := range gone {
		s.cancel() // all of them, before waiting for any
	}
	for _, s := range gone {
		t.leave(s)
	}
	// Last, since one that comes may be one that goes, with its keys in another form: then it goes on with that one's progress.
	for _, source := range joining {
		t.join(source)
	}
}

// join begins to read a subaccount while others are being read. A storage that fails now is no reason to stop them.
func (t *term) join(source keyfiles.Source) {
	for {
		err := t.add(t.reading, source)
		t.status.Set("storage "+source.ID, err)
		if err == nil {
			break
		}
		t.logger.Error("A new subaccount cannot be read yet; trying again", zap.String("subaccount", source.ID), zap.Error(err))
		if sleep(t.reading, restorePause) != nil {
			return
		}
	}
	t.mu.Lock()
	s := t.subaccounts[source.ID]
	t.mu.Unlock()
	t.run(s, 0)
}

// leave stops reading a subaccount and waits until nothing of it is under way, so that it can come back at once.
func (t *term) leave(s *subaccount) {
	s.cancel()
	<-s.left
	s.background.Wait()
	t.mu.Lock()
	delete(t.subaccounts, s.id)
	t.mu.Unlock()
	s.forget()
	t.logger.Info("The keys of the subaccount are gone; it is not read any more, its progress is kept", labels(s)...)
}

// report raises the status for key files that cannot be read, and lowers it for those that can again. The watcher has
// logged them.
func (t *term) report(problems map[string]error) {
	for path := range t.problems {
		if _, still := problems[path]; !still {
			delete(t.problems, path)
			t.status.Set("service key "+path, nil)
		}
	}
	for path, err := range problems {
		t.problems[path] = struct{}{}
		t.status.Set("service key "+path, err)
	}
}

// identity names the subaccount in storage and telemetry. It must not change when credentials do: the tenant, or where no
// carrier says it the subdomain of the token service, which is the same for secrets and certificates.
func identity(key servicekey.Key) string {
	if key.TenantID != "" {
		return key.TenantID
	}
	for _, raw := range []string{key.TokenURL, key.Endpoint} {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			host := strings.Replace(u.Host, ".authentication.cert.", ".authentication.", 1)
			return host + strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/oauth/token")
		}
	}
	return "subaccount"
}
