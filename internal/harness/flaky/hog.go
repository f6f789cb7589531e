// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// hog keeps so many threads busy until the returned function is called; more often than once does no harm.
func hog(threads int) (end func()) {
	before := runtime.GOMAXPROCS(threads + runtime.NumCPU()) // what starts and watches the tests is not to wait for the hogs
	var enough atomic.Bool
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			waste := make([]byte, 1<<20) // the caches are busy as well
			for i := 0; !enough.Load(); i += 64 {
				waste[i%len(waste)]++
			}
		})
	}
	return func() {
		enough.Store(true)
		all.Wait()
		runtime.GOMAXPROCS(before)
	}
}
