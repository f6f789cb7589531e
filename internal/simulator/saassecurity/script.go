// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseRules reads rules from text: rules are separated by semicolons or line
// ends, the words of a rule by blanks. Words name an [Endpoint] (reads, bulk,
// single, token), a condition (reused, skip=N, times=N, chance=F) or a part of
// the fault: status=N, retry-after=S, redirect=URL, delay=D, stall=D,
// reset=before|after, truncate=N|headers|random, chunked,
// document=half|garbage|html, oversize=N, gzip. For instance
//
//	bulk status=503 times=2; reused reset=after chance=0.1
//
// The single word mix=F stands for [Mix].
func ParseRules(text string) ([]Rule, error) {
	var rules []Rule
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if share, ok := strings.CutPrefix(words[0], "mix="); ok && len(words) == 1 {
			chance, err := strconv.ParseFloat(share, 64)
			if err != nil {
				return nil, fmt.Errorf("fault rule %q: mix needs a number from 0 to 1", line)
			}
			rules = append(rules, Mix(chance)...)
			continue
		}
		rule := Rule{On: Reads}
		for _, word := range words {
			if err := rule.parse(word); err != nil {
				return nil, fmt.Errorf("fault rule %q: word %q: %w", strings.TrimSpace(line), word, err)
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (r *Rule) parse(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	f := &r.Fault
	switch key {
	case string(Reads), string(Bulk), string(Single), string(Token):
		r.On = Endpoint(key)
	case "reused":
		r.Reused = true
	case "skip":
		r.Skip, err = strconv.Atoi(value)
	case "times":
		r.Times, err = strconv.Atoi(value)
	case "chance":
		r.Chance, err = strconv.ParseFloat(value, 64)
	case "status":
		f.Status, err = strconv.Atoi(value)
	case "retry-after":
		f.RetryAfter = value
	case "redirect":
		f.Redirect = value
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "stall":
		f.Stall, err = time.ParseDuration(value)
	case "reset":
		f.Reset, err = oneOf(value, ResetBefore, ResetAfter)
	case "truncate":
		f.Truncate, err = parseTruncate(value)
	case "chunked":
		f.Chunked = true
	case "document":
		f.Document, err = oneOf(value, Half, Garbage, HTML)
	case "oversize":
		f.Oversize, err = strconv.Atoi(value)
	case "gzip":
		f.Gzip = true
	default:
		err = errUnknownWord
	}
	return err
}

var errUnknownWord = errors.New("unknown; see ParseRules")

func oneOf[T ~string](value string, allowed ...T) (T, error) {
	for _, a := range allowed {
		if value == string(a) {
			return a, nil
		}
	}
	return "", fmt.Errorf("want one of %v", allowed)
}

func parseTruncate(value string) (int, error) {
	switch value {
	case "headers":
		return HeadersOnly, nil
	case "random":
		return AtRandom, nil
	}
	n, err := strconv.Atoi(value)
	if err == nil && n < 1 {
		err = errors.New("want at least 1 byte, or headers")
	}
	return n, err
}

// String writes the fault in the words of [ParseRules].
func (f Fault) String() string {
	var words []string
	add := func(set bool, key string, value any) {
		if set {
			words = append(words, fmt.Sprint(key, value))
		}
	}
	add(f.Status != 0, "status=", f.Status)
	add(f.RetryAfter != "", "retry-after=", f.RetryAfter)
	add(f.Redirect != "", "redirect=", f.Redirect)
	add(f.Delay != 0, "delay=", f.Delay)
	add(f.Stall != 0, "stall=", f.Stall)
	add(f.Reset != "", "reset=", f.Reset)
	switch f.Truncate {
	case 0:
	case HeadersOnly:
		add(true, "truncate=", "headers")
	case AtRandom:
		add(true, "truncate=", "random")
	default:
		add(true, "truncate=", f.Truncate)
	}
	add(f.Chunked, "chunked", "")
	add(f.Document != "", "document=", f.Document)
	add(f.Oversize != 0, "oversize=", f.Oversize)
	add(f.Gzip, "gzip", "")
	return strings.Join(words, " ")
}
