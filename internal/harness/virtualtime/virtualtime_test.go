// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package virtualtime

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forReal makes the tests fail that only do so in a process of their own.
const forReal = "VIRTUALTIME_FAIL"

func TestTimeIsVirtual(t *testing.T) {
	Test(t, func(t *testing.T) {
		began := time.Now()
		time.Sleep(1000 * time.Hour)
		require.Equal(t, 1000*time.Hour, time.Since(began))
	})
}

func TestOneThatFailsBesideGoroutines(t *testing.T) {
	if os.Getenv(forReal) == "" {
		t.Log("not in this process")
		return
	}
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Test(t, func(t *testing.T) {
				go waitForEver()
				require.Equal(t, "this", "that", "the reason")
			})
			t.Error("goes on after a failure")
		})
	}
}

func TestOneThatLeavesAGoroutine(t *testing.T) {
	if os.Getenv(forReal) == "" {
		t.Log("not in this process")
		return
	}
	Test(t, func(*testing.T) { go waitForEver() })
	t.Error("goes on after a failure")
}

func TestOneThatHangs(t *testing.T) {
	if os.Getenv(forReal) == "" {
		t.Log("not in this process")
		return
	}
	Test(t, func(*testing.T) { waitForEver() })
	t.Error("goes on after a failure")
}

func waitForEver() { select {} }

func TestFailureIsOneOfItsTestAlone(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestOne|TestTime", "-test.v")
	// The race detector's runtime waits a second at the end of each process unless told not to.
	child.Env = append(os.Environ(), forReal+"=1", "GORACE=atexit_sleep_ms=0")
	out, err := child.Output()
	require.Error(t, err)
	text := string(out)
	for _, want := range []string{
		"--- FAIL: TestOneThatFailsBesideGoroutines/first", "--- FAIL: TestOneThatFailsBesideGoroutines/second", "the reason",
		"--- FAIL: TestOneThatLeavesAGoroutine", "virtualtime.waitForEver",
		"--- FAIL: TestOneThatHangs", "--- PASS: TestTimeIsVirtual",
	} {
		assert.Contains(t, text, want)
	}
	require.NotContains(t, text, "goes on after a failure")
	require.NotContains(t, text, "[recovered", "no panic ends the process")
}
