// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package readme compares what a component's README says with what the component is: a table that leaves out an option, or
// advice on a message that the program no longer prints, misleads more than none.
package readme

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var (
	yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	quoted    = regexp.MustCompile("`([^`]+)`")
)

// Read is the text of a file.
func Read(tb testing.TB, path string) string {
	tb.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(tb, err)
	return string(raw)
}

// YAMLBlocks are the contents of the blocks that a reader is to copy.
func YAMLBlocks(text string) []string {
	var blocks []string
	for _, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, block[1])
	}
	return blocks
}

// RequireNamed fails if one of the names stands nowhere in the text as code.
func RequireNamed(tb testing.TB, text string, names ...string) {
	tb.Helper()
	for _, name := range names {
		requireSaid(tb, text, "`"+name+"`")
	}
}

// RequireOptions fails if an option of these types of configuration is not named.
func RequireOptions(tb testing.TB, text string, configs ...reflect.Type) {
	tb.Helper()
	for _, config := range configs {
		for field := range config.Fields() {
			if key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ","); key != "" {
				RequireNamed(tb, text, key)
			}
		}
	}
}

// RequireMetrics fails if a metric of the metadata.yaml has no row in a table.
func RequireMetrics(tb testing.TB, text, metadata string) {
	tb.Helper()
	var declared struct {
		Telemetry struct {
			Metrics map[string]any `yaml:"metrics"`
		} `yaml:"telemetry"`
	}
	require.NoError(tb, yaml.Unmarshal([]byte(metadata), &declared))
	require.NotEmpty(tb, declared.Telemetry.Metrics)
	for name := range declared.Telemetry.Metrics {
		requireSaid(tb, text, "| `otelcol_"+name+"` |")
	}
}

// RequireMessages fails if the section Troubleshooting explains a message that is not in the sources, or fewer than so many.
func RequireMessages(tb testing.TB, text, sources string, atLeast int) {
	tb.Helper()
	_, troubles, found := strings.Cut(text, "\n## Troubleshooting\n")
	require.True(tb, found, "there is a section Troubleshooting")
	troubles, _, _ = strings.Cut(troubles, "\n## ")
	messages := 0
	for line := range strings.Lines(troubles) {
		cell := line // a sentence, or else the first column of a table
		if strings.HasPrefix(line, "|") {
			cell = strings.Split(line, "|")[1]
		}
		for _, message := range quoted.FindAllStringSubmatch(cell, -1) {
			messages++
			if !strings.Contains(sources, message[1]) {
				require.Fail(tb, "a message that the program does not print", message[1])
			}
		}
	}
	require.GreaterOrEqual(tb, messages, atLeast, "messages that are explained")
}

// requireSaid does without the text in its failure, which is long.
func requireSaid(tb testing.TB, text, what string) {
	tb.Helper()
	if !strings.Contains(text, what) {
		require.Fail(tb, "not in the README", what)
	}
}
