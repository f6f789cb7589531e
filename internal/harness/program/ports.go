// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package program

import "net"

// FreePorts finds n different TCP ports of 127.0.0.1 that nobody listens on, for programs that must be told one. Another
// program may take one of them before it is used; the program that then fails says so.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		// All stay open until the last one is found, so that none comes twice.
		defer listener.Close() //nolint:errcheck,gocritic // nobody has connected to it; n is small
		if address, ok := listener.Addr().(*net.TCPAddr); ok {
			ports = append(ports, address.Port)
		}
	}
	return ports, nil
}
