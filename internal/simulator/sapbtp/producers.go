// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// The categories of the API (SAP-docs 30ece35).
const (
	CategorySecurity         = "audit.security-events"
	CategoryConfiguration    = "audit.configuration"
	CategoryDataAccess       = "audit.data-access"
	CategoryDataModification = "audit.data-modification"
)

// kind names a producer: an index into producers.
type kind uint8

const (
	kindGiven kind = iota // bytes that a test brought along
	kindUAAClient
	kindUAAUser
	kindUAAToken
	kindUAAAccount
	kindSAML // comes in two parts
	kindRoleCollection
	kindSCIMUser
	kindIdentityProvider
	kindIdentityService
	kindIntegration
	kindDeployment
	kindStudio
	kindWorkZone
	kindManagement
	kindManagementChange
	kindEmergency
	kindAppAccess
	kindAppChange
	kindDatasphere
	kindOwnRead
	kindOwnLogin
	kindSelfClient // the collector's own token request; never in generated traffic
	kindSelfToken
	kindSelfLogin
	kindBroken
	kindForeign // a category that the documents do not know
)

// producer is a writer of audit records as the field knows it.
type producer struct {
	name     string
	category string
	weight   int // share in generated traffic
	fill     func(*record)
}

// producers is filled by init, since the writers themselves look at it.
var producers [kindForeign + 1]producer

func init() {
	producers = [...]producer{
		kindGiven:            {name: "given"},
		kindUAAClient:        {"uaa-client", CategorySecurity, 14, (*record).uaaClient},
		kindUAAUser:          {"uaa-user", CategorySecurity, 12, (*record).uaaUser},
		kindUAAToken:         {"uaa-token", CategorySecurity, 14, (*record).uaaToken},
		kindUAAAccount:       {"uaa-account", CategorySecurity, 3, (*record).uaaAccount},
		kindSAML:             {"uaa-saml", CategorySecurity, 1, (*record).saml},
		kindRoleCollection:   {"role-collection", CategoryConfiguration, 8, (*record).roleCollection},
		kindSCIMUser:         {"scim-user", CategoryConfiguration, 3, (*record).scimUser},
		kindIdentityProvider: {"identity-provider", CategoryConfiguration, 2, (*record).identityProvider},
		kindIdentityService:  {"identity-service", CategorySecurity, 5, (*record).identityService},
		kindIntegration:      {"integration", CategorySecurity, 4, (*record).integration},
		kindDeployment:       {"deployment", CategoryConfiguration, 4, (*record).deployment},
		kindStudio:           {"studio", CategorySecurity, 2, (*record).studio},
		kindWorkZone:         {"work-zone", CategorySecurity, 2, (*record).workZone},
		kindManagement:       {"management", CategorySecurity, 2, (*record).management},
		kindManagementChange: {"management-change", CategoryConfiguration, 2, (*record).managementChange},
		kindEmergency:        {"emergency-admin", CategorySecurity, 1, (*record).emergency},
		kindAppAccess:        {"app-access", CategoryDataAccess, 8, (*record).appAccess},
		kindAppChange:        {"app-change", CategoryDataModification, 8, (*record).appChange},
		kindDatasphere:       {"datasphere", CategoryDataModification, 2, (*record).datasphere},
		kindOwnRead:          {"audit-log-read", CategoryDataAccess, 3, (*record).ownRead},
		kindOwnLogin:         {"audit-log-login", CategorySecurity, 3, (*record).ownLogin},
		kindSelfClient:       {"self-client", CategorySecurity, 0, (*record).selfClient},
		kindSelfToken:        {"self-token", CategorySecurity, 0, (*record).selfToken},
		kindSelfLogin:        {"self-login", CategorySecurity, 0, (*record).selfLogin},
		kindBroken:           {"broken", CategorySecurity, 1, (*record).broken},
		kindForeign:          {"unknown-category", "audit.ai-usage", 1, (*record).foreign},
	}
}

func (k kind) category() string { return producers[k].category }

// kindNamed finds a producer by its name.
func kindNamed(name string) (kind, bool) {
	for k := range producers {
		if producers[k].name == name {
			return kind(k), true
		}
	}
	return 0, false
}

// kindFor gives the plainest producer of a category.
func kindFor(category string) kind {
	switch category {
	case CategoryConfiguration:
		return kindRoleCollection
	case CategoryDataAccess:
		return kindAppAccess
	case CategoryDataModification:
		return kindAppChange
	default:
		return kindUAAClient
	}
}

// drawKind picks a producer by weight.
func drawKind(d *dice) kind {
	total := 0
	for k := range producers {
		total += producers[k].weight
	}
	at := d.intn(total)
	for k := range producers {
		if at < producers[k].weight {
			return kind(k)
		}
		at -= producers[k].weight
	}
	return kindUAAClient
}
