// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const head = `<!-- Written by make generate out of testdata and examples. Do not edit. -->

# Events of SAP BTP

What the producers of the audit log of SAP BTP write, as far as it is documented or has been published. SAP has no such list. Each type
is shown with the ` + "`message`" + ` of a sample record, the answers that ` + "`sap_btp_audit`" + ` makes of it (see the [README](README.md#six-answers)), all outcomes that the samples have, the
class that [examples/ocsf](../../examples/ocsf/README.md) gives it, and the detections of [examples/detections](../../examples/detections)
that look at this type; those that look at all types, such as for silence, are not named. The values are made up.
`

// write writes the catalogue.
func write(kinds []*kind, rules []rule) ([]byte, error) {
	text := bytes.NewBufferString(head)
	text.WriteString("\n| producer | types |\n|---|---|\n")
	for _, producer := range producers {
		var names []string
		for _, k := range kinds {
			if k.producer == producer {
				names = append(names, code(k.name))
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(text, "| %s | %s |\n", producer, strings.Join(names, ", "))
		}
	}
	producer := ""
	for _, k := range kinds {
		if k.producer != producer {
			producer = k.producer
			fmt.Fprintf(text, "\n## %s\n", producer)
		}
		if err := k.write(text, rules); err != nil {
			return nil, err
		}
	}
	if unseen := without(kinds, rules); len(unseen) > 0 {
		fmt.Fprintf(text, "\n## Detections without a sample\n\nNone of these samples is of a type that they look at: %s.\n", strings.Join(unseen, ", "))
	}
	return text.Bytes(), nil
}

// without is the rules about types that no event is of.
func without(kinds []*kind, rules []rule) (links []string) {
	for _, r := range rules {
		read := func(k *kind) bool { return slices.ContainsFunc(k.events, r.reads) }
		if r.hasType() && !slices.ContainsFunc(kinds, read) {
			links = addTo(links, r.link())
		}
	}
	return links
}

func (r rule) link() string {
	return fmt.Sprintf("[%s](../../examples/detections/sigma/%s.yml)", r.name, r.name)
}

func (k *kind) write(text *bytes.Buffer, rules []rule) error {
	sample, err := k.sample.sample()
	if err != nil {
		return err
	}
	a := k.sample.attributes
	var outcomes, classes, detections []string
	for _, e := range k.events {
		outcomes = addTo(outcomes, code(e.attributes["audit.outcome"]))
		classes = addTo(classes, e.ocsf)
		for _, r := range rules {
			if r.reads(e) {
				detections = addTo(detections, r.link())
			}
		}
	}
	slices.Sort(detections)
	slices.Sort(outcomes)
	slices.Sort(classes)
	fmt.Fprintf(text, "\n### %s\n\n| | |\n|---|---|\n", strings.ReplaceAll(k.name, "_", `\_`))
	for _, row := range [][2]string{
		{"event", code(k.sample.name)},
		{"actor", says(a["audit.actor.type"], a["audit.actor.id"])},
		{"action", says("", a["audit.action"])},
		{"target", says(a["audit.target.type"], a["audit.target.id"])},
		{"outcome", strings.Join(outcomes, ", ")},
		{"client", says("", a["client.address"])},
		{"OCSF", strings.Join(classes, "; ")},
		{"detections", strings.Join(detections, ", ")},
	} {
		fmt.Fprintf(text, "| %s | %s |\n", row[0], row[1])
	}
	fmt.Fprintf(text, "\n```json\n%s\n```\n", sample)
	return nil
}

// says is the type and the value of an answer, as far as they are known.
func says(typ, value string) string {
	if value == "" {
		return typ
	}
	return strings.TrimSpace(typ + " " + code(cut(value, 120)))
}

// code writes a value so that it cannot end the cell or the code that it stands in.
func code(value string) string {
	return "`" + strings.NewReplacer("|", `\|`, "`", "'", "\n", " ").Replace(value) + "`"
}

func addTo(list []string, one string) []string {
	if one == "" || slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}
