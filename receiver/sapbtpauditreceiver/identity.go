// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/landscape"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// errMisplaced says that a key was taken for that of another subaccount until its token told. Its events would arrive twice,
// or as those of the other.
var errMisplaced = errors.New("the key turns out to be one of another subaccount and is moved there; " +
	"if it does not come from service_keys, that takes a restart")

// identity names the subaccount in storage and telemetry. It must not change when credentials do: the tenant, or where no
// carrier says it the subdomain of the token service, which is the same for secrets and certificates.
func identity(key servicekey.Key) string {
	if key.TenantID != "" {
		return key.TenantID
	}
	return tokenHost(key)
}

func tokenHost(key servicekey.Key) string {
	for _, raw := range []string{key.TokenURL, key.Endpoint} {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			host := strings.Replace(u.Host, ".authentication.cert.", ".authentication.", 1)
			return host + strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/oauth/token")
		}
	}
	return "subaccount"
}

// bySubaccount makes sources of keys that the configuration itself holds; their order is that of the configuration.
func bySubaccount(keys []servicekey.Key) []keyfiles.Source { return grouped(keys, identity) }

func grouped(keys []servicekey.Key, id func(servicekey.Key) string) (sources []keyfiles.Source) {
	at := map[string]int{}
	for _, key := range keys {
		id := id(key)
		if _, known := at[id]; !known {
			at[id] = len(sources)
			sources = append(sources, keyfiles.Source{ID: id})
		}
		source := &sources[at[id]]
		source.Credentials = append(source.Credentials, keyfiles.Credential{Key: key})
	}
	return sources
}

// ofOneSubaccount reports whether the token service's host belongs to one subaccount, as SAP's do.
func ofOneSubaccount(tokenURL string) bool {
	u, err := url.Parse(tokenURL)
	return err == nil && landscape.IsSAP(u.Hostname()) && landscape.IsTokenHost(u.Hostname())
}

// names finds the subaccount of keys that do not name their tenant, as Kyma's, among the tenants that other keys name, so
// that it is not read twice. It goes by what a token of the key has said, now or before a restart; until one has, by the
// token host, if that is one of SAP's, which belong to one subaccount each.
type names struct {
	storage storage.Client
	logger  *zap.Logger

	mu      sync.Mutex
	learned map[string]string   // tenant by account
	tenants map[string]struct{} // that keys name
	hosts   map[string]string   // tenant by SAP's token host; "" if there are several
	gateways
	present map[string]struct{} // identities of the keys that there are
}

func newNames(client storage.Client, logger *zap.Logger) *names {
	return &names{storage: client, logger: logger, learned: map[string]string{}, gateways: newGateways()}
}

// account tells keys without tenant apart, also those behind the token host of a gateway.
func account(key servicekey.Key) string { return tokenHost(key) + " " + key.ClientID }

// of is the identity of one of the keys that survey was told of.
func (n *names) of(key servicekey.Key) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.identity(key)
}

func (n *names) identity(key servicekey.Key) string {
	if key.TenantID != "" {
		return key.TenantID
	}
	host := tokenHost(key)
	tenant, known := n.learned[account(key)]
	if _, named := n.tenants[tenant]; named {
		return tenant
	}
	if known {
		return n.behind(host, account(key), n.learned)
	}
	tenant = n.hosts[host]
	if _, named := n.tenants[tenant]; named {
		return tenant
	}
	return n.behind(host, account(key), n.learned)
}

// survey is told of all keys that there are.
func (n *names) survey(keys []servicekey.Key) {
	tenants, hosts, behind := map[string]struct{}{}, map[string]string{}, map[string][]string{}
	for _, key := range keys {
		host := tokenHost(key)
		if key.TenantID == "" {
			// Of a gateway, divide judges. SAP's token hosts are those of one subaccount each, whatever the note says.
			_ = n.recall(account(key))
			if !ofOneSubaccount(key.TokenURL) {
				behind[host] = append(behind[host], account(key))
			}
			continue
		}
		tenants[key.TenantID] = struct{}{}
		if !ofOneSubaccount(key.TokenURL) {
			continue
		}
		if other, known := hosts[host]; known && other != key.TenantID {
			hosts[host] = ""
		} else {
			hosts[host] = key.TenantID
		}
	}
	for host, accounts := range behind {
		n.divide(host, accounts)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tenants, n.hosts, n.present = tenants, hosts, map[string]struct{}{}
	for _, key := range keys {
		n.present[n.identity(key)] = struct{}{}
	}
}

// tenantOf is the tenant of a source; "" while none of its keys has told.
func (n *names) tenantOf(source keyfiles.Source) (tenant string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range source.Credentials {
		if c.Key.TenantID != "" {
			return c.Key.TenantID
		}
		if tenant == "" {
			tenant = n.learned[account(c.Key)]
		}
	}
	return tenant
}

// learn keeps what a token has said about its key.
func (n *names) learn(ctx context.Context, key servicekey.Key, tenant string) {
	n.mu.Lock()
	known := n.learned[account(key)] == tenant
	n.learned[account(key)] = tenant
	own, apart := n.apart[account(key)]
	if shared := n.sharing(account(key), n.learned); apart && !known && shared != "" {
		own = shared
		n.apart[account(key)] = own
	}
	n.mu.Unlock()
	if known {
		return
	}
	if apart {
		n.note(ctx, noteApart(account(key)), own)
		n.note(ctx, noteState(tenant), own+"/")
	}
	n.note(ctx, noteOf(account(key)), tenant) // without it the next token tells it again
}

// recall takes up what was learned before a restart. There is an error if something was that cannot be read.
func (n *names) recall(account string) error {
	n.mu.Lock()
	_, known := n.learned[account]
	n.mu.Unlock()
	if known {
		return nil
	}
	tenant, err := n.noted(noteOf(account))
	if tenant == "" {
		return err // then a token has to tell
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.learned[account]; !known {
		n.learned[account] = tenant
	}
	return nil
}

func (n *names) note(ctx context.Context, note, text string) {
	if err := durable.Save(ctx, n.storage, note, checkpointVersion, text); err != nil {
		n.logger.Debug("What was learned of a key could not be noted", zap.Error(err))
	}
}

// noted is what a note says; "" if there is none. An error says that there may be one: nothing may be decided for good then.
func (n *names) noted(note string) (text string, err error) {
	err = durable.Load(context.Background(), n.storage, note, checkpointVersion, &text)
	if errors.Is(err, durable.ErrAbsent) {
		return "", nil
	}
	return text, err
}

func noteOf(account string) string { return "tenant of " + account }
