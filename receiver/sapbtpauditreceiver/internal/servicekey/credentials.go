// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/landscape"
)

// X509Parameters are the parameters with which a service key has to be created
// to hold a certificate. Without the outer xsuaa the service broker ignores
// them and issues a client secret.
const X509Parameters = `{"xsuaa":{"credential-type":"x509","x509":{"key-length":2048,"validity":30,"validity-type":"DAYS"}}}`

// fields reads the fields of an object and remembers which ones it missed.
type fields struct {
	object

	// prefix precedes the names of the fields in errors.
	prefix  string
	missing []string
	wrong   []string
}

// optional returns the text of the field, or "" where it is absent or null.
func (f *fields) optional(name string) string {
	raw, ok := f.object[strings.ToLower(name)]
	if !ok {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		f.wrong = append(f.wrong, f.prefix+name)
	}
	return text
}

func (f *fields) required(name string) string {
	wrong := len(f.wrong)
	text := f.optional(name)
	if text == "" && len(f.wrong) == wrong {
		f.missing = append(f.missing, f.prefix+name)
	}
	return text
}

func (f *fields) err() error {
	var errs []error
	if len(f.missing) > 0 {
		errs = append(errs, fmt.Errorf("the service key lacks %s", strings.Join(f.missing, ", ")))
	}
	if len(f.wrong) > 0 {
		errs = append(errs, fmt.Errorf("not a text in the service key: %s", strings.Join(f.wrong, ", ")))
	}
	return errors.Join(errs...)
}

// fromObject reads the credentials in o: those of a service key, with uaa, or
// Kyma's flat ones.
func fromObject(o object) (Key, error) {
	root := &fields{object: o}
	endpoint, err := apiURL(root)
	if err != nil {
		return Key{}, err
	}
	key := Key{Endpoint: endpoint}
	read := key.readFlat
	if o.has("uaa") {
		read = key.readUAA
	}
	// What root lacks (the url) says more than what is wrong in its parts.
	if err := errors.Join(root.err(), read(o)); err != nil {
		return Key{}, err
	}
	return key, nil
}

// readUAA reads the credentials of a service key, which are in its field uaa.
func (k *Key) readUAA(o object) error {
	nested, ok := decodeObject(o["uaa"])
	if !ok {
		return errors.New("uaa in the service key is not a JSON object")
	}
	uaa := &fields{object: nested, prefix: "uaa."}
	k.ClientID = uaa.required("clientid")
	k.Name = uaa.optional("identityzone")
	for _, name := range []string{"tenantid", "zoneid", "identityzoneid"} {
		if k.TenantID = uaa.optional(name); k.TenantID != "" {
			break
		}
	}

	certificate := uaa.optional("certificate")
	secret := uaa.optional("clientsecret")
	var tokenField string
	switch {
	case certificate != "":
		k.AuthType, tokenField = MutualTLS, "certurl"
	case secret != "":
		k.AuthType, tokenField = ClientSecret, "url"
	case uaa.has("certurl"), uaa.optional("credential-type") == "x509":
		return errors.New("the service key holds neither uaa.clientsecret nor uaa.certificate, as when it is created " +
			"without the x509 parameters; delete it and create one with the parameters " + X509Parameters)
	default:
		uaa.missing = append(uaa.missing, "uaa.clientsecret or uaa.certificate")
		return uaa.err()
	}
	base := uaa.required(tokenField)
	keyPEM := uaa.optional("key")
	if err := uaa.err(); err != nil {
		return err
	}

	tokenURL, err := tokenURL(base, "uaa."+tokenField, k.AuthType)
	if err != nil {
		return err
	}
	k.TokenURL = tokenURL
	if k.AuthType == ClientSecret {
		k.ClientSecret = configopaque.String(secret)
		return nil
	}
	k.CertPEM = configopaque.String(UnescapePEM(certificate))
	k.KeyPEM = configopaque.String(UnescapePEM(keyPEM))
	k.NotAfter, err = CheckPair(k.CertPEM, k.KeyPEM)
	if err != nil {
		return fmt.Errorf("uaa.certificate, uaa.key: %w", err)
	}
	return nil
}

// readFlat reads Kyma's Secret auditlog-read-credentials. SAP's documentation
// calls tokenUrl the token endpoint, its sample stores the base of it there.
func (k *Key) readFlat(o object) error {
	flat := &fields{object: o}
	k.AuthType = ClientSecret
	k.ClientID = flat.required("clientID")
	k.ClientSecret = configopaque.String(flat.required("clientSecret"))
	base := flat.required("tokenUrl")
	if err := flat.err(); err != nil {
		return err
	}
	var err error
	k.TokenURL, err = tokenURL(base, "tokenUrl", ClientSecret)
	return err
}

// apiURL reads the URL of the API, and from its host whether the key is for it.
func apiURL(root *fields) (string, error) {
	text := root.required("url")
	if text == "" {
		return "", nil // root remembers it
	}
	u, err := parseURL(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("url in the service key %w", err)
	case landscape.IsTokenHost(u.Hostname()):
		return "", fmt.Errorf("url in the service key is the token service: %w (xsuaa, destination, …); "+
			"create one for an instance of %s", errOtherKey, serviceName)
	case landscape.IsSAP(u.Hostname()) && !landscape.IsAuditLog(u.Hostname()):
		return "", fmt.Errorf("url in the service key is not a host of %s: %w; create one for an instance of %[1]s",
			serviceName, errOtherKey)
	}
	return strings.TrimRight(text, "/"), nil
}

// tokenURL turns the base URL in the named field into that of the token
// request, and checks that its host takes that kind of credentials.
func tokenURL(base, field string, auth AuthType) (string, error) {
	u, err := parseURL(base)
	if err != nil {
		return "", fmt.Errorf("%s in the service key %w", field, err)
	}
	host := u.Hostname()
	switch {
	case landscape.IsAuditLog(host):
		return "", fmt.Errorf("%s in the service key is the audit log API, not the token service", field)
	case auth == ClientSecret && landscape.IsCertTokenHost(host):
		return "", fmt.Errorf("%s in the service key is a host for certificates (authentication.cert), but the key holds a client secret", field)
	case auth == MutualTLS && landscape.IsTokenHost(host) && !landscape.IsCertTokenHost(host):
		return "", fmt.Errorf("%s in the service key is not a host for certificates (authentication.cert), but the key holds a certificate", field)
	}
	return oauth.NormalizeTokenURL(base), nil
}

// parseURL accepts the absolute http and https URLs that a path can be appended to.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, errors.New("is not an https URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("has a user, query or fragment part, which does not belong there")
	}
	return u, nil
}
