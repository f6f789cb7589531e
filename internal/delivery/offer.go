// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// outcome is what one call of the consumer has shown.
type outcome struct {
	err       error     // nil: everything was accepted
	permanent bool      // the error says that the same data will be refused again
	tooLarge  bool      // the error may say that there was too much of it
	rest      plog.Logs // what was not accepted
	accepted  int       // records that were
}

// offer calls the consumer once. logs stay as they are, so that they can be offered again.
func (b *batch) offer(ctx context.Context, logs plog.Logs) outcome {
	// A consumer that ignores its context must not receive anything after Shutdown.
	if err := ctx.Err(); err != nil {
		return outcome{err: err, rest: logs}
	}
	given := logs
	if b.mutates {
		given = plog.NewLogs()
		logs.CopyTo(given)
	}
	total := logs.LogRecordCount()
	call, release := b.call(ctx)
	defer release()
	returned := b.calls.begin()
	err := b.set.Next.ConsumeLogs(call, given)
	returned()
	if err == nil {
		b.took(logs, plog.NewLogs())
		return outcome{rest: plog.NewLogs(), accepted: total}
	}
	out := outcome{
		err:       &refusal{cause: err},
		permanent: consumererror.IsPermanent(err),
		tooLarge:  tooLarge(err),
		rest:      undelivered(logs, err),
	}
	b.last = out.err
	out.accepted = total - out.rest.LogRecordCount()
	b.took(logs, out.rest)
	if out.accepted == total { // only records of other calls failed, with which the exporter had merged ours
		out.err, out.permanent, out.tooLarge = nil, false, false
	}
	return out
}

// took notes that the consumer has accepted logs but for rest.
func (d *Deliverer) took(logs, rest plog.Logs) {
	n := logs.LogRecordCount() - rest.LogRecordCount()
	if n == 0 {
		return
	}
	d.accepted.Add(int64(n))
	d.suspects.cleared(logs, rest)
}

// call is the context of one call of the consumer. When ctx ends, a call that is under way has Grace to finish: cut off, it
// would leave records of which nobody knows whether they were accepted, and a clean stop would repeat them.
func (b *batch) call(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.set.Grace <= 0 {
		return ctx, func() {}
	}
	call, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(b.set.Grace, cancel) })
	return call, func() {
		stop()
		cancel()
	}
}

// undelivered returns the part of logs that err declares as failed, or all of them. It believes the error only if that comes
// from one consumer: a fan-out joins the errors of several, and the part that failed in one says nothing about the others.
func undelivered(logs plog.Logs, err error) plog.Logs {
	partial, ok := errors.AsType[consumererror.Logs](err)
	if !ok || joins(err) {
		return logs
	}
	failed := partial.Data()
	if failed.LogRecordCount() == 0 {
		return logs
	}
	rest := restore(logs, failed)
	if rest.LogRecordCount() >= logs.LogRecordCount() {
		return logs
	}
	return rest
}

// joins reports whether err is made of several errors.
func joins(err error) bool {
	for err != nil {
		if several, ok := any(err).(interface{ Unwrap() []error }); ok {
			errs := several.Unwrap()
			if len(errs) != 1 {
				return true
			}
			err = errs[0]
			continue
		}
		err = errors.Unwrap(err)
	}
	return false
}

// refusal stands for an error of the consumer. Its text leaves out the consumer's own words, which may quote a record or
// the answer of a backend; what is wrapped is for errors.Is and errors.As.
type refusal struct {
	cause error
}

func (r *refusal) Error() string {
	kind := "for now"
	if consumererror.IsPermanent(r.cause) {
		kind = "permanently"
	}
	return fmt.Sprintf("the next component refuses log records %s (%s); the exporter's log says why", kind, code(r.cause))
}

func (r *refusal) Unwrap() error {
	return r.cause
}

var number413 = regexp.MustCompile(`\b413\b`)

// saysTooLarge finds in an error's text what HTTP exporters say of a status 413, gRPC of a message above its limit, and an
// exporter's queue of a record above its batches' max_size.
func saysTooLarge(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "larger than max") || strings.Contains(text, "greater than max") ||
		strings.Contains(text, "too large") || strings.Contains(text, "413") && number413.MatchString(text)
}

// tooLarge reports whether err may say that there was too much at a time. It may be mistaken: ResourceExhausted is also the
// code for too many requests.
func tooLarge(err error) bool {
	return code(err) == codes.ResourceExhausted.String() || saysTooLarge(err.Error())
}

// code returns the name of the gRPC status that err carries or stands for.
func code(err error) string {
	// For an error without a status of any kind consumererror.ToGRPCStatus panics, so it is asked only about its own.
	if _, ok := errors.AsType[*consumererror.Error](err); ok {
		return consumererror.ToGRPCStatus(err).Code().String()
	}
	st, _ := status.FromError(err)
	return st.Code().String()
}
