// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

// The values of audit.action: a closed list, which the README explains.
const (
	actionAccess         = "access"
	actionAssign         = "assign"
	actionChangePassword = "change_password"
	actionChangeSecret   = "change_secret"
	actionCreate         = "create"
	actionDelete         = "delete"
	actionDeploy         = "deploy"
	actionDetectMalware  = "detect_malware"
	actionDisable        = "disable"
	actionDownload       = "download"
	actionEnable         = "enable"
	actionExecute        = "execute"
	actionExport         = "export"
	actionGrant          = "grant"
	actionImport         = "import"
	actionIssueToken     = "issue_token"
	actionLock           = "lock"
	actionLogin          = "login"
	actionLogout         = "logout"
	actionRead           = "read"
	actionResetPassword  = "reset_password"
	actionRevoke         = "revoke"
	actionRevokeToken    = "revoke_token"
	actionStart          = "start"
	actionStop           = "stop"
	actionSubscribe      = "subscribe"
	actionTransport      = "transport"
	actionUnassign       = "unassign"
	actionUndeploy       = "undeploy"
	actionUnlock         = "unlock"
	actionUnsubscribe    = "unsubscribe"
	actionUpdate         = "update"
	actionUpload         = "upload"
	actionVerify         = "verify"
)

// The values of audit.target.type that the receiver chooses. Any other is the producer's own word.
const (
	targetApplication      = "application"
	targetArtifact         = "artifact"
	targetClient           = "client"
	targetDevSpace         = "dev_space"
	targetGroup            = "group"
	targetIdentityProvider = "identity_provider"
	targetRole             = "role"
	targetRoleCollection   = "role_collection"
	targetService          = "service"
	targetUser             = "user"
)

// verbs are the words by which producers say what was done, in lower case. Longer words than maxVerb are none.
var verbs = map[string]string{
	"access": actionAccess, "accessed": actionAccess, "attempt": actionAccess, "unauthorized": actionAccess, "open": actionAccess,
	"assign": actionAssign, "assigned": actionAssign, "assignment": actionAssign,
	"unassign": actionUnassign, "unassigned": actionUnassign, "unassignment": actionUnassign,
	"create": actionCreate, "created": actionCreate, "creation": actionCreate, "add": actionCreate, "added": actionCreate, "insert": actionCreate,
	"store": actionCreate, "register": actionCreate, "generate": actionCreate, "provision": actionCreate, "new": actionCreate,
	"delete": actionDelete, "deleted": actionDelete, "deletion": actionDelete, "remove": actionDelete, "removed": actionDelete, "purge": actionDelete, "drop": actionDelete, "unregister": actionDelete, "deprovision": actionDelete,
	"update": actionUpdate, "updated": actionUpdate, "change": actionUpdate, "changed": actionUpdate, "modify": actionUpdate, "modified": actionUpdate,
	"edit": actionUpdate, "set": actionUpdate, "save": actionUpdate, "rename": actionUpdate, "move": actionUpdate, "configure": actionUpdate, "patch": actionUpdate, "restore": actionUpdate, "renew": actionUpdate, "rotate": actionUpdate,
	"read": actionRead, "view": actionRead, "get": actionRead, "list": actionRead, "search": actionRead, "query": actionRead,
	"login": actionLogin, "logon": actionLogin, "log": actionLogin, "authenticate": actionLogin, "authentication": actionLogin, "authn": actionLogin, "signin": actionLogin,
	"logout": actionLogout, "logoff": actionLogout, "signout": actionLogout,
	"grant": actionGrant, "granted": actionGrant, "authorize": actionGrant, "revoke": actionRevoke, "revoked": actionRevoke,
	"deploy": actionDeploy, "deployed": actionDeploy, "deployment": actionDeploy, "redeploy": actionDeploy, "redeployment": actionDeploy,
	"undeploy": actionUndeploy, "undeployed": actionUndeploy, "undeployment": actionUndeploy,
	"import": actionImport, "imported": actionImport, "export": actionExport, "exported": actionExport,
	"transport": actionTransport, "transported": actionTransport,
	"upload": actionUpload, "uploaded": actionUpload, "download": actionDownload, "downloaded": actionDownload,
	"enable": actionEnable, "enabled": actionEnable, "activate": actionEnable, "activated": actionEnable,
	"disable": actionDisable, "disabled": actionDisable, "deactivate": actionDisable, "deactivated": actionDisable,
	"lock": actionLock, "locked": actionLock, "unlock": actionUnlock, "unlocked": actionUnlock,
	"start": actionStart, "started": actionStart, "restart": actionStart, "stop": actionStop, "stopped": actionStop,
	"execute": actionExecute, "run": actionExecute, "trigger": actionExecute, "call": actionExecute,
	"subscribe": actionSubscribe, "subscribed": actionSubscribe, "subscription": actionSubscribe,
	"unsubscribe": actionUnsubscribe, "unsubscribed": actionUnsubscribe,
	"verify": actionVerify, "verified": actionVerify, "malware": actionDetectMalware,
	"issue": actionIssueToken, "issued": actionIssueToken,
}

