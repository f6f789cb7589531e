// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// forking is held while a program is started and while free ports are looked for: a process that is just beginning has copies of
// what is open, the listeners included, until it has become its program.
var forking sync.Mutex

// Ports below those that systems hand out by themselves (from 32768 on Linux, from 49152 elsewhere). One that is free now is not
// taken by the next listener or connection of just anybody before it is used, nor while a killed program is down.
const (
	firstPort = 20_000
	lastPort  = 32_000
	portTries = 1000
)

// FreePorts finds n different TCP ports of 127.0.0.1 that nobody listens on, for programs that must be told one. Another
// program may take one of them before it is used; the program that then fails says so.
func FreePorts(n int) ([]int, error) {
	forking.Lock()
	defer forking.Unlock()
	ports := make([]int, 0, n)
	var taken error
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort) // so that two who look at the same time rarely meet
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			taken = err
			continue
		}
		// All stay open until the last one is found, so that none comes twice.
		defer listener.Close() //nolint:errcheck,gocritic // nobody has connected to it; n is small
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no free TCP port from %d to %d of 127.0.0.1: %w", firstPort, lastPort, taken)
}
