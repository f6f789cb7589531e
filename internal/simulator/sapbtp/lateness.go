// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Lateness says how long after their time records become visible: a list of shares, each with a range from which the
// delay is drawn evenly. The zero value makes every record visible at once. SAP names no number ("not immediately"); the
// field knows ten minutes to an hour and more, and that records of one moment do not appear together.
type Lateness []LateShare

// LateShare is one part of the records: Weight is its share relative to the other weights.
type LateShare struct {
	Weight   float64
	Min, Max time.Duration
}

var errLateness = errors.New(`want "weight:min-max[,weight:min-max…]", for instance "90:0s-30s,9:10m-20m,1:1h-5h"`)

// ParseLateness reads the text form, a list of weight:min-max (or weight:delay), for instance
// "90:0s-30s,9:10m-20m,1:1h-5h". An empty text means visible at once.
func ParseLateness(text string) (Lateness, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out Lateness
	for part := range strings.SplitSeq(text, ",") {
		share, err := parseShare(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("lateness %q: %w", part, err)
		}
		out = append(out, share)
	}
	return out, nil
}

func parseShare(text string) (LateShare, error) {
	weight, span, found := strings.Cut(text, ":")
	if !found {
		return LateShare{}, errLateness
	}
	var share LateShare
	var err error
	if share.Weight, err = strconv.ParseFloat(weight, 64); err != nil || share.Weight <= 0 {
		return LateShare{}, errLateness
	}
	low, high, ranged := strings.Cut(span, "-")
	if share.Min, err = time.ParseDuration(low); err != nil {
		return LateShare{}, errLateness
	}
	share.Max = share.Min
	if ranged {
		if share.Max, err = time.ParseDuration(high); err != nil {
			return LateShare{}, errLateness
		}
	}
	if share.Max < share.Min || share.Min < 0 {
		return LateShare{}, errLateness
	}
	return share, nil
}

// String gives the form that ParseLateness reads.
func (l Lateness) String() string {
	parts := make([]string, len(l))
	for i, s := range l {
		parts[i] = strconv.FormatFloat(s.Weight, 'g', -1, 64) + ":" + s.Min.String() + "-" + s.Max.String()
	}
	return strings.Join(parts, ",")
}

// draw picks the delay of one record.
func (l Lateness) draw(d *dice) time.Duration {
	var total float64
	for _, s := range l {
		total += s.Weight
	}
	at := d.float() * total
	for _, s := range l {
		if at < s.Weight {
			return d.between(s.Min, s.Max)
		}
		at -= s.Weight
	}
	return 0
}
