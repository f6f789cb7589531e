// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// CheckNotEmpty rejects texts that are given but empty. It is to be called
// before they are decoded: afterwards they look as if they were not given, and
// the usual cause, an environment variable that is not set, would stay in the
// dark.
func CheckNotEmpty(conf *confmap.Conf, keys ...string) error {
	values := xconfmap.ToStringMapRaw(conf)
	var errs []error
	for _, key := range keys {
		if isEmptyText(values[key]) {
			errs = append(errs, fmt.Errorf("%s is empty: is the environment variable or the file behind it set? "+
				"Remove the key if it is not to be used", key))
		}
	}
	return errors.Join(errs...)
}

func isEmptyText(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v) == ""
	case xconfmap.ExpandedValue:
		return strings.TrimSpace(v.Original) == ""
	default:
		return false
	}
}
