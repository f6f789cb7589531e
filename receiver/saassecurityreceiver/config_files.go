// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"fmt"
	"os"

	"github.com/otelcol-audit/otelcol-audit/internal/dryrun"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// validateFiles says what is wrong with the files that the configuration names, when the Collector is asked to validate it.
// A start does not look: client_secret_file is read at use and may come later.
func (c *Config) validateFiles() error {
	if !dryrun.Active() {
		return nil
	}
	errs := []error{httpcall.CheckFiles(&c.ClientConfig)}
	if c.ClientSecretFile != "" {
		_, err := c.secret()
		errs = append(errs, err)
	}
	_, err := c.keyring()
	return errors.Join(append(errs, err)...)
}

// keyring returns the keys of encryption_key_file, nil if there is none.
func (c *Config) keyring() (*spool.Keyring, error) {
	path := c.Spool.EncryptionKeyFile
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("spool::encryption_key_file: %w", err)
	}
	keys, err := spool.ParseKeyring(string(text))
	if err != nil {
		return nil, fmt.Errorf("spool::encryption_key_file %s: %w", path, err)
	}
	return keys, nil
}
