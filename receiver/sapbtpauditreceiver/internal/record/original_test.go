// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBytesThatAreNoTextAreKeptAsTheyCame(t *testing.T) {
	const fine, other = `{"message_uuid":"1","user":"ü]"}`, "{\"message_uuid\":\"2\",\"user\":\"caf\xe9 ]\\\"\"}"
	page := []byte(" [ " + fine + " ,\n" + other + "," + fine + "]")
	records, err := Split(page)
	require.NoError(t, err)
	require.Len(t, records, 3)
	require.Empty(t, records[0].Original)
	require.Equal(t, other, records[1].Original) //nolint:testifylint // byte by byte
	require.Empty(t, records[2].Original)

	m := testMapper(func(o *Options) { o.Body, o.IncludeOriginal = BodyString, true })
	logs, list := m.NewLogs()
	for i := range records {
		require.Equal(t, i == 1, m.Append(list, &records[i], observed).NotUTF8)
	}
	require.Equal(t, 3, logs.LogRecordCount())
	original, _ := list.At(1).Attributes().Get(attrOriginal)
	require.Equal(t, other, string(original.Bytes().AsRaw()))          //nolint:testifylint // byte by byte
	require.Equal(t, other, string(list.At(1).Body().Bytes().AsRaw())) //nolint:testifylint // byte by byte
	original, _ = list.At(2).Attributes().Get(attrOriginal)
	require.Equal(t, fine, original.Str()) //nolint:testifylint // byte by byte
}
