// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "strings"

// The values of audit.action that more is made of than an attribute.
const (
	actionLogin          = "login"
	actionLogout         = "logout"
	actionDetectIncident = "detect_incident"
	actionDetectMalware  = "detect_malware"
	actionDetectThreat   = "detect_threat"
	actionDetectBreach   = "detect_violation"
)

// verbs are the words by which the vendor says what was done, in lower case and
// one or two of them without what stands between. What they become is a closed
// list, which the README has; words for the same are those of sap_btp_audit.
var verbs = map[string]string{
	"create": "create", "created": "create", "add": "create", "added": "create", "new": "create", "invite": "create",
	"delete": "delete", "deleted": "delete", "remove": "delete", "removed": "delete", "trash": "delete", "purge": "delete",
	"edit": "update", "edited": "update", "update": "update", "updated": "update", "modify": "update", "modified": "update",
	"change": "update", "changed": "update", "set": "update", "save": "update",
	"rename": "rename", "renamed": "rename", "move": "move", "moved": "move", "copy": "copy", "copied": "copy",
	"restore": "restore", "restored": "restore", "undelete": "restore", "recover": "restore",
	"view": "read", "viewed": "read", "read": "read", "open": "read", "opened": "read", "access": "access", "accessed": "access",
	"preview": "preview", "previewed": "preview",
	"download": "download", "downloaded": "download", "upload": "upload", "uploaded": "upload",
	"sync": "sync", "synced": "sync", "synchronize": "sync", "print": "print", "export": "export", "exported": "export", "import": "import",
	"share": "share", "shared": "share", "publish": "share",
	"unshare": "unshare", "unshared": "unshare", "removelink": "unshare", "removepublic": "unshare", "removesharing": "unshare",
	"removecollaborator": "unshare", "removeexternal": "unshare", "changesharing": "unshare", "changedsharing": "unshare", "restrictsharing": "unshare",
	"join": "join", "joined": "join", "leave": "leave", "left": "leave",
	"login": actionLogin, "logon": actionLogin, "logged": actionLogin, "signin": actionLogin, "signon": actionLogin, "authenticate": actionLogin, "authentication": actionLogin,
	"logins": actionLogin, "loggedin": actionLogin, "signedin": actionLogin,
	"logout": actionLogout, "logoff": actionLogout, "signout": actionLogout, "signoff": actionLogout, "loggedout": actionLogout, "signedout": actionLogout,
	"authorize": "grant", "authorized": "grant", "grant": "grant", "granted": "grant", "approve": "grant", "consent": "grant",
	"revoke": "revoke", "revoked": "revoke", "deauthorize": "revoke", "unauthorize": "revoke",
	"assign": "assign", "assigned": "assign", "unassign": "unassign", "unassigned": "unassign",
	"enable": "enable", "enabled": "enable", "activate": "enable", "disable": "disable", "disabled": "disable", "deactivate": "disable",
	"lock": "lock", "locked": "lock", "unlock": "unlock", "unlocked": "unlock", "suspend": "disable", "suspended": "disable",
	"resetpassword": "reset_password", "passwordreset": "reset_password", "changepassword": "change_password", "passwordchange": "change_password",

	"quarantine": "quarantine", "quarantined": "quarantine", "block": "block", "blocked": "block", "encrypt": "encrypt", "encrypted": "encrypt",
	"log": "log", "notify": "notify", "notified": "notify", "alert": "notify", "sendalert": "notify",
	"createincident": actionDetectIncident, "dismiss": "dismiss", "dismissed": "dismiss", "close": "close", "closed": "close", "resolve": "close", "resolved": "close",
	"reopen": "reopen", "scan": "scan", "rescan": "scan",
}

// maxWords is how many of the vendor's words are looked at.
const maxWords = 8

// failures are words that say that something was tried in vain.
var failures = map[string]bool{
	"fail": true, "failed": true, "fails": true, "failure": true, "failures": true, "failing": true, "unsuccessful": true, "unsuccessfully": true,
	"denied": true, "rejected": true, "refused": true, "forbidden": true, "invalid": true, "unable": true, "aborted": true, "error": true, "errored": true,
	"unauthorized": true, "incorrect": true, "expired": true, "cancelled": true, "canceled": true, "false": true,
}

// successes are words that say that something was done.
var successes = map[string]bool{
	"success": true, "successful": true, "successfully": true, "succeeded": true, "ok": true, "completed": true, "complete": true, "done": true,
	"allowed": true, "true": true, "passed": true,
}

// said is what the vendor's words say.
type said struct {
	action    string
	ok, fails bool
}

// read finds the first verb, and whether something failed, in words that are
// joined in any way: login_failed, signIn, "Send Administrator Alert".
func read(text string) (s said) {
	if action := verbs[text]; action != "" {
		return said{action: action}
	}
	words := wordsOf(text)
	for i, word := range words {
		s.fails = s.fails || failures[word]
		s.ok = s.ok || successes[word]
		if s.action != "" {
			continue
		}
		if i+1 < len(words) {
			s.action = verbs[word+words[i+1]]
		}
		if s.action == "" {
			s.action = verbs[word]
		}
	}
	return s
}

// wordsOf are the first words of a text in lower case. A word ends before what is
// no letter, and before a capital letter that follows a small one.
func wordsOf(text string) []string {
	var words []string
	start := -1
	for i := 0; i <= len(text) && len(words) < maxWords; i++ {
		inside := i < len(text) && isLetter(text[i])
		if start >= 0 && (!inside || text[i] < 'a' && text[i-1] >= 'a') {
			words = append(words, strings.ToLower(text[start:i]))
			start = -1
		}
		if inside && start < 0 {
			start = i
		}
	}
	return words
}
