// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dataLink is the symbolic link that Kubernetes replaces to change all files of
// a mounted Secret at once.
const dataLink = "..data"

var errTooLarge = fmt.Errorf("the files of the service key are larger than %d bytes together", maxSize)

// ErrOtherService is the error of a directory that holds no key and says itself
// that it is the binding of another service, as many in a binding root are.
var ErrOtherService = errors.New("the binding of another service, as its type or label says; give one of " + serviceName)

// ParseDir returns the keys in a directory, given as the contents of its files:
// a mounted Secret with one file for each field, of the service operator
// (nested objects as JSON text) or of Kyma, or with whole keys in some files.
// Files whose names begin with a dot are not looked at. Errors are as in Parse.
func ParseDir(files map[string][]byte) ([]Key, error) {
	o := object{}
	size := 0
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, ".") {
			continue
		}
		size += len(files[name])
		if size > maxSize {
			return nil, errTooLarge
		}
		content, err := decodeText(files[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		// Editors and echo append a line end that is no part of the value.
		text, err := json.Marshal(string(bytes.TrimRight(content, "\r\n")))
		if err != nil {
			return nil, fmt.Errorf("%s: not a text", name)
		}
		o[strings.ToLower(name)] = text
	}
	if len(o) == 0 && len(errs) == 0 {
		return nil, errors.New("the directory of the service key has no files")
	}
	keys, err := find(o, maxNesting+1)
	if err != nil && len(keys) == 0 && isOtherBinding(o) {
		return nil, ErrOtherService
	}
	if len(errs) > 0 && errors.Is(err, errNoKey) {
		err = nil // it may well be in what could not be read
	}
	return keys, errors.Join(append(errs, err)...)
}

// isOtherBinding reports whether the files type and label of a binding name a
// service, and not that of the audit log. A type may be chosen by the user.
func isOtherBinding(o object) bool {
	named := false
	for _, field := range []string{"type", "label"} {
		var service string
		if json.Unmarshal(o[field], &service) != nil || service == "" {
			continue
		}
		if strings.EqualFold(strings.TrimSpace(service), serviceName) {
			return false
		}
		named = true
	}
	return named
}

// ParseFS returns the keys in the top directory of fsys. Of a Secret mounted by
// Kubernetes it reads one consistent state, even while that is being replaced;
// it may then fail with fs.ErrNotExist and can be called again. Sub-directories
// are not looked at.
func ParseFS(fsys fs.FS) ([]Key, error) {
	if target, err := fs.ReadLink(fsys, dataLink); err == nil {
		if fsys, err = fs.Sub(fsys, target); err != nil {
			return nil, err
		}
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(entries))
	size := 0
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		// Not entry.Info: Kubernetes mounts the files as symbolic links.
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if files[name], err = readFile(fsys, name); err != nil {
			return nil, err
		}
		if size += len(files[name]); size > maxSize {
			// Not left to ParseDir: the directory may be any, of any size.
			return nil, errTooLarge
		}
	}
	return ParseDir(files)
}

// Load returns the keys at path: in a JSON file (see Parse) or in a directory
// (see ParseFS). Errors do not name the path, which is for the caller to add.
func Load(path string) ([]Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	switch {
	case info.IsDir():
		return ParseFS(os.DirFS(path))
	case !info.Mode().IsRegular():
		// Reading a pipe could wait for ever.
		return nil, errors.New("neither a file nor a directory")
	}
	raw, err := readFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return nil, withoutPath(err)
	}
	return Parse(raw)
}

// withoutPath takes the path out of a file error whose caller adds it.
func withoutPath(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// readFile reads one byte more than is allowed, for the parser to refuse.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxSize+1))
}
