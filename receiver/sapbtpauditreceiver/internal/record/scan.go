// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strings"
)

// scanMembers walks the top level of an object or list that stands at the beginning of text, and yields its scalars: a string
// without its quotes and with its escape sequences, any other as it is. It takes what a log line makes of JSON too: cut
// anywhere, or with single quotes. Only what is whole is yielded. The result is the length of the whole value, or -1 if it
// is cut or broken.
func scanMembers(text string, yield func(key, value string)) int {
	if text == "" || text[0] != '{' && text[0] != '[' {
		return -1
	}
	inObject := text[0] == '{'
	i := skipBlanks(text, 1)
	for i < len(text) {
		if text[i] == '}' || text[i] == ']' {
			return i + 1
		}
		key := ""
		if inObject {
			end := scanString(text, i)
			if end < 0 {
				return -1
			}
			key = text[i+1 : end-1]
			if i = skipBlanks(text, end); i >= len(text) || text[i] != ':' {
				return -1
			}
			i = skipBlanks(text, i+1)
		}
		end := scanValue(text, i)
		if end < 0 {
			return -1
		}
		next := skipBlanks(text, end)
		if next >= len(text) || text[next] != ',' && text[next] != '}' && text[next] != ']' {
			return -1
		}
		if value := text[i:end]; yield != nil && value[0] != '{' && value[0] != '[' {
			yield(key, unquoted(value))
		}
		if i = next; text[i] == ',' {
			i = skipBlanks(text, i+1)
		}
	}
	return -1
}

// scanValue returns the end of the value that begins at i, or -1 if it has none.
func scanValue(text string, i int) int {
	if i >= len(text) {
		return -1
	}
	switch text[i] {
	case '"', '\'':
		return scanString(text, i)
	case '{', '[':
		return scanContainer(text, i)
	case ',', ':', '}', ']':
		return -1
	}
	for i < len(text) && strings.IndexByte(",}] \t\r\n", text[i]) < 0 {
		i++
	}
	return i
}

// scanContainer returns the end of a nested value, by its brackets outside of strings.
func scanContainer(text string, i int) int {
	depth := 0
	for i < len(text) {
		switch text[i] {
		case '"', '\'':
			end := scanString(text, i)
			if end < 0 {
				return -1
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// scanString returns the end of the string whose quote stands at i, or -1 if it has none.
func scanString(text string, i int) int {
	if i >= len(text) || text[i] != '"' && text[i] != '\'' {
		return -1
	}
	quote := text[i]
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return -1
}

func skipBlanks(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

// unquoted is the value of a scalar; what cannot be unescaped stays as it is.
func unquoted(value string) string {
	if quote := value[0]; quote != '"' && quote != '\'' {
		return value
	}
	inside := value[1 : len(value)-1]
	if strings.IndexByte(inside, '\\') < 0 {
		return inside
	}
	var plain string
	if json.Unmarshal([]byte(`"`+inside+`"`), &plain) != nil {
		return inside
	}
	return plain
}
