// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Command catalogue writes the catalogue of the events of sap_btp_audit, receiver/sapbtpauditreceiver/events.md, out of the golden files of
// testdata, their OCSF events in examples/ocsf and the Sigma rules in examples/detections. Run it by make generate.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

const file = "receiver/sapbtpauditreceiver/events.md"

func main() {
	root := flag.String("root", ".", "the module's root")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "catalogue:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	text, err := catalogue(root)
	if err != nil {
		return err
	}
	return os.WriteFile(below(root, file), text, 0o644) //nolint:gosec // a document
}

// catalogue is the text of the file.
func catalogue(root string) ([]byte, error) {
	events, err := readEvents(root)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(root)
	if err != nil {
		return nil, err
	}
	return write(kindsOf(events), rules)
}

// below is a file of the module, whose name has slashes.
func below(root, name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
