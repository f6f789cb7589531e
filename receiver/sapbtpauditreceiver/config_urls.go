// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/landscape"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const (
	apiPath      = "/auditlog/v2"
	endpointCure = "set it to the field url of the service key, as in https://auditlog-management.cfapps.<region>.hana.ondemand.com"
	uaaURLCure   = "set it to uaa.url of the service key for a client secret, to uaa.certurl for a certificate"
	httpCure     = "it would carry tokens and events unencrypted; use https, or set tls.insecure: true"
)

// validateEndpoint checks the API URL. As with all URLs, errors do not quote
// it: a URL can hold a password.
func (c *Config) validateEndpoint() error {
	u, err := c.parseURL("endpoint", c.ClientConfig.Endpoint, endpointCure)
	if err != nil {
		return err
	}
	switch host := u.Hostname(); {
	case landscape.IsTokenHost(host) || isTokenPath(u):
		return errors.New("endpoint is the token service (uaa.url), not the audit log API; " + endpointCure)
	case landscape.IsSAP(host) && !landscape.IsAuditLog(host):
		return errors.New("endpoint is a host of SAP, but not of auditlog-management; " + endpointCure)
	case strings.Contains(u.Path, apiPath):
		return fmt.Errorf("endpoint contains the path %s, which the receiver appends itself; remove it from endpoint", apiPath)
	}
	return nil
}

// validateTokenURL checks the token URL for the given kind of credentials.
func (c *Config) validateTokenURL(auth servicekey.AuthType) error {
	u, err := c.parseURL("token_url", c.TokenURL, uaaURLCure)
	if err != nil {
		return err
	}
	switch host := u.Hostname(); {
	case landscape.IsAuditLog(host):
		return errors.New("token_url is the audit log API, not the token service; " + uaaURLCure)
	case auth == servicekey.ClientSecret && landscape.IsCertTokenHost(host):
		return errors.New("token_url is the host for certificates (authentication.cert), but the credentials are a client secret; " +
			"set token_url to uaa.url of the service key, or give a certificate in tls")
	case auth == servicekey.MutualTLS && landscape.IsTokenHost(host) && !landscape.IsCertTokenHost(host):
		return errors.New("token_url is the host for client secrets, but the credentials are a certificate; " +
			"set token_url to uaa.certurl of the service key (authentication.cert)")
	}
	return nil
}

func (c *Config) parseURL(name, text, cure string) (*url.URL, error) {
	if text == "" {
		return nil, fmt.Errorf("%s is missing: %s", name, cure)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, fmt.Errorf("%s is not an https URL; %s", name, cure)
	case u.User != nil:
		return nil, fmt.Errorf("%s contains a user or password; remove it, credentials have their own keys", name)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s contains a query or fragment; remove it", name)
	case c.isForbiddenHTTP(u):
		return nil, fmt.Errorf("%s is http: %s", name, httpCure)
	}
	return u, nil
}

// isForbiddenHTTP reports whether u is unencrypted without being allowed to be.
func (c *Config) isForbiddenHTTP(u *url.URL) bool {
	return u.Scheme == "http" && !c.ClientConfig.TLS.Insecure && !isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

func isTokenPath(u *url.URL) bool {
	return strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/oauth/token")
}
