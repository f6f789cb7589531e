// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestATerminalIsRedrawnInPlaceAndGivenBack(t *testing.T) {
	var out bytes.Buffer
	width, height := 90, 20
	s := &screen{out: &out, inPlace: true, color: true, size: func() (int, int, bool) { return width, height, true }}
	v := calm()
	s.show(v)
	first := out.String()
	require.True(t, strings.HasPrefix(first, enter+home))
	require.True(t, strings.HasSuffix(first, restBelow))
	require.LessOrEqual(t, strings.Count(first, "\n"), height-1)

	out.Reset()
	height = 5
	v.now = v.now.Add(time.Millisecond)
	s.show(v)
	require.True(t, strings.HasPrefix(out.String(), home), "at each call, and the screen is entered once")
	require.Equal(t, height-1, strings.Count(out.String(), "\n"), "no more rows than there are")

	out.Reset()
	s.print([]line{say("done")})
	require.Equal(t, leave+"done\n", out.String())
	out.Reset()
	s.end()
	require.Empty(t, out.String(), "the terminal was given back already")
}

func TestLinesComeNowAndThen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, size: func() (int, int, bool) { return 0, 0, false }}
	v := calm()
	s.show(v)
	require.Contains(t, out.String(), "otelcol-audit quickstart, running")
	require.NotContains(t, out.String(), "\x1b")
	out.Reset()
	v.now = noon.Add(blockEvery - 1)
	s.show(v)
	require.Empty(t, out.String())
	v.now = noon.Add(blockEvery)
	s.show(v)
	require.True(t, strings.HasPrefix(out.String(), "[1m24s]"), "without the introduction")
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()
	s := newScreen(file)
	require.False(t, s.inPlace)
	require.False(t, s.color)
}
