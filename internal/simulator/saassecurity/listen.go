// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// URL is the address of the simulator for clients that use
// [Simulator.Transport].
const URL = "http://localhost"

// servers that play the simulator, in memory and on ports.
type servers struct {
	mu     sync.Mutex
	memory *memory
	all    []*http.Server
	done   sync.WaitGroup
}

// Transport returns a new HTTP transport whose connections end at this
// simulator, whatever the host. The bytes pass through Go's own client and
// server, so that connection reuse, repetition and broken replies are the real
// thing. Within a synctest bubble the simulator must have been created in it.
func (s *Simulator) Transport() *http.Transport {
	s.servers.mu.Lock()
	defer s.servers.mu.Unlock()
	if s.servers.memory == nil {
		s.servers.memory = &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
		s.servers.serve(s.servers.memory, s)
	}
	return &http.Transport{DialContext: s.servers.memory.dial}
}

// Start listens on the address, for instance 127.0.0.1:0, and returns the URL.
// What [Simulator.Admin] offers is served there too. The context is for the
// start only; [Simulator.Close] ends it.
func (s *Simulator) Start(ctx context.Context, addr string) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("saas security simulator: %w", err)
	}
	s.servers.mu.Lock()
	defer s.servers.mu.Unlock()
	mux := http.NewServeMux()
	mux.Handle(AdminPath, s.Admin())
	mux.Handle("/", s)
	s.servers.serve(listener, mux)
	return "http://" + listener.Addr().String(), nil
}

// Close stops listening and ends all connections. Requests that are being served
// see their client gone.
func (s *Simulator) Close() {
	s.servers.mu.Lock()
	defer s.servers.mu.Unlock()
	for _, server := range s.servers.all {
		_ = server.Close()
	}
	s.servers.done.Wait()
}

func (s *servers) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are on purpose
	}
	s.all = append(s.all, server)
	s.done.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener that fails by itself; nothing can be tested any more
		}
	})
}

// memory is a listener for connections within the process.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex
	dialed int
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	m.mu.Lock()
	m.dialed++
	addr := memoryAddr(fmt.Sprintf("memory:%d", m.dialed))
	m.mu.Unlock()
	client, server := net.Pipe()
	select {
	case m.conns <- memoryConn{server, addr}:
		return client, nil
	case <-m.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memory) Addr() net.Addr { return memoryAddr("memory") }

// memoryConn has an address of its own, by which the ledger tells connections
// apart.
type memoryConn struct {
	net.Conn
	addr memoryAddr
}

func (c memoryConn) RemoteAddr() net.Addr { return c.addr }

type memoryAddr string

func (memoryAddr) Network() string  { return "memory" }
func (a memoryAddr) String() string { return string(a) }
