package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

const chart = "helm/fieldgate"

// object is a Kubernetes object, as far as the tests look.
type object struct {
	Kind     string
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Data map[string]string
	Spec struct {
		Replicas int
		Strategy struct{ Type string }
		Selector any
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     pod
		}
		VolumeClaimTemplates []any `yaml:"volumeClaimTemplates"`
	}
}

type pod struct {
	ServiceAccountName string `yaml:"serviceAccountName"`
	SecurityContext    struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []struct {
		Image string
		Args  []string
		Env   []struct{ Name, Value string }
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct{ Name string }
}

// render gives the chart's objects by kind and name.
func render(t *testing.T, helm string, sets ...string) map[string]object {
	t.Helper()
	args := []string{"template", "release", chart, "--kube-version", "1.31.0"}
	for _, set := range sets {
		args = append(args, "--set", set)
	}
	out, err := run(t, helm, ".", args...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, out)
	}
	objects := map[string]object{}
	for d := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var o object
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatalf("read what helm made: %v\n%s", err, out)
		}
		if o.Kind != "" {
			objects[o.Kind+"/"+o.Metadata.Name] = o
		}
	}
}

func TestHelmLint(t *testing.T) {
	t.Parallel()
	helm := testdeps.Helm(t)
	for _, sets := range [][]string{{"insecure=true"}, {"tls.secretName=tls", "mode=aws", "aws.bucket=b"}} {
		args := []string{"lint", "--strict", chart}
		for _, set := range sets {
			args = append(args, "--set", set)
		}
		if out, err := run(t, helm, ".", args...); err != nil {
			t.Errorf("helm lint with %v: %v\n%s", sets, err, out)
		}
	}
}

// TestHelmRefuses holds that what is missing or wrong is said, not rendered.
func TestHelmRefuses(t *testing.T) {
	t.Parallel()
	helm := testdeps.Helm(t)
	for _, c := range []struct {
		name string
		sets []string
		want string
	}{
		{"neither TLS nor insecure", nil, "set tls.secretName to a TLS secret, or insecure to true"},
		{"no bucket", []string{"insecure=true", "mode=aws"}, "aws.bucket is the S3 bucket"},
		{"unknown mode", []string{"insecure=true", "mode=azure"}, "mode"},
		{"a role that nobody has", []string{"insecure=true", "mode=aws", "aws.bucket=b", "aws.services.stage=null"}, "the role stage is no service's"},
		{"an unknown role", []string{"insecure=true", "mode=aws", "aws.bucket=b", "aws.services.stage.roles={cook}"}, "roles"},
		{"unknown value", []string{"insecure=true", "volume.size=1Gi"}, "volume"},
		{"a prefix that no stream can have", []string{"insecure=true", "aws.prefix=Field_Gate"}, "prefix"},
	} {
		args := []string{"template", "release", chart, "--kube-version", "1.31.0"}
		for _, set := range c.sets {
			args = append(args, "--set", set)
		}
		if out, err := run(t, helm, ".", args...); err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, want a refusal with %q:\n%.500s", c.name, err, c.want, out)
		}
	}
}

func TestHelmEmbedded(t *testing.T) {
	t.Parallel()
	objects := render(t, testdeps.Helm(t), "tls.secretName=tls")
	set, ok := objects["StatefulSet/release-fieldgate"]
	if !ok {
		t.Fatalf("no stateful set among %v", slices.Sorted(maps.Keys(objects)))
	}
	if set.Spec.Replicas != 1 || len(set.Spec.VolumeClaimTemplates) != 1 {
		t.Errorf("%d replicas on %d volumes, want one on one", set.Spec.Replicas, len(set.Spec.VolumeClaimTemplates))
	}
	checkPod(t, set.Spec.Template.Spec, "data")
	checkConfig(t, objects)
	checkService(t, objects, "release-fieldgate", set)
}

