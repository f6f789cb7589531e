// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

const (
	// maxEventsPerRead is the most events that one reply brings.
	maxEventsPerRead = 100

	// expiry is how long the vendor keeps an event that nobody reads.
	expiry = time.Hour

	minTimeout      = 30 * time.Second // an empty queue may answer after 20 s
	maxPollInterval = 30 * time.Minute // half of expiry
	maxReaders      = 30
	minSpoolMiB     = 16
	maxSpoolMiB     = 1 << 20
)

// regions are the known hosts of the API; the UI and the vendor's own words for the regions vary.
var regions = map[string]string{
	"us":   "api.aperture.paloaltonetworks.com",
	"eu":   "api.aperture-eu.paloaltonetworks.com",
	"apac": "api.aperture-apac.paloaltonetworks.com",
	"uk":   "api.aperture-uk.paloaltonetworks.com",
	"uk2":  "api.uk2.prisma-saas.paloaltonetworks.com",
	"in1":  "api.in1.prisma-saas.paloaltonetworks.com",
	"au1":  "api.au1.prisma-saas.paloaltonetworks.com",
	"jp1":  "api.jp1.prisma-saas.paloaltonetworks.com",
}

// Validate checks the configuration and returns everything that is wrong with
// it: each error names the key, the conflict and the cure, and no secret.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateEndpoint(),
		c.validateTokenURL(),
		c.validateCredentials(),
		c.validateClient(),
		c.validateReading(),
		c.validateBody(),
		c.validateFiles(),
		c.Quarantine.Check("quarantine"),
	)
}

// validateEndpoint checks the API URL. As with all URLs, errors do not quote
// it: a URL can hold a password.
func (c *Config) validateEndpoint() error {
	raw := c.ClientConfig.Endpoint
	if raw == "" {
		return fmt.Errorf("endpoint is missing: set it to the URL of your region, such as https://%s; the README lists all", regions["us"])
	}
	if host, ok := regions[strings.ToLower(raw)]; ok {
		return fmt.Errorf("endpoint is a region, not a URL; set it to https://%s", host)
	}
	u, err := httpcall.CheckEndpoint("endpoint", raw, c.ClientConfig.TLS.Insecure)
	if err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/oauth/token"):
		return errors.New("endpoint ends in /oauth/token, which the receiver appends itself; remove it, or set token_url")
	case strings.Contains(u.Path, "/api/v1"):
		return errors.New("endpoint contains the path /api/v1, which the receiver appends itself; remove it from endpoint")
	case slices.Contains(slices.Collect(maps.Values(regions)), "api."+strings.ToLower(u.Hostname())):
		return errors.New("endpoint is the host of the user interface; that of the API has the same name after \"api.\"")
	}
	return nil
}

func (c *Config) validateTokenURL() error {
	if c.TokenURL == "" {
		return nil
	}
	if c.ClientConfig.Auth.HasValue() {
		return errors.New("token_url is set beside auth, whose authenticator alone gets the tokens; remove token_url")
	}
	u, err := httpcall.CheckEndpoint("token_url", c.TokenURL, c.ClientConfig.TLS.Insecure)
	if err == nil && strings.Contains(u.Path, "/api/v1") {
		err = errors.New("token_url is an address of the API, not of the token service; remove it to use <endpoint>/oauth/token")
	}
	return err
}

func (c *Config) validateCredentials() error {
	explicit := c.ClientID != "" || c.ClientSecret != "" || c.ClientSecretFile != ""
	switch {
	case c.ClientConfig.Auth.HasValue() && explicit:
		return errors.New("credentials come from more than one source, from auth and from client_id, client_secret or client_secret_file; " +
			"keep one and remove the other")
	case c.ClientConfig.Auth.HasValue():
		return nil
	case c.ClientID == "":
		return errors.New("client_id is missing: set it to the id of an API client with log access (scope api_access)")
	case c.ClientSecret == "" && c.ClientSecretFile == "":
		return errors.New("client_secret is missing: set it, or client_secret_file; the secret is shown only once, " +
			"and a reset ends the old one at once")
	case c.ClientSecret != "" && c.ClientSecretFile != "":
		return errors.New("client_secret and client_secret_file are both set; keep one and remove the other")
	}
	return nil
}

func (c *Config) validateClient() error {
	errs := []error{httpcall.CheckClient(&c.ClientConfig)}
	if c.ClientConfig.Timeout < minTimeout {
		errs = append(errs, fmt.Errorf("timeout must be at least %s: the API lets a read wait for up to 20 s, and a read that is given up "+
			"can lose 100 events; the default is %s", minTimeout, defaultTimeout))
	}
	return errors.Join(errs...)
}

func (c *Config) validateReading() error {
	var errs []error
	if c.PollInterval <= 0 || c.PollInterval > maxPollInterval {
		errs = append(errs, fmt.Errorf("poll_interval must be greater than 0 and at most 30m, as events that are not read within an hour are gone; "+
			"the default is %s", defaultPollInterval))
	}
	if c.MaxEventsPerPoll < 0 || c.MaxEventsPerPoll%maxEventsPerRead != 0 {
		errs = append(errs, fmt.Errorf("max_events_per_poll must be a multiple of %d, the most events of one read, or 0 for all that are available; "+
			"the default is %d", maxEventsPerRead, defaultMaxEventsPerPoll))
	}
	if c.MaxReaders < 1 || c.MaxReaders > maxReaders {
		errs = append(errs, fmt.Errorf("max_readers must be from 1 to %d; the default is %d", maxReaders, defaultMaxReaders))
	}
	if c.Spool.MaxSizeMiB < minSpoolMiB || c.Spool.MaxSizeMiB > maxSpoolMiB {
		errs = append(errs, fmt.Errorf("spool::max_size_mib must be from %d to %d, which is 1 TiB; the default is %d", minSpoolMiB, maxSpoolMiB, defaultSpoolMiB))
	}
	return errors.Join(errs...)
}

func (c *Config) validateBody() error {
	if c.Body != bodyMap && c.Body != bodyString {
		return fmt.Errorf("body must be %s (the parsed event) or %s (the event as received)", bodyMap, bodyString)
	}
	return nil
}
