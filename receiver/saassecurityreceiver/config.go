// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configretry"

	"github.com/otelcol-audit/otelcol-audit/internal/reoffer"
)

// Values of Config.Body.
const (
	bodyMap    = "map"
	bodyString = "string"
)

// Config is the configuration of the saas_security receiver. The credentials
// are ClientID with ClientSecret or ClientSecretFile, or come from the
// authenticator extension in ClientConfig.Auth.
type Config struct {
	// ClientConfig configures the HTTP client for the API and for the token
	// service. Its Endpoint is the base URL of the tenant's region. Timeout
	// (default 60s, at least 30s) bounds one read, which the API may let wait
	// for 20 seconds. A read never reuses a connection, whatever keepalive says.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// TokenURL is the token service. Default: <endpoint>/oauth/token.
	TokenURL string `mapstructure:"token_url,omitempty"`

	// ClientID is the id of an API client with the scope api_access. No default.
	ClientID string `mapstructure:"client_id,omitempty"`

	// ClientSecret is its secret. No default.
	ClientSecret configopaque.String `mapstructure:"client_secret,omitempty"`

	// ClientSecretFile is the path of a file that holds the secret instead. It
	// is read for each token request, so a new secret takes effect by itself.
	// No default.
	ClientSecretFile string `mapstructure:"client_secret_file,omitempty"`

	// StorageID names a storage extension that holds the spool. Default: none,
	// the spool is in memory and lost with the process.
	StorageID *component.ID `mapstructure:"storage,omitempty"`

	// Spool configures where events wait for their delivery.
	Spool SpoolConfig `mapstructure:"spool"`

	// PollInterval is the pause after the queue was drained, up to 30m.
	// Default 30s.
	PollInterval time.Duration `mapstructure:"poll_interval"`

	// MaxEventsPerPoll is the number of events of one poll, a multiple of 100;
	// 0 takes all that are available. A poll that ends at the limit is followed
	// by the next one at once. As a read can bring 100 events, the limit also
	// bounds how many are open at the same time. Default 1000.
	MaxEventsPerPoll int `mapstructure:"max_events_per_poll"`

	// MaxReaders is the number of parallel reads while events are waiting, 1 to
	// 30; otherwise there is one. Default 10.
	MaxReaders int `mapstructure:"max_readers"`

	// Body is the form of the log body: map, the parsed event, or string, the
	// event as received. Default map.
	Body string `mapstructure:"body"`

	// IncludeOriginal also puts the event as received into the attribute
	// log.record.original. Default false.
	IncludeOriginal bool `mapstructure:"include_original"`

	// RetryOnFailure configures the retries of delivery to the next consumer.
	// Default: endless (max_elapsed_time 0). Events stay in the spool until
	// they are accepted, even if it is disabled or has an end.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Quarantine says how often events that the next consumer refused for good
	// are offered to it again. Default: at each start and every 24h.
	Quarantine reoffer.Config `mapstructure:"quarantine"`

	// LeaderElectorID names a leader elector extension; only the leader reads.
	// Default: none, every instance reads.
	LeaderElectorID *component.ID `mapstructure:"k8s_leader_elector,omitempty"`
}

// SpoolConfig configures the spool.
type SpoolConfig struct {
	// MaxSizeMiB bounds what the spool holds, 16 to 1048576. When it is full,
	// reading stops and nothing is dropped. Default 1024.
	MaxSizeMiB int `mapstructure:"max_size_mib"`

	// EncryptionKeyFile is the path of a file with AES-256 keys, one a line as
	// base64 or hex: the first seals what is spooled, all can open it.
	// Default: none, the spool is not encrypted.
	EncryptionKeyFile string `mapstructure:"encryption_key_file,omitempty"`
}

const (
	defaultTimeout          = 60 * time.Second
	defaultPollInterval     = 30 * time.Second
	defaultMaxEventsPerPoll = 1000
	defaultMaxReaders       = 10
	defaultSpoolMiB         = 1024
)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	// A read that times out can cost its events; confighttp's own default is to wait for ever.
	client.Timeout = defaultTimeout

	retry := configretry.NewDefaultBackOffConfig()
	// Giving up would only delay events; configretry's own default is 5 minutes.
	retry.MaxElapsedTime = 0

	return &Config{
		ClientConfig:     client,
		Spool:            SpoolConfig{MaxSizeMiB: defaultSpoolMiB},
		PollInterval:     defaultPollInterval,
		MaxEventsPerPoll: defaultMaxEventsPerPoll,
		MaxReaders:       defaultMaxReaders,
		Body:             bodyMap,
		RetryOnFailure:   retry,
		Quarantine:       reoffer.NewDefaultConfig(),
	}
}

// maxBody bounds the body of one reply, and is what a read reserves in the spool: 100 events of 160 KiB each, or a quarter of
// a small spool.
func (c *Config) maxBody() int64 {
	return min(16<<20, int64(c.Spool.MaxSizeMiB)<<20/4)
}

// reservation is the room that a read takes in the spool until its reply is there: in storage a body can take a third more, and
// the envelope a little.
func (c *Config) reservation() int64 { return c.maxBody()/3*4 + 4096 }

// maxOpen bounds how many reads are open at the same time.
func (c *Config) maxOpen() int {
	if c.MaxEventsPerPoll == 0 {
		return c.MaxReaders
	}
	return max(1, min(c.MaxReaders, c.MaxEventsPerPoll/maxEventsPerRead))
}
