// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What answersOf says of a record beside its attributes.
const (
	severity    = "severity"
	eventNameOf = "event name"
)

func TestSamplesGiveTheAnswersTheyAreThereFor(t *testing.T) {
	for file, cases := range answersOf {
		page, err := os.ReadFile(filepath.Join(payloads, file+".json"))
		require.NoError(t, err)
		recs := recordsOf(mapPage(t, testMapper(nil), page))
		require.Equal(t, len(cases), recs.Len(), file)
		for i := range recs.Len() {
			rec := recs.At(i)
			name, _ := attr(t, rec, attrMessageUUID).(string)
			t.Run(file+"/"+name, func(t *testing.T) {
				want, known := cases[name]
				require.True(t, known)
				for key, value := range want {
					switch key {
					case severity:
						assert.Equal(t, value, rec.SeverityText())
					case eventNameOf:
						assert.Equal(t, value, rec.EventName())
					default:
						assert.Equal(t, value, attr(t, rec, key), key)
					}
				}
			})
		}
	}
}
