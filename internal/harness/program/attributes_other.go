// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package program

import "syscall"

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
