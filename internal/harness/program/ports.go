// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"net"
)

// FreePorts finds n different TCP ports of 127.0.0.1 that nobody listens on, for programs that must be told one. Another
// program may take one of them before it is used; the program that then fails says so.
func FreePorts(n int) ([]int, error) {
	var config net.ListenConfig
	ports := make([]int, 0, n)
	for range n {
		listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// All stay open until the last one is found, so that none comes twice.
		defer listener.Close() //nolint:errcheck // a listener that nobody has connected to
		if address, ok := listener.Addr().(*net.TCPAddr); ok {
			ports = append(ports, address.Port)
		}
	}
	return ports, nil
}
