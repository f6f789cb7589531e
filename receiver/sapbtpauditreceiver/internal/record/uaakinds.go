// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// uaaKind is what an event type of the authorization service stands for.
type uaaKind struct {
	action, target string
	// named says that the text is the target's name.
	named bool
}

// uaaKinds are the event types of UAA's audit log (cloudfoundry/uaa, AuditEventType) and of XSUAA's (SAP-docs d8f4b7c).
var uaaKinds = map[string]uaaKind{
	"UserAuthenticationSuccess":             {actionLogin, targetUser, true},
	"UserAuthenticationFailure":             {actionLogin, targetUser, true},
	"IdentityProviderAuthenticationSuccess": {actionLogin, targetUser, true},
	"IdentityProviderAuthenticationFailure": {actionLogin, targetUser, true},
	"PrincipalAuthenticationSuccess":        {actionLogin, targetUser, true},
	"PrincipalAuthenticationFailure":        {actionLogin, targetUser, true},
	"MfaAuthenticationSuccess":              {actionLogin, targetUser, true},
	"MfaAuthenticationFailure":              {actionLogin, targetUser, true},
	"UserNotFound":                          {actionLogin, targetUser, true},
	"PrincipalNotFound":                     {actionLogin, targetUser, true},
	"SAMLAuthenticationError":               {actionLogin, targetUser, false},
	"ClientAuthenticationSuccess":           {actionLogin, targetClient, false},
	"ClientAuthenticationFailure":           {actionLogin, targetClient, false},
	"TokenIssuedEvent":                      {actionIssueToken, targetClient, false},
	"TokenRevocationEvent":                  {actionRevokeToken, "", false},
	"UserCreatedEvent":                      {actionCreate, targetUser, true},
	"UserModifiedEvent":                     {actionUpdate, targetUser, true},
	"UserDeletedEvent":                      {actionDelete, targetUser, true},
	"UserVerifiedEvent":                     {actionVerify, targetUser, true},
	"EmailChangedEvent":                     {actionUpdate, targetUser, false},
	"UserAccountUnlockedEvent":              {actionUnlock, targetUser, false},
	"PasswordChangeSuccess":                 {actionChangePassword, targetUser, false},
	"PasswordChangeFailure":                 {actionChangePassword, targetUser, false},
	"PasswordResetRequest":                  {actionResetPassword, targetUser, false},
	"SecretChangeSuccess":                   {actionChangeSecret, targetClient, false},
	"SecretChangeFailure":                   {actionChangeSecret, targetClient, false},
	"ClientJwtChangeSuccess":                {actionChangeSecret, targetClient, false},
	"ClientJwtChangeFailure":                {actionChangeSecret, targetClient, false},
	"ClientCreateSuccess":                   {actionCreate, targetClient, false},
	"ClientUpdateSuccess":                   {actionUpdate, targetClient, false},
	"ClientDeleteSuccess":                   {actionDelete, targetClient, false},
	"ClientApprovalsDeleted":                {actionDelete, "approval", false},
	"ApprovalModifiedEvent":                 {actionUpdate, "approval", false},
	"GroupCreatedEvent":                     {actionCreate, targetGroup, true},
	"GroupModifiedEvent":                    {actionUpdate, targetGroup, true},
	"GroupDeletedEvent":                     {actionDelete, targetGroup, true},
	"EntityDeletedEvent":                    {actionDelete, "entity", false},
	"IdentityProviderCreatedEvent":          {actionCreate, targetIdentityProvider, false},
	"IdentityProviderModifiedEvent":         {actionUpdate, targetIdentityProvider, false},
	"IdentityProviderDeletedEvent":          {actionDelete, targetIdentityProvider, false},
	"IdentityZoneCreatedEvent":              {actionCreate, "identity_zone", false},
	"IdentityZoneModifiedEvent":             {actionUpdate, "identity_zone", false},
	"ServiceProviderCreatedEvent":           {actionCreate, targetApplication, false},
	"ServiceProviderModifiedEvent":          {actionUpdate, targetApplication, false},
}

// uaaEnds are the ends of event types that tell how it went. What the service calls an event happened.
var uaaEnds = [...]struct {
	end  string
	went outcome
}{
	{"Success", succeeded},
	{"Failure", failed},
	{"NotFound", failed},
	{"Error", failed},
	{"Event", succeeded},
	{"Deleted", succeeded},
	{"Request", succeeded},
}

func outcomeOfType(typ string) outcome {
	for _, e := range uaaEnds {
		if strings.HasSuffix(typ, e.end) {
			return e.went
		}
	}
	return unsaid
}

// uaaText is what the text of an event says that is the service's own JSON: the claims of a token, or the user or group
// that was changed. A name that is there twice has no value.
type uaaText struct {
	client, user, subject, grant string
	name, id                     string
	ambiguous                    bool
}

// parseUAAText reads the text as far as it is whole. The claims of a user's token may be longer than a line can be.
func parseUAAText(text string) (t uaaText) {
	var cid, azp, email string
	var seen [claimCount]bool
	scanMembers(text, func(key, value string) {
		if key == "" {
			key, value, _ = strings.Cut(value, "=")
		}
		field, i := &t.client, 0
		switch key {
		case "client_id":
		case "cid":
			field, i = &cid, 1
		case "azp":
			field, i = &azp, 2
		case "user_name":
			field, i = &t.user, 3
		case "email":
			field, i = &email, 4
		case "sub":
			field, i = &t.subject, 5
		case "grant_type":
			field, i = &t.grant, 6
		case "username", "group_name":
			field, i = &t.name, 7
		case "user_id", "group_id":
			field, i = &t.id, 8
		default:
			return
		}
		if seen[i] && *field != value {
			t.ambiguous = true
		}
		*field, seen[i] = value, true
	})
	if t.ambiguous {
		return uaaText{ambiguous: true}
	}
	t.client = firstPresent(notNull(t.client), notNull(cid), notNull(azp))
	t.user = firstPresent(notNull(t.user), notNull(email))
	t.name, t.id = notNull(t.name), notNull(t.id)
	return t
}

const claimCount = 9
