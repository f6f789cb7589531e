// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"time"
)

// Marker is the text in the fields of event number n by which it is found
// again, wherever it ended up.
func Marker(n int64) string { return fmt.Sprintf("evt-%08d", n) }

var markerPattern = regexp.MustCompile(`evt-(\d{8,18})`)

// Find returns the numbers of the markers in the text, in their order, each as
// often as it occurs. A generated event holds its marker exactly once.
func Find(text []byte) []int64 {
	var found []int64
	for _, m := range markerPattern.FindAllSubmatch(text, -1) {
		n, err := strconv.ParseInt(string(m[1]), 10, 64)
		if err == nil {
			found = append(found, n)
		}
	}
	return found
}

// bareEvery is how often an event comes with every nullable field null at once.
const bareEvery = 40

// generator makes events. The same seed and number always give the same event,
// apart from its times, which depend on when it arrived.
type generator struct {
	seed   uint64
	tenant string
}

// event returns the JSON of an event that arrived at the given time, in Unix
// nanoseconds.
func (g generator) event(number, arrived int64) []byte {
	r := rand.New(rand.NewPCG(g.seed, uint64(number))) //nolint:gosec // repeatable on purpose
	late := time.Duration(r.IntN(300_000)) * time.Millisecond
	d := &draft{
		Rand:   r,
		marker: Marker(number),
		at:     time.Unix(0, arrived).UTC().Add(-late),
		bare:   number%bareEvery == 0,
	}
	switch p := r.IntN(100); {
	case p < 52:
		d.activityMonitoring()
	case p < 65:
		d.incident()
	case p < 76:
		d.policyViolation()
	case p < 83:
		d.remediation()
	case p < 93:
		d.adminAudit()
	case p < 97:
		d.behaviourThreat()
	default:
		d.unheardOf()
	}
	d.nullable("serial", g.tenant, 2)
	d.timestamp()
	if r.IntN(50) == 0 {
		d.raw(pick(d, "schema_rev", "risk_labels", "context"), pick(d, `7`, `["new","field"]`, `{"origin":{"id":9007199254740993,"ok":true}}`))
	}
	return d.encode()
}

func (d *draft) activityMonitoring() {
	d.str("log_type", "activity_monitoring")
	d.severity()
	d.str("item_type", pick(d, "File", "file", "FILE", "Folder", "User", "user"))
	d.str("item_name", d.itemName())
	if d.IntN(3) == 0 {
		d.str("item_unique_id", d.hex(24))
	}
	d.str("user", pick(d, userNames...))
	d.nullable("source_ip", d.address(), 15)
	d.nullable("location", pick(d, locations...), 20)
	d.str("action", pick(d, "create", "delete", "preview", "download", "upload", "share", "sync", "copy", "edit", "authorize", "join", "login_failed"))
	d.nullable("target_name", pick(d, "Finance", "Public Link", "vendors@example.net"), 50)
	d.nullable("target_type", pick(d, "", "folder", "user", "link"), 30)
	d.instance()
}

func (d *draft) incident() {
	d.str("log_type", "incident")
	d.severity()
	d.asset(true)
	d.str("exposure", pick(d, "public", "PUBLIC", "Public", "external", "EXTERNAL", "External", "company", "COMPANY", "internal", "Internal", "Unknown"))
	d.rawNullable("occurrences_by_rule", d.count(500), 25)
	d.nullable("incident_id", d.hex(32), 5)
	d.str("policy_rule_name", pick(d, policies...))
	d.nullable("incident_category", pick(d, "business justified", "misidentified", "in progress"), 60)
	d.nullable("incident_owner", pick(d, people...), 60)
	if d.IntN(10) == 0 {
		d.raw("collaborators", pick(d, `""`, `"vendors@example.net"`, `["vendors@example.net","lee@example.com"]`))
		d.str("item_verdict", pick(d, "benign", "malware", "grayware"))
		d.str("item_sha256", d.hex(64))
		d.str("item_cloud_url", "https://files.example.com/"+d.hex(12))
	}
	d.instance()
}

func (d *draft) policyViolation() {
	d.str("log_type", "policy_violation")
	d.severity()
	d.asset(false)
	d.actionTaken()
	d.nullable("incident_id", d.hex(32), 40)
	d.str("policy_rule_name", pick(d, policies...))
	d.instance()
}

