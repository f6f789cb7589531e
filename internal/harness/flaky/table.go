// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func (u *unit) name() string {
	switch {
	case u.binary == nil:
		return "everything"
	case u.test == "":
		return u.binary.pkg
	}
	return u.binary.pkg + "." + u.test
}

// table prints what came of everything, the worst first, and returns how many rows have a failure.
func (p *plan) table(out io.Writer) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := slices.Clone(p.units)
	slices.SortFunc(rows, func(a, b *unit) int {
		return cmp.Or(cmp.Compare(b.failed, a.failed), cmp.Compare(b.slowest, a.slowest), cmp.Compare(a.name(), b.name()))
	})
	prefix := commonPrefix(p.all)
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "test\truns\tfailures\tslowest\tfirst failure")
	failed, failures, runs, short := 0, 0, 0, 0
	var behind []*unit
	for _, u := range rows {
		of := ""
		switch {
		case u.long:
			of = " (long: runs with its package)"
		case u.runs < u.want:
			of = fmt.Sprintf(" of %d", u.want)
			behind = append(behind, u)
		}
		if u.test != "" && !u.long {
			short++
		}
		_, _ = fmt.Fprintf(tw, "%s\t%d%s\t%d\t%s\t%s\n", strings.TrimPrefix(u.name(), prefix), u.runs, of, u.failed, u.slowest.Round(10*time.Millisecond), u.message)
		runs += u.runs
		failures += u.failed
		if u.failed > 0 {
			failed++
		}
	}
	_ = tw.Flush()
	_, _ = fmt.Fprintf(out, "\n%d runs of %d short tests, %d long tests, %d packages or the whole: %d failures in %d of them.\n",
		runs, short, len(rows)-p.wider-short, p.wider, failures, failed)
	if len(behind) > 0 {
		_, _ = fmt.Fprintf(out, "Not reached: all runs of %d of %d, see \"of\" in the table. Run again to go on.\n", len(behind), len(rows))
	}
	return failed
}

// commonPrefix is what all packages begin with, up to a slash.
func commonPrefix(binaries []*binary) string {
	if len(binaries) < 2 {
		return ""
	}
	prefix := binaries[0].pkg
	for _, b := range binaries {
		for !strings.HasPrefix(b.pkg, prefix) {
			prefix = prefix[:max(strings.LastIndexByte(prefix[:len(prefix)-1], '/')+1, 0)]
			if prefix == "" {
				return ""
			}
		}
	}
	return prefix[:strings.LastIndexByte(prefix, '/')+1]
}
