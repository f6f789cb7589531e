// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
)

// maxSecretFile bounds what is read as a client secret.
const maxSecretFile = 64 << 10

// tokenURL is the full URL of the token endpoint.
func (c *Config) tokenURL() string {
	if c.TokenURL != "" {
		return oauth.NormalizeTokenURL(c.TokenURL)
	}
	return oauth.NormalizeTokenURL(c.ClientConfig.Endpoint)
}

// secret returns the client secret. With client_secret_file it reads the file at each call, so that a changed secret takes
// effect with the next token.
func (c *Config) secret() (string, error) {
	if c.ClientSecretFile == "" {
		return string(c.ClientSecret), nil
	}
	raw, err := readAtMost(c.ClientSecretFile, maxSecretFile)
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err
		}
		return "", fmt.Errorf("client_secret_file %s: %w", c.ClientSecretFile, err)
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("client_secret_file %s is empty", c.ClientSecretFile)
	}
	return secret, nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return raw, err
}
