// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type named struct {
	Name string `yaml:"name"`
}

type mount struct {
	Name      string `yaml:"name"`
	MountPath string `yaml:"mountPath"`
}

// statefulSet is what the test looks at.
type statefulSet struct {
	Spec struct {
		Replicas int `yaml:"replicas"`
		Template struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args []string `yaml:"args"`
					Env  []struct {
						Name  string `yaml:"name"`
						Value string `yaml:"value"`
					} `yaml:"env"`
					Image string `yaml:"image"`
					Ports []struct {
						ContainerPort int `yaml:"containerPort"`
					} `yaml:"ports"`
					VolumeMounts []mount `yaml:"volumeMounts"`
				} `yaml:"containers"`
				Volumes []struct {
					Name      string `yaml:"name"`
					ConfigMap named  `yaml:"configMap"`
					Secret    struct {
						Name  string `yaml:"secretName"`
						Items []struct {
							Path string `yaml:"path"`
						} `yaml:"items"`
					} `yaml:"secret"`
				} `yaml:"volumes"`
			} `yaml:"spec"`
		} `yaml:"template"`
		VolumeClaimTemplates []struct {
			Metadata named `yaml:"metadata"`
		} `yaml:"volumeClaimTemplates"`
	} `yaml:"spec"`
}

// The manifest and the configuration are two files that have to agree.
func TestKubernetesManifestGivesWhatItsConfigNeeds(t *testing.T) {
	var set statefulSet
	readYAML(t, "kubernetes/statefulset.yaml", &set)
	var kustomization struct {
		ConfigMapGenerator []named `yaml:"configMapGenerator"`
		Images             []named `yaml:"images"`
	}
	readYAML(t, "kubernetes/kustomization.yaml", &kustomization)
	var config struct {
		Extensions struct {
			State struct {
				Directory string `yaml:"directory"`
			} `yaml:"file_storage/state"`
			Health struct {
				Endpoint string `yaml:"endpoint"`
			} `yaml:"health_check"`
		} `yaml:"extensions"`
		Service struct {
			Pipelines map[string]struct {
				Receivers []string `yaml:"receivers"`
			} `yaml:"pipelines"`
		} `yaml:"service"`
	}
	text := readYAML(t, "kubernetes/config.yaml", &config)

	require.Equal(t, []string{"sap_btp_audit", "saas_security"}, config.Service.Pipelines["logs/audit"].Receivers)
	require.Equal(t, 1, set.Spec.Replicas, "two would deliver everything twice")
	require.Equal(t, 90, set.Spec.Template.Spec.Grace, "as the README of saas_security says")
	require.Len(t, set.Spec.Template.Spec.Containers, 1)
	container := set.Spec.Template.Spec.Containers[0]

	env := map[string]string{}
	for _, e := range container.Env {
		env[e.Name] = e.Value
	}
	for _, variable := range regexp.MustCompile(`\$\{env:(\w+)\}`).FindAllStringSubmatch(text, -1) {
		require.Contains(t, env, variable[1])
	}

	volumeAt := map[string]string{}
	for _, m := range container.VolumeMounts {
		volumeAt[m.MountPath] = m.Name
	}
	require.Len(t, set.Spec.VolumeClaimTemplates, 1)
	require.Equal(t, set.Spec.VolumeClaimTemplates[0].Metadata.Name, volumeAt[config.Extensions.State.Directory], "the state is on the volume")
	require.Equal(t, "sap", volumeAt[path.Dir(env["SAP_SERVICE_KEY_FILE"])])
	require.Equal(t, "saas", volumeAt[path.Dir(env["SAAS_CLIENT_SECRET_FILE"])])
	saas := set.Spec.Template.Spec.Volumes[2]
	require.Equal(t, "saas", saas.Name)
	require.Equal(t, "saas-security", saas.Secret.Name)
	require.Equal(t, path.Base(env["SAAS_CLIENT_SECRET_FILE"]), saas.Secret.Items[0].Path)
	require.Len(t, container.Args, 1)
	require.Equal(t, "config", volumeAt[path.Dir(strings.TrimPrefix(container.Args[0], "--config="))])
	require.Equal(t, "config", set.Spec.Template.Spec.Volumes[0].Name)
	require.Equal(t, kustomization.ConfigMapGenerator[0].Name, set.Spec.Template.Spec.Volumes[0].ConfigMap.Name)
	require.Equal(t, kustomization.Images[0].Name, container.Image)

	require.True(t, strings.HasSuffix(config.Extensions.Health.Endpoint, ":13133"))
	require.Len(t, container.Ports, 2)
	require.Equal(t, 8888, container.Ports[0].ContainerPort)
	require.Equal(t, 13133, container.Ports[1].ContainerPort)
}

// readYAML decodes the first document of a file and returns the file.
func readYAML(t *testing.T, file string, into any) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, into))
	return string(raw)
}
