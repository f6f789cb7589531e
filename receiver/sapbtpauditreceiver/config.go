// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otelcol-audit/otelcol-audit/internal/reoffer"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// Values of Config.Body.
const (
	bodyMap    = "map"
	bodyString = "string"
)

// Config is the configuration of the sap_btp_audit receiver. The credentials
// come from exactly one of: the explicit fields (TokenURL, ClientID, …),
// ServiceKey, ServiceKeys, or the authenticator extension in ClientConfig.Auth.
type Config struct {
	// ClientConfig configures the HTTP client for the API and for the token
	// service. Its Endpoint is the field url of the service key, and is needed
	// unless a service key says it. Timeout (default 120s) bounds one request.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// TokenURL is the token service: the service key's uaa.url for a client
	// secret, its uaa.certurl for a certificate. /oauth/token is appended
	// unless it is there. No default.
	TokenURL string `mapstructure:"token_url,omitempty"`

	// ClientID is the service key's uaa.clientid. No default.
	ClientID string `mapstructure:"client_id,omitempty"`

	// ClientSecret is the service key's uaa.clientsecret. No default.
	ClientSecret configopaque.String `mapstructure:"client_secret,omitempty"`

	// ClientSecretFile is the path of a file that holds the client secret
	// instead. It is read at use, not at start. No default.
	ClientSecretFile string `mapstructure:"client_secret_file,omitempty"`

	// AuthType is client_secret or mtls. Default: inferred from the
	// credentials. Certificate and key for mtls are tls.cert_pem and
	// tls.key_pem, or tls.cert_file and tls.key_file.
	AuthType servicekey.AuthType `mapstructure:"auth_type,omitempty"`

	// ServiceKey is the service key itself, as JSON, in any carrier: the bare
	// key, {"credentials": {…}}, or a whole VCAP_SERVICES. It may be written
	// as text, as a map, or as ${env:…} or ${file:…}. The Collector turns "$$"
	// in such values into "$"; ServiceKeys is free of that. No default.
	ServiceKey configopaque.String `mapstructure:"service_key,omitempty"`

	// ServiceKeys lists paths or globs; every match is the key of one
	// subaccount: a JSON file, or a directory with one file per field. Default: none.
	ServiceKeys []string `mapstructure:"service_keys,omitempty"`

	// StorageID names a storage extension that keeps the receiver's state over
	// restarts. Default: none, the state is lost with the process.
	StorageID *component.ID `mapstructure:"storage,omitempty"`

	// PollInterval is within what time an event is delivered after SAP shows it, once
	// all older ones are. Polls come a tenth earlier, for the time that they take. Default 1m.
	PollInterval time.Duration `mapstructure:"poll_interval"`

	// InitialLookback is how far before its first start the receiver begins
	// to read, up to 2160h, the retention of SAP. Default 0s: from now on.
	InitialLookback time.Duration `mapstructure:"initial_lookback"`

	// Sweeps are the delays at which time is read again for events that SAP
	// shows late, ascending from 0s to at most 24h. Default 0s, 2m, 5m, 10m, 20m,
	// 40m, 90m, 3h, 6h.
	Sweeps []time.Duration `mapstructure:"sweeps"`

	// MaxEventsPerPoll is the number of records taken from one subaccount
	// before the next one's turn, at least one page of 500. Default 5000.
	MaxEventsPerPoll int `mapstructure:"max_events_per_poll"`

	// RequestsPerSecond bounds the API requests of one subaccount. Default 0:
	// what SAP documents for the region, 8 or 4.
	RequestsPerSecond float64 `mapstructure:"requests_per_second,omitempty"`

	// Concurrency is the number of windows read in parallel per subaccount
	// while catching up, 1 to 16. Default 4.
	Concurrency int `mapstructure:"concurrency"`

	// Categories restricts what is read to these categories (audit.security-events,
	// audit.configuration, audit.data-access, audit.data-modification). Default: all.
	Categories []string `mapstructure:"categories,omitempty"`

	// DropOwnEvents drops, and counts, the records that the receiver's own
	// reading causes. Default false.
	DropOwnEvents bool `mapstructure:"drop_own_events"`

	// Body is the form of the log body: map, the parsed event, or string, the
	// record as received. Default map.
	Body string `mapstructure:"body"`

	// IncludeOriginal also puts the record as received into the attribute
	// log.record.original. Default false.
	IncludeOriginal bool `mapstructure:"include_original"`

	// RetryOnFailure configures the retries of delivery to the next consumer.
	// Default: endless (max_elapsed_time 0).
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Quarantine says how often events that the next consumer refused for good
	// are offered to it again. Default: at each start and every 24h.
	Quarantine reoffer.Config `mapstructure:"quarantine"`

	// LeaderElectorID names a leader elector extension; only the leader reads.
	// Default: none, every instance reads.
	LeaderElectorID *component.ID `mapstructure:"k8s_leader_elector,omitempty"`
}

const (
	defaultTimeout          = 120 * time.Second
	defaultPollInterval     = time.Minute
	defaultMaxEventsPerPoll = 5000
	defaultConcurrency      = 4
)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	// Large pages are slow at SAP; confighttp's own default is to wait for ever.
	client.Timeout = defaultTimeout

	retry := configretry.NewDefaultBackOffConfig()
	// Giving up would lose audit events; configretry's own default is 5 minutes.
	retry.MaxElapsedTime = 0

	return &Config{
		ClientConfig: client,
		PollInterval: defaultPollInterval,
		// Each about twice the one before, so that an event comes within about twice its own lateness.
		Sweeps: []time.Duration{
			0, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 90 * time.Minute, 3 * time.Hour,
			6 * time.Hour,
		},
		MaxEventsPerPoll: defaultMaxEventsPerPoll,
		Concurrency:      defaultConcurrency,
		Body:             bodyMap,
		RetryOnFailure:   retry,
		Quarantine:       reoffer.NewDefaultConfig(),
	}
}
