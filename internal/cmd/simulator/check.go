// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
)

// check refuses flags that would otherwise be ignored: numbers that make no sense, and what is said of a service that is left out.
func check(set *flag.FlagSet) error {
	var errs []error
	set.Visit(func(f *flag.Flag) {
		if _, text := f.Value.(flag.Getter).Get().(string); !text && strings.HasPrefix(f.Value.String(), "-") {
			errs = append(errs, fmt.Errorf("-%s is %s: it cannot be negative", f.Name, f.Value))
		}
		if f.Name != "saas-listen" && strings.HasPrefix(f.Name, "saas-") && set.Lookup("saas-listen").Value.String() == "" {
			errs = append(errs, fmt.Errorf("-%s says nothing without -saas-listen, the address of the service", f.Name))
		}
	})
	if set.Lookup("subaccounts").Value.String() == "0" {
		errs = append(errs, errors.New("-subaccounts is 0: there must be one"))
	}
	return errors.Join(errs...)
}