// maxVerb is the length of the longest verb; maxWords is how many words of a text are looked at.
const (
	maxVerb  = 16
	maxWords = 6
)

// actionOf finds the first verb in a producer's words, however these are joined: grantPermissions, PasswordDelete,
// "package import", UPDATE. It is "" if there is none.
func actionOf(text string) string {
	var word [maxVerb]byte
	for words := 0; text != "" && words < maxWords; words++ {
		n := wordLen(text)
		if n > 0 && n <= maxVerb {
			for i := range n {
				word[i] = lower(text[i])
			}
			if action := verbs[string(word[:n])]; action != "" {
				return action
			}
		}
		text = text[n:]
		for text != "" && !isLetter(text[0]) {
			text = text[1:]
		}
	}
	return ""
}

// wordLen is the length of the word that s begins with. A word ends before a capital letter that follows a small one, or that
// begins a word behind capitals.
func wordLen(s string) int {
	n := 0
	for n < len(s) && isLetter(s[n]) {
		if n > 0 && isUpper(rune(s[n])) && (isLower(s[n-1]) || n+1 < len(s) && isLower(s[n+1])) {
			break
		}
		n++
	}
	return n
}

func isLetter(c byte) bool { return isLower(c) || isUpper(rune(c)) }

func lower(c byte) byte {
	if isUpper(rune(c)) {
		return c + 'a' - 'A'
	}
	return c
}

// kind is what an object's type stands for: the type of the target, and the action where the type alone tells it.
type kind struct {
	target, action string
}

// kinds are the types of objects that are known, as [normal] writes them: XSUAA's administration, SCIM, Cloud Identity
// Services, Cloud Integration, Cloud Management, and the audit log itself.
var kinds = map[string]kind{
	"xsrolecollection2user":          {targetRoleCollection, actionAssign},
	"xsrolecollection2group":         {targetRoleCollection, actionAssign},
	"xsrolecollection2samlattribute": {targetRoleCollection, actionAssign},
	"xsrolecollection2role":          {targetRoleCollection, actionAssign},
	"xsrolecollection":               {targetRoleCollection, ""},
	"xsrolecollections":              {targetRoleCollection, ""},
	"rolecollection":                 {targetRoleCollection, ""},
	"xsrole":                         {targetRole, ""},
	"xsroles":                        {targetRole, ""},
	"xsattribute2role":               {targetRole, ""},
	"role":                           {targetRole, ""},
	"xstenant":                       {"tenant", ""},
	"tenant":                         {"tenant", ""},
	"users":                          {targetUser, ""},
	"user":                           {targetUser, ""},
	"scimuser":                       {targetUser, ""},
	"shadowuser":                     {targetUser, ""},
	"group":                          {targetGroup, ""},
	"groups":                         {targetGroup, ""},
	"scimgroup":                      {targetGroup, ""},
	"usergroup":                      {targetGroup, ""},
	"identityprovider":               {targetIdentityProvider, ""},
	"corporateidp":                   {targetIdentityProvider, ""},
	"idp":                            {targetIdentityProvider, ""},
	"ssodomain":                      {targetApplication, ""},
	"application":                    {targetApplication, ""},
	"serviceprovider":                {targetApplication, ""},
	"deployment":                     {targetArtifact, actionDeploy},
	"redeployment":                   {targetArtifact, actionDeploy},
	"undeployment":                   {targetArtifact, actionUndeploy},
	"integrationpackage":             {"package", ""},
	"package":                        {"package", ""},
	"accesspolicy":                   {"access_policy", ""},
	"datasource":                     {"data_source", ""},
	"securitymaterial":               {"security_material", ""},
	"secretkeyring":                  {"keyring", ""},
	"publickeyring":                  {"keyring", ""},
	"x509keypair":                    {"key_pair", ""},
	"x509certificate":                {"certificate", ""},
	"credential":                     {"credential", ""},
	"usercredentials":                {"credential", ""},
	"devspace":                       {targetDevSpace, ""},
	"subaccount":                     {"subaccount", ""},
	"globalaccount":                  {"global_account", ""},
	"directory":                      {"directory", ""},
	"serviceplanassignment":          {"service_plan_assignment", ""},
	"datareadevent":                  {"audit_log", actionRead},
}

// maxNormal is the longest name that normal writes.
const maxNormal = 40

// normal writes letters and digits of s in lower case into buf, so that the spellings of a name are one. It returns nil
// for a name that is too long to be known.
func normal(buf *[maxNormal]byte, s string) []byte {
	n := 0
	for i := range len(s) {
		if c := s[i]; isLetter(c) || isDigit(c) {
			if n == maxNormal {
				return nil
			}
			buf[n] = lower(c)
			n++
		}
	}
	return buf[:n]
}

// kindOf is what the type of an object stands for; unknown ones keep the producer's word.
func kindOf(objectType string) kind {
	if objectType == "" {
		return kind{}
	}
	var buf [maxNormal]byte
	if k, known := kinds[string(normal(&buf, objectType))]; known {
		return k
	}
	return kind{target: objectType}
}