// TestHelmAWS holds that each role is that of pods which start with it, scale, go one by one, and have a role of IAM, and
// that clients reach gateways and devices ingest.
func TestHelmAWS(t *testing.T) {
	t.Parallel()
	objects := render(t, testdeps.Helm(t), "tls.secretName=tls", "mode=aws", "aws.bucket=b", "aws.roleArn=arn:of:fieldgate", "aws.services.gateway.roleArn=arn:of:gateway")
	for _, role := range []string{"ingest", "stage", "compact", "gateway"} {
		d, ok := objects["Deployment/release-fieldgate-"+role]
		if !ok {
			t.Fatalf("no deployment of %s among %v", role, slices.Sorted(maps.Keys(objects)))
		}
		p := d.Spec.Template.Spec
		checkPod(t, p)
		if !slices.Equal(p.Containers[0].Args, []string{"serve", "--config", "/etc/fieldgate/fieldgate.yaml", "--roles", role}) {
			t.Errorf("%s is started with %q", role, p.Containers[0].Args)
		}
		want := "arn:of:fieldgate"
		if role == "gateway" {
			want = "arn:of:gateway"
		}
		if got := objects["ServiceAccount/"+p.ServiceAccountName].Metadata.Annotations["eks.amazonaws.com/role-arn"]; got != want {
			t.Errorf("the account of %s has the role %q", role, got)
		}
		if _, ok := objects["HorizontalPodAutoscaler/release-fieldgate-"+role]; !ok {
			t.Errorf("%s does not scale", role)
		}
		if b, ok := objects["PodDisruptionBudget/release-fieldgate-"+role]; !ok || !reflect.DeepEqual(b.Spec.Selector, d.Spec.Selector) {
			t.Errorf("drained nodes may take all pods of %s at once: %v, want a budget of %v", role, b.Spec.Selector, d.Spec.Selector)
		}
	}
	checkConfig(t, objects)
	checkService(t, objects, "release-fieldgate", objects["Deployment/release-fieldgate-gateway"])
	checkService(t, objects, "release-fieldgate-ingest", objects["Deployment/release-fieldgate-ingest"])
	if selector, ok := objects["Service/release-fieldgate"].Spec.Selector.(map[string]any); !ok || selector["fieldgate/gateway"] != "true" {
		t.Errorf("SQL goes to pods of %v", selector)
	}
}

// TestHelmOneService has one service with all roles, which one pod suffices for.
func TestHelmOneService(t *testing.T) {
	t.Parallel()
	objects := render(t, testdeps.Helm(t), "tls.secretName=tls", "mode=aws", "aws.bucket=b",
		"aws.services.ingest=null", "aws.services.stage=null", "aws.services.compact=null",
		"aws.services.gateway.roles={ingest,stage,compact,gateway}", "aws.services.gateway.replicas.min=1", "aws.services.gateway.replicas.max=1")
	d, ok := objects["Deployment/release-fieldgate-gateway"]
	if !ok || d.Spec.Replicas != 1 || !slices.Contains(d.Spec.Template.Spec.Containers[0].Args, "ingest,stage,compact,gateway") {
		t.Errorf("deployments %v, %d replicas of %v", slices.Sorted(maps.Keys(objects)), d.Spec.Replicas, d.Spec.Template.Spec.Containers)
	}
	checkService(t, objects, "release-fieldgate", d)
	checkService(t, objects, "release-fieldgate-ingest", d)
}

// checkPod holds what is true of every pod: it is nobody, writes only its volumes, and has every volume it mounts.
func checkPod(t *testing.T, p pod, claimed ...string) {
	t.Helper()
	if !p.SecurityContext.RunAsNonRoot || len(p.Containers) != 1 {
		t.Fatalf("pod is not one container without root: %+v", p)
	}
	c := p.Containers[0]
	if c.SecurityContext.AllowPrivilegeEscalation == nil || *c.SecurityContext.AllowPrivilegeEscalation || !c.SecurityContext.ReadOnlyRootFilesystem {
		t.Errorf("the container may do too much: %+v", c.SecurityContext)
	}
	volumes := slices.Clone(claimed)
	for _, v := range p.Volumes {
		volumes = append(volumes, v.Name)
	}
	mounted := false
	for _, m := range c.VolumeMounts {
		if !slices.Contains(volumes, m.Name) {
			t.Errorf("volume %s is mounted and does not exist", m.Name)
		}
		mounted = mounted || m.MountPath == "/var/lib/fieldgate"
	}
	if !mounted {
		t.Error("the data directory is on no volume")
	}
}

// checkConfig asks the program itself whether it would start with the configuration.
func checkConfig(t *testing.T, objects map[string]object) {
	t.Helper()
	text, ok := objects["ConfigMap/release-fieldgate"].Data["fieldgate.yaml"]
	if !ok {
		t.Fatal("no configuration")
	}
	file := filepath.Join(t.TempDir(), "fieldgate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, program(t), ".", "config", "--config", file); err != nil {
		t.Errorf("fieldgate refuses the configuration: %v\n%s\n%s", err, out, text)
	}
}

// checkService holds that a service selects the pods of an object.
func checkService(t *testing.T, objects map[string]object, name string, of object) {
	t.Helper()
	selector, ok := objects["Service/"+name].Spec.Selector.(map[string]any)
	if !ok || len(selector) == 0 {
		t.Fatalf("no service %s with a selector among %v", name, slices.Sorted(maps.Keys(objects)))
	}
	for label, value := range selector {
		if of.Spec.Template.Metadata.Labels[label] != value {
			t.Errorf("the service selects %s=%v, its pods have %v", label, value, of.Spec.Template.Metadata.Labels)
		}
	}
}
