// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/otelcol-audit/otelcol-audit/internal/dryrun"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// validateFiles says what is wrong with the files that the configuration names, when the Collector is asked to validate it.
// A start does not look: key files may come later and one that cannot be read takes nothing from the others, so that the
// receiver tells of them in log and status; and what its clients need, their building tells.
func (c *Config) validateFiles() error {
	if !dryrun.Active() {
		return nil
	}
	client := c.ClientConfig
	errs := []error{c.checkKeyFiles()}
	if c.ClientSecretFile != "" {
		_, err := readSecret(c.ClientSecretFile)
		errs = append(errs, err)
	}
	if c.hasCert() && c.hasCertKey() {
		_, err := newPairFiles(client.TLS, nil, nil) // looks once, and has nothing to report yet
		errs = append(errs, err)
		client.TLS.CertFile, client.TLS.CertPem, client.TLS.KeyFile, client.TLS.KeyPem = "", "", "", ""
	}
	return errors.Join(append(errs, httpcall.CheckFiles(&client))...)
}

// checkKeyFiles looks at service_keys as a start does, and returns what a start would warn of.
func (c *Config) checkKeyFiles() error {
	if len(c.ServiceKeys) == 0 || c.validateServiceKeys() != nil { // where a pattern may be a key itself
		return nil
	}
	found := keyfiles.New(keyfiles.Settings{Patterns: c.ServiceKeys, Load: c.loadKeys, Identity: identity}).Scan()
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(found.Problems)) {
		cure := ""
		switch err := found.Problems[path]; {
		case errors.Is(err, fs.ErrNotExist):
			cure = "; check the path. A running Collector waits for it, and reads the key as soon as it is there"
		case errors.Is(err, fs.ErrPermission):
			cure = "; let the user that runs the Collector read it"
		}
		errs = append(errs, fmt.Errorf("service_keys: %s: %w%s", path, found.Problems[path], cure))
	}
	return errors.Join(errs...)
}
