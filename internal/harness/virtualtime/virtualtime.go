// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package virtualtime runs tests with the virtual time of [testing/synctest], such that a test that fails is one that failed.
package virtualtime

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
)

// Test is [synctest.Test], but for what it does when goroutines are left in the bubble for ever. They are what a failed assertion
// leaves behind that ends a test before it has stopped everything. synctest then panics: the tests of the package that have not
// run yet are gone, and mostly the assertion's message as well. Here the test fails, and says where the goroutines are if no
// assertion has failed.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	defer func() {
		switch left := recover(); {
		case left == nil:
		case t.Failed():
			t.Fatalf("and the test has left its goroutines behind: %v", left)
		default:
			t.Fatalf("%v\n\n%s", left, bubbled())
		}
	}()
	synctest.Test(t, f)
}

// bubbled is where the goroutines are that belong to a bubble.
func bubbled() string {
	const most = 16 << 20
	stacks := make([]byte, most)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var text bytes.Buffer
	for one := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		head, _, _ := bytes.Cut(one, []byte("\n"))
		if bytes.Contains(head, []byte("synctest bubble")) {
			fmt.Fprintf(&text, "%s\n\n", one)
		}
	}
	return text.String()
}
