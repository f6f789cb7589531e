// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const (
	maxLookback    = 2160 * time.Hour // retention at SAP, 90 days (SAP-docs adaefa6)
	maxSweepDelay  = 24 * time.Hour
	maxConcurrency = 16
	pageSize       = 500 // of the API, fixed (SAP-docs 30ece35)
)

// categories are the values of the API's category filter (SAP-docs 30ece35).
var categories = []string{"audit.security-events", "audit.configuration", "audit.data-access", "audit.data-modification"}

var errRequestsPerSecond = errors.New("requests_per_second must be greater than 0; remove it to use the rate that SAP documents for the region")

// errCookies is because subaccounts share an HTTP client, and so its cookies: the session of one would go with the tokens of another.
var errCookies = errors.New("cookies are one jar for all subaccounts, and cannot be enabled")

// Validate checks the configuration and returns everything that is wrong with
// it: each error names the key, the conflict and the cure, and no secret.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateCredentials(),
		c.validateAuthType(),
		c.validateClient(),
		c.validateReading(),
		c.validateSweeps(),
		c.validateCategories(),
		c.validateBody(),
		c.validateFiles(),
		c.Quarantine.Check("quarantine"),
	)
}

// validateCredentials checks that exactly one source supplies the credentials,
// and what that source supplies.
func (c *Config) validateCredentials() error {
	var sources []string
	if explicit := c.explicitFields(); len(explicit) > 0 {
		sources = append(sources, strings.Join(explicit, ", "))
	}
	if c.ServiceKey != "" {
		sources = append(sources, serviceKeyName)
	}
	if len(c.ServiceKeys) > 0 {
		sources = append(sources, "service_keys")
	}
	if c.ClientConfig.Auth.HasValue() {
		sources = append(sources, "auth")
	}
	switch {
	case len(sources) == 0:
		return errors.New("credentials are missing: set service_key (the JSON of one service key), service_keys (paths of several), " +
			"auth (an authenticator), or token_url and client_id with client_secret, client_secret_file or a certificate in tls")
	case len(sources) > 1:
		return fmt.Errorf("credentials come from more than one source, from %s; keep one and remove the other",
			strings.Join(sources, " and from "))
	case len(c.ServiceKeys) > 0:
		return c.validateServiceKeys()
	case c.ClientConfig.Auth.HasValue():
		return c.validateEndpoint()
	}
	keys, err := c.credentials()
	if err != nil || c.ServiceKey == "" {
		return err
	}
	return c.validateServiceKey(keys)
}

// validateServiceKey checks what else is set beside the keys of service_key.
func (c *Config) validateServiceKey(keys []servicekey.Key) error {
	for _, key := range keys {
		if set := strings.TrimRight(c.ClientConfig.Endpoint, "/"); set != "" && set != key.Endpoint {
			return errors.New("endpoint differs from the url in service_key, which belongs to the credentials; remove endpoint")
		}
		if identity(key) != identity(keys[0]) && c.ClientConfig.Cookies.HasValue() {
			return fmt.Errorf("%w beside a service_key of several subaccounts; remove cookies, or give each a receiver of its own", errCookies)
		}
		if key.KeyPEM != "" && (c.hasCert() || c.hasCertKey()) {
			return errors.New("service_key and tls both have a client certificate; remove certificate and key from tls")
		}
	}
	return nil
}

func (c *Config) validateServiceKeys() error {
	var errs []error
	if c.ClientConfig.Endpoint != "" {
		errs = append(errs, errors.New("endpoint is set beside service_keys, each of which has its own url; remove endpoint"))
	}
	if c.ClientConfig.Cookies.HasValue() {
		errs = append(errs, fmt.Errorf("%w beside service_keys; remove cookies", errCookies))
	}
	for i, pattern := range c.ServiceKeys {
		_, err := filepath.Match(pattern, "")
		switch {
		case strings.TrimSpace(pattern) == "":
			errs = append(errs, fmt.Errorf("service_keys[%d] is empty; give a path or a glob, or remove it", i))
		case strings.HasPrefix(strings.TrimSpace(pattern), "{"):
			// Not a path but the secret itself; also keeps it out of later messages.
			errs = append(errs, fmt.Errorf("service_keys[%d] is a service key itself, not its path; use service_key for that", i))
		case err != nil:
			errs = append(errs, fmt.Errorf("service_keys[%d] is not a valid glob; check its brackets and backslashes", i))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) validateAuthType() error {
	switch {
	case c.AuthType == "":
		return nil
	case c.AuthType != servicekey.ClientSecret && c.AuthType != servicekey.MutualTLS:
		return fmt.Errorf("auth_type must be %s or %s; remove it to have it inferred", servicekey.ClientSecret, servicekey.MutualTLS)
	case c.ClientConfig.Auth.HasValue():
		return errors.New("auth_type is set beside auth, whose authenticator alone decides that; remove auth_type")
	}
	return nil
}

func (c *Config) validateClient() error {
	errs := []error{httpcall.CheckClient(&c.ClientConfig)}
	if c.ClientConfig.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout must be greater than 0: a request without limit can hang for ever; the default is %s", defaultTimeout))
	}
	return errors.Join(errs...)
}

func (c *Config) validateReading() error {
	var errs []error
	if c.PollInterval <= 0 {
		errs = append(errs, fmt.Errorf("poll_interval must be greater than 0; the default is %s", defaultPollInterval))
	}
	if c.InitialLookback < 0 || c.InitialLookback > maxLookback {
		errs = append(errs, errors.New("initial_lookback must be from 0s (begin now) to 2160h, the 90 days for which SAP keeps events"))
	}
	if c.MaxEventsPerPoll < pageSize {
		errs = append(errs, fmt.Errorf("max_events_per_poll must be at least %d, the page size of the API; the default is %d", pageSize, defaultMaxEventsPerPoll))
	}
	if rate := c.RequestsPerSecond; rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		errs = append(errs, errRequestsPerSecond)
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		errs = append(errs, fmt.Errorf("concurrency must be from 1 to %d; the default is %d", maxConcurrency, defaultConcurrency))
	}
	return errors.Join(errs...)
}

func (c *Config) validateSweeps() error {
	if len(c.Sweeps) == 0 || c.Sweeps[0] != 0 {
		return errors.New("sweeps must begin with 0s, the reading of what is visible at once")
	}
	for i := 1; i < len(c.Sweeps); i++ {
		if c.Sweeps[i] <= c.Sweeps[i-1] {
			return fmt.Errorf("sweeps must ascend, but sweeps[%d] is not greater than the one before it", i)
		}
	}
	if c.Sweeps[len(c.Sweeps)-1] > maxSweepDelay {
		return errors.New("sweeps must not be longer than 24h")
	}
	return nil
}

func (c *Config) validateCategories() error {
	for i, category := range c.Categories {
		if !slices.Contains(categories, category) {
			return fmt.Errorf("categories[%d] is not a category of the API; it has %s. Remove categories to read all",
				i, strings.Join(categories, ", "))
		}
	}
	return nil
}

func (c *Config) validateBody() error {
	if c.Body != bodyMap && c.Body != bodyString {
		return fmt.Errorf("body must be %s (the parsed event) or %s (the record as received)", bodyMap, bodyString)
	}
	return nil
}
