// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"go.yaml.in/yaml/v3"
)

// event is a golden record of sap_btp_audit.
type event struct {
	file       string // of the payload, without its ending
	name       string
	severity   string
	attributes map[string]string
	body       any
	ocsf       string // type_uid and names
}

// odd are the payloads that show how hostile, broken or oddly written events are read; what is in them is in others, too.
var odd = map[string]bool{"uaa_imitations": true, "oddities": true, "addresses": true, "body_string": true}

// readEvents reads the golden records with their OCSF events.
func readEvents(root string) (events []event, err error) {
	paths, err := filepath.Glob(below(root, "testdata/sap-btp-audit/golden/*.yaml"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no golden files below %s", root))
	}
	classes, err := readClasses(root)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		file := strings.TrimSuffix(filepath.Base(path), ".yaml")
		if odd[file] {
			continue
		}
		logs, err := golden.ReadLogs(path)
		if err != nil {
			return nil, err
		}
		shapes, err := readShapes(below(root, "examples/ocsf/testdata/sap-btp-audit/"+file+".yaml"))
		if err != nil {
			return nil, err
		}
		for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			e := event{file: file, name: record.EventName(), severity: record.SeverityText(), attributes: map[string]string{}, body: record.Body().AsRaw()}
			for key, value := range record.Attributes().All() {
				e.attributes[key] = value.AsString()
			}
			uid := e.attributes["log.record.uid"]
			if len(shapes) == 0 || shapes[0].Metadata.UID != uid {
				return nil, fmt.Errorf("the OCSF events of %s are out of date: go test ./examples -run Payload -update", file)
			}
			e.ocsf = shapes[0].describe(classes)
			shapes = shapes[1:]
			events = append(events, e)
		}
	}
	return events, nil
}

// shape is what is read of an OCSF event.
type shape struct {
	Class        int    `yaml:"class_uid"`
	Activity     int    `yaml:"activity_id"`
	ActivityName string `yaml:"activity_name"`
	Type         int    `yaml:"type_uid"`
	Metadata     struct {
		UID string `yaml:"uid"`
	} `yaml:"metadata"`
}

func readShapes(path string) (shapes []shape, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	err = yaml.Unmarshal(text, &shapes)
	return shapes, err
}

func (s shape) describe(classes map[string]string) string {
	if s.Class == 0 {
		return "0 " + classes["0"]
	}
	text := fmt.Sprintf("%d %s, activity %d", s.Class, classes[strconv.Itoa(s.Class)], s.Activity)
	if s.ActivityName != "" {
		text += " (" + s.ActivityName + ")"
	}
	return text
}

// readClasses reads the names of OCSF's classes.
func readClasses(root string) (map[string]string, error) {
	text, err := os.ReadFile(below(root, "examples/ocsf/testdata/schema.json"))
	if err != nil {
		return nil, err
	}
	var schema struct {
		Classes map[string]struct {
			Name string `json:"name"`
		} `json:"classes"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for uid, class := range schema.Classes {
		names[uid] = class.Name
	}
	return names, nil
}

// sample is the message in the body as JSON, with long texts cut. What stands around it is in the message, too.
func (e event) sample() (string, error) {
	sample := e.body
	if record, isMap := sample.(map[string]any); isMap && record["message"] != nil {
		sample = record["message"]
	}
	text, err := json.MarshalIndent(shorten(sample), "", "  ")
	return string(text), err
}

const longest = 400

func shorten(value any) any {
	switch v := value.(type) {
	case string:
		return cut(v, longest)
	case map[string]any:
		for key, member := range v {
			v[key] = shorten(member)
		}
	case []any:
		for i, member := range v {
			v[i] = shorten(member)
		}
	}
	return value
}

func cut(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n]) + "…"
}
