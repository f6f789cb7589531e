// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// explicitFields returns the names of the credential fields that are set.
func (c *Config) explicitFields() []string {
	var set []string
	for _, field := range []struct{ name, value string }{
		{"token_url", c.TokenURL},
		{"client_id", c.ClientID},
		{"client_secret", string(c.ClientSecret)},
		{"client_secret_file", c.ClientSecretFile},
	} {
		if field.value != "" {
			set = append(set, field.name)
		}
	}
	return set
}

// explicitKey makes a key out of the explicit fields.
func (c *Config) explicitKey() (servicekey.Key, error) {
	auth, authErr := c.explicitAuthType()
	var missing error
	if c.ClientID == "" {
		missing = errors.New("client_id is missing: set it to uaa.clientid of the service key")
	}
	if err := errors.Join(c.validateEndpoint(), c.validateTokenURL(auth), missing, authErr); err != nil {
		return servicekey.Key{}, err
	}
	key := servicekey.Key{
		Endpoint: strings.TrimRight(c.ClientConfig.Endpoint, "/"),
		TokenURL: oauth.NormalizeTokenURL(c.TokenURL),
		ClientID: c.ClientID,
		AuthType: auth,
	}
	if auth == servicekey.ClientSecret {
		key.ClientSecret = c.ClientSecret
		return key, nil
	}
	tls := &c.ClientConfig.TLS
	if tls.CertPem != "" && tls.KeyPem != "" {
		notAfter, err := servicekey.CheckPair(tls.CertPem, tls.KeyPem)
		if err != nil {
			return servicekey.Key{}, fmt.Errorf("tls.cert_pem, tls.key_pem: %w", err)
		}
		key.CertPEM, key.KeyPEM, key.NotAfter = tls.CertPem, tls.KeyPem, notAfter
	}
	return key, nil
}

// explicitAuthType returns the given or inferred kind of credentials. It is
// set even where the error says that the credentials for it are incomplete.
func (c *Config) explicitAuthType() (servicekey.AuthType, error) {
	hasSecret := c.ClientSecret != "" || c.ClientSecretFile != ""
	if c.ClientSecret != "" && c.ClientSecretFile != "" {
		return servicekey.ClientSecret, errors.New("client_secret and client_secret_file are both set; remove one of them")
	}
	switch c.AuthType {
	case servicekey.ClientSecret:
		if !hasSecret {
			return c.AuthType, errors.New("auth_type is client_secret, but there is none: set client_secret or client_secret_file")
		}
		return c.AuthType, nil
	case servicekey.MutualTLS:
		if hasSecret {
			return c.AuthType, errors.New("auth_type is mtls, which uses no client secret; remove client_secret and client_secret_file, or auth_type")
		}
		return c.AuthType, c.validatePair()
	}
	// An unknown auth_type is reported by validateAuthType.
	switch hasCert := c.hasCert() || c.hasCertKey(); {
	case hasSecret && hasCert:
		return "", errors.New("a client secret and a client certificate (tls) are both set; set auth_type to the one to use, or remove the other")
	case hasSecret:
		return servicekey.ClientSecret, nil
	case hasCert:
		return servicekey.MutualTLS, c.validatePair()
	default:
		return "", errors.New("client_secret is missing: set it, or client_secret_file, or for mTLS tls.cert_file and tls.key_file")
	}
}

func (c *Config) validatePair() error {
	switch hasCert, hasKey := c.hasCert(), c.hasCertKey(); {
	case hasCert && hasKey:
		return nil
	case hasCert:
		return errors.New("tls has a certificate without its private key; set tls.key_file or tls.key_pem (uaa.key of the service key)")
	case hasKey:
		return errors.New("tls has a private key without its certificate; set tls.cert_file or tls.cert_pem (uaa.certificate of the service key)")
	default:
		return errors.New("auth_type is mtls, but there is no certificate: set tls.cert_file and tls.key_file, or tls.cert_pem and tls.key_pem")
	}
}

func (c *Config) hasCert() bool {
	return c.ClientConfig.TLS.CertFile != "" || c.ClientConfig.TLS.CertPem != ""
}

func (c *Config) hasCertKey() bool {
	return c.ClientConfig.TLS.KeyFile != "" || c.ClientConfig.TLS.KeyPem != ""
}