func (d *draft) remediation() {
	d.str("log_type", "remediation")
	d.asset(true)
	d.actionTaken()
	d.nullable("incident_id", d.hex(32), 5)
	d.str("policy_rule_name", pick(d, policies...))
	d.instance()
}

func (d *draft) adminAudit() {
	d.str("log_type", "admin_audit")
	d.str("admin_id", "admin@example.com")
	d.str("admin_role", pick(d, "super_admin", "admin", "limited_admin", "read_only"))
	d.str("ip", d.address())
	d.str("event_type", pick(d, "settings", "policy", "remediation", "login"))
	d.str("item_type", pick(d, "user", "apps", "settings", "content_policy", "file", "risk", "general_settings"))
	d.str("item_name", d.itemName())
	if d.IntN(3) > 0 {
		d.str("field", pick(d, "status", "role", "name"))
	}
	d.str("action", pick(d, "create", "edit", "delete", "login", "logout", "sign_in", "sign_out"))
	d.nullable("resource_value_old", pick(d, "enabled", "read_only", `{"rule":"off"}`), 40)
	d.nullable("resource_value_new", pick(d, "disabled", "admin", `{"rule":"on"}`), 40)
}

func (d *draft) behaviourThreat() {
	d.str("log_type", "ba_incident_event")
	d.str("description", pick(d, "Unusual mass download", "Login from a new country", "Riskiger Zugriff über VPN")+" "+d.marker)
	d.str("date", d.at.Add(-time.Duration(d.IntN(3600))*time.Second).Format(pick(d, time.RFC3339, time.DateTime)))
	d.severity()
	d.str("policy_id", strconv.Itoa(d.IntN(90)))
	d.str("user_email", "dana@example.com")
}

// unheardOf types must pass through, whatever they look like.
func (d *draft) unheardOf() {
	if logType := pick(d, "posture_finding", "App Access Event", "user-risk-score", "", "null"); logType == "null" {
		d.raw("log_type", "null")
	} else {
		d.str("log_type", logType)
	}
	d.severity()
	d.str("item_name", d.itemName())
	d.raw("score", pick(d, "0.1", "12345678901234567890", "1e3", "-7"))
	d.raw("findings", `[{"id":1,"text":null},{"id":2,"text":"ok"}]`)
}

func (d *draft) asset(container bool) {
	d.str("item_type", pick(d, "File", "file", "Folder"))
	d.str("item_name", d.itemName())
	d.str("asset_id", d.hex(24+8*d.IntN(2)))
	d.nullable("item_owner", pick(d, people...), 10)
	d.nullable("item_creator", pick(d, "Lee Park", "Sam Roy", "Possible External Application Or Not Logged In User", "Unknown"), 10)
	d.nullable("item_owner_email", pick(d, "lee@example.com", "sam@example.com", ""), 15)
	d.nullable("item_creator_email", pick(d, "lee@example.com", ""), 15)
	if container {
		d.nullable("container_name", "finance-bucket", 70)
	}
}

func (d *draft) actionTaken() {
	d.str("action_taken", pick(d, "quarantine", "download", "Log only", "Send Administrator Alert", "restore"))
	d.str("action_taken_by", pick(d, "Aperture", "admin@example.com"))
}

func (d *draft) instance() {
	d.str("cloud_app_instance", pick(d, "Box Prod", "OneDrive EU", "Google Drive", "AWS S3", "Salesforce"))
}

var (
	userNames = []string{"dana@example.com", "lee@example.com", "Sam Roy", "Zoë Ångström", "svc-backup", "Possible External Application Or Not Logged In User", "Unknown", ""}
	people    = []string{"Lee Park", "Sam Roy", "Zoë Ångström", "王小明"}
	locations = []string{"Lyon, Auvergne-Rhone-Alpes, France", "Austin, Texas, United States", "Unknown"}
	policies  = []string{"PCI", "PCI, Sensitive documents", "Confidential", "GDPR - Personal Data"}
	fileNames = []string{"q3-forecast %s.xlsx", "cards %s.csv", "Übersicht %s.docx", `path\to\"%s".txt`, "plan %s 📄.pdf"}
)
