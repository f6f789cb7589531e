// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"encoding/json"
	"fmt"
	"os"
)

// Save writes the disk into a file, as a JSON object of keys and values in base64. Tests keep such files to prove that what an
// earlier release has stored is still understood.
func (d *Disk) Save(path string) error {
	d.mu.Lock()
	raw, err := json.MarshalIndent(d.values, "", " ")
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}

// LoadDisk returns a disk with what Save has written.
func LoadDisk(path string) (*Disk, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var values map[string][]byte
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("%s holds no disk: %w", path, err)
	}
	d := NewDisk()
	for key, value := range values {
		d.put(key, value)
	}
	return d, nil
}
