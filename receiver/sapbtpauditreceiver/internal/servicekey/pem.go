// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
)

// UnescapePEM turns the \n and \r\n of a PEM text that was copied out of JSON,
// a backslash and a letter, into line ends. PEM itself has no backslashes.
func UnescapePEM(text string) string {
	return strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\r`, "\n").Replace(text)
}

// CheckPair checks that a client certificate (with its chain) and its private
// key are readable and belong together, and returns when the certificate
// expires. An empty key is not looked at. Errors quote nothing of either.
func CheckPair(certificate, key configopaque.String) (time.Time, error) {
	block := firstBlock([]byte(certificate), func(kind string) bool { return kind == "CERTIFICATE" })
	if block == nil {
		return time.Time{}, errors.New("the certificate is not in PEM form")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, errors.New("the certificate is damaged: its first PEM block is no X.509 certificate")
	}
	if key == "" {
		return leaf.NotAfter, nil
	}

	private := firstBlock([]byte(key), func(kind string) bool { return strings.HasSuffix(kind, "PRIVATE KEY") })
	switch {
	case private == nil:
		return time.Time{}, errors.New("the private key is not in PEM form")
	case private.Type == "ENCRYPTED PRIVATE KEY" || private.Headers["DEK-Info"] != "":
		return time.Time{}, errors.New("the private key is encrypted; give it without a passphrase")
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		return time.Time{}, errors.New("certificate and private key do not belong together, or the key is damaged; " +
			"take both from the same service key")
	}
	return leaf.NotAfter, nil
}

func firstBlock(text []byte, wanted func(kind string) bool) *pem.Block {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil || wanted(block.Type) {
			return block
		}
	}
}
