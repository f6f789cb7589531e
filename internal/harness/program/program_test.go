// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childVariable makes this test's program behave as a child with the role that it names.
const childVariable = "PROGRAM_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(childVariable); role != "" {
		os.Exit(child(role))
	}
	os.Exit(m.Run())
}

func child(role string) int {
	end := make(chan os.Signal, 1)
	switch role {
	case "polite":
		signal.Notify(end, syscall.SIGTERM)
	case "young":
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "failing":
		fmt.Fprintln(os.Stderr, "no such thing")
		return 3
	}
	fmt.Println("ready", strings.Join(os.Args[1:], " "))
	<-end
	return 0
}

// launch starts a child and waits until it is ready. It gives what the child said.
func launch(t *testing.T, role string) (p *Process, said string) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	p, err = Start(Spec{Path: os.Args[0], Args: []string{"some", "arguments"}, Env: []string{childVariable + "=" + role}, Output: write})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.NoError(t, write.Close())
	said, err = bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, read.Close())
	return p, said
}

func TestStopEndsAProgramInItsOwnWay(t *testing.T) {
	p, said := launch(t, "polite")
	require.Equal(t, "ready some arguments\n", said)
	require.True(t, p.Running())
	require.NotEqual(t, os.Getpid(), p.PID())
	require.NoError(t, p.Stop())
	require.False(t, p.Running())
	require.NoError(t, p.Err())
	require.False(t, p.Signaled())
	require.NoError(t, p.Stop(), "it has ended already")
}

func TestStopEndsAProgramThatHandlesNoSignalYet(t *testing.T) {
	p, _ := launch(t, "young")
	require.NoError(t, p.Stop())
	require.True(t, p.Signaled())
}

func TestStopKillsAProgramThatDoesNotEnd(t *testing.T) {
	p, _ := launch(t, "stubborn")
	err := p.stop(10 * time.Millisecond)
	require.ErrorIs(t, err, ErrKilled)
	require.ErrorContains(t, err, os.Args[0])
	require.False(t, p.Running())
	require.True(t, p.Signaled())
}

func TestAKillIsToldFromAnEnd(t *testing.T) {
	p, _ := launch(t, "polite")
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
	<-p.Done()
	require.Error(t, p.Err())
	require.True(t, p.Signaled())

	p, said := launch(t, "failing")
	require.Equal(t, "no such thing\n", said)
	require.EqualError(t, p.Err(), "exit status 3")
	require.False(t, p.Signaled())
}

func TestCtrlCReachesNoChild(t *testing.T) {
	p, _ := launch(t, "polite")
	group, err := syscall.Getpgid(p.PID())
	require.NoError(t, err)
	require.Equal(t, p.PID(), group)
}

func TestAProgramThatIsNotThere(t *testing.T) {
	_, err := Start(Spec{Path: filepath.Join(t.TempDir(), "nothing")})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "nothing")
}

func TestFreePortsAreDifferentAndFree(t *testing.T) {
	ports, err := FreePorts(5)
	require.NoError(t, err)
	require.Len(t, ports, 5)
	seen := map[int]bool{}
	for _, port := range ports {
		require.False(t, seen[port])
		seen[port] = true
		require.Less(t, port, 32_768, "whoever asks the system for any port may get this one")
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}

// A program that begins has copies of what is open, for a moment. A port that was found free must not be among it.
func TestFreePortsAreFreeWhileProgramsStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var starting sync.WaitGroup
	for range 2 {
		starting.Go(func() {
			for ctx.Err() == nil {
				if p, err := Start(Spec{Path: os.Args[0], Env: []string{childVariable + "=failing"}}); err == nil {
					<-p.Done()
				}
			}
		})
	}
	defer starting.Wait()
	defer cancel()
	for range 3000 {
		ports, err := FreePorts(1)
		require.NoError(t, err)
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(ports[0]))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}

func TestLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.Empty(t, LastLines(path, 3), "no file")
	for text, want := range map[string][]string{
		"":                nil,
		"\n":              nil,
		"a":               {"a"},
		"a\nb\n":          {"a", "b"},
		"a\nb\nc\nd\n":    {"b", "c", "d"},
		"a\n\nb\n\nc\n\n": {"b", "", "c"},
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.Equal(t, want, LastLines(path, 3), "%q", text)
	}
	file, err := os.Create(path)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Repeat("x", lastBytes) + "\nlast\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	got := LastLines(path, 2)
	require.Len(t, got, 2)
	require.Less(t, len(got[0]), lastBytes)
	require.Equal(t, "last", got[1])
}
