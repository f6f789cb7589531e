// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// sources are the subaccounts to read and their credentials, and for service_keys the watcher that follows the files.
func (t *term) sources() ([]keyfiles.Source, error) {
	if t.cfg.ClientConfig.Auth.HasValue() {
		// The authenticator extension adds the token; the receiver knows no more than the endpoint.
		return bySubaccount([]servicekey.Key{{Endpoint: t.cfg.ClientConfig.Endpoint}}), nil
	}
	if len(t.cfg.ServiceKeys) > 0 {
		t.watcher = keyfiles.New(keyfiles.Settings{
			Patterns: t.cfg.ServiceKeys, Load: t.cfg.loadKeys, Survey: t.names.survey, Identity: t.names.of, Logger: t.logger,
		})
		found := t.watcher.Scan()
		t.report(problemsOf(found))
		return found.Sources, nil
	}
	keys, err := t.cfg.credentials()
	t.names.survey(keys)
	return grouped(keys, t.names.of), err
}

// follow makes what is read what the key files now say: a new subaccount is read from its stored progress or as on a first
// start, changed credentials serve the next token, and a subaccount without keys is left, its progress kept. It waits for
// nothing, so that no subaccount holds up another: what cannot be done now it reports, and returns false to be called again.
func (t *term) follow(now keyfiles.Snapshot) bool {
	problems, done := problemsOf(now), true
	gone := map[string]*subaccount{}
	for _, s := range t.list() {
		gone[s.id] = s
	}
	var joining []keyfiles.Source
	for _, source := range now.Sources {
		s, known := gone[source.ID]
		if !known || s.leaving {
			joining = append(joining, source)
			continue
		}
		delete(gone, source.ID)
		if err := s.reconnect(source); err != nil {
			done = false
			t.complain(problems, "credentials", source, err, "New credentials cannot be used yet; the ones before stay in use, trying again")
		}
		if !t.bequeath(s, source) {
			done = false
		}
	}
	for _, s := range gone {
		t.leave(s)
	}
	// Last, since one that comes may be one that goes, with its keys in another form: then it goes on with that one's progress.
	waiting := t.join(joining, problems)
	t.report(problems)
	return done && !waiting
}

// join begins to read subaccounts while others are being read. It reports whether some are left for later, and adds to the
// problems what keeps them.
func (t *term) join(sources []keyfiles.Source, problems map[string]error) (waiting bool) {
	var added []*subaccount
	for _, source := range sources {
		if t.awaits(source) {
			waiting = true
			continue
		}
		s, err := t.add(t.reading, source)
		if err != nil {
			waiting = true
			t.complain(problems, causeOf(err), source, err, "A new subaccount cannot be read yet; trying again")
			continue
		}
		added = append(added, s)
	}
	t.runAll(added)
	return waiting
}

// complain adds to the problems what keeps a source from being read as its keys say, and logs it once.
func (t *term) complain(problems map[string]error, cause string, source keyfiles.Source, err error, message string) {
	cause += " " + source.ID
	problems[cause] = err
	if t.problems[cause] != err.Error() {
		t.logger.Error(message, zap.String("subaccount", source.ID), zap.Error(err))
	}
}

// errCredentials is about credentials, or what it takes to use them, and not about the storage.
var errCredentials = errors.New("the credentials cannot be used")

// causeOf names in the status what keeps a subaccount from being read.
func causeOf(err error) string {
	if errors.Is(err, errCredentials) {
		return "credentials"
	}
	return "storage"
}

// awaits reports whether a source has to wait for a subaccount that is still leaving: for itself, or for one of the same
// token host, with whose progress it may have to go on.
func (t *term) awaits(source keyfiles.Source) bool {
	for _, s := range t.list() {
		if s.leaving && (s.id == source.ID || s.connection.Load().sharesHost(source)) {
			return true
		}
	}
	return false
}

// sharesHost reports whether the source has its tokens from where the connection has them.
func (c *connection) sharesHost(source keyfiles.Source) bool {
	return slices.ContainsFunc(c.credentials, func(used *credential) bool {
		return slices.ContainsFunc(source.Credentials, func(other keyfiles.Credential) bool {
			return tokenHost(used.key) == tokenHost(other.Key)
		})
	})
}

// leave stops reading a subaccount. It does not wait for what is under way, which may take as long as a consumer likes; until
// that has ended, the subaccount cannot come back.
func (t *term) leave(s *subaccount) {
	if s.leaving {
		return
	}
	s.leaving = true
	s.cancel()
	t.running.Go(func() {
		<-s.left
		s.background.Wait()
		s.connection.Load().close()
		s.forget()
		t.mu.Lock()
		delete(t.subaccounts, s.id)
		t.mu.Unlock()
		t.logger.Info("The keys of the subaccount are gone; it is not read any more, its progress is kept", labels(s)...)
		t.recheck() // somebody may be waiting for this
	})
}

// problemsOf names the key files that cannot be read as causes of the status. The watcher has logged them.
func problemsOf(now keyfiles.Snapshot) map[string]error {
	problems := map[string]error{}
	for path, err := range now.Problems {
		problems["service key "+path] = err
	}
	return problems
}

// report raises the status for the problems there are, by cause, and lowers it for those that are over.
func (t *term) report(problems map[string]error) {
	for cause := range t.problems {
		if problems[cause] == nil {
			delete(t.problems, cause)
			t.status.Set(cause, nil)
		}
	}
	for cause, err := range problems {
		t.problems[cause] = err.Error()
		t.status.Set(cause, err)
	}
}
