// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// store is file_storage with a point around each thing that it does to the disk.
type store struct {
	storage.Extension
	points *points
}

func (s *store) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	var client storage.Client
	err := s.points.around(open, func() (err error) {
		client, err = s.Extension.GetClient(ctx, kind, id, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	walker, _ := client.(storage.Walker) // file_storage's clients are
	return &file{Client: client, Walker: walker, points: s.points, name: name}, nil
}

// file is one client of the storage.
type file struct {
	storage.Client
	storage.Walker

	points *points
	name   string
}

func (f *file) Set(ctx context.Context, key string, value []byte) error {
	return f.points.around(f.place(storage.SetOperation(key, value)), func() error { return f.Client.Set(ctx, key, value) })
}

func (f *file) Delete(ctx context.Context, key string) error {
	return f.points.around(f.place(storage.DeleteOperation(key)), func() error { return f.Client.Delete(ctx, key) })
}

func (f *file) Batch(ctx context.Context, ops ...*storage.Operation) error {
	for _, op := range slices.Backward(ops) { // what a batch is for comes last
		if op.Type != storage.Get {
			return f.points.around(f.place(op), func() error { return f.Client.Batch(ctx, ops...) })
		}
	}
	return f.Client.Batch(ctx, ops...)
}

// place tells what a write is, by the keys that are documented beside the code that writes them.
func (f *file) place(op *storage.Operation) string {
	segment := strings.HasPrefix(f.name, "spool_")
	switch {
	case op.Key == "reading":
		return intent
	case op.Key == "spool", segment && op.Key == "head":
		return space
	case strings.HasPrefix(op.Key, "quarantine/"):
		return quarantine
	case segment && op.Type == storage.Delete:
		return removal
	case segment:
		return entry
	}
	return checkpoint
}
