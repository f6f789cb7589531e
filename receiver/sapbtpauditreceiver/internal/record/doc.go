// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package record turns pages of SAP's audit log retrieval API into log records.
//
// [Split] cuts a page into records and gives each its [Key], by which repeated readings are recognised. [Mapper.Append]
// makes a log record of one. What cannot be understood is kept as the text it is.
//
// The API's shapes are facts of SAP-docs 30ece35 (retrieval), 64e99bb (fields by category), d888e5e (records that the
// retrieval causes) and d8f4b7c (events of the authorization service), and of recorded data.
package record
