// Package deploy_test checks what runs Fieldgate elsewhere: the Terraform module, the Helm chart, the image's recipe.
package deploy_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// terraform is the module, parsed.
type terraform struct {
	// declared are addresses as references begin: var.x, local.x, data.t.n, t.n; the value says where.
	declared map[string]hcl.Range
	// used are the references, by the same addresses.
	used map[string][]hcl.Range
	// blocks are all resources and data sources by address.
	blocks map[string]*hclsyntax.Block
}

// instance are the roots of references that mean the instance, the block or the module itself.
var instance = []string{"each", "count", "self", "path", "terraform"}

func parseTerraform(t *testing.T) terraform {
	t.Helper()
	files, err := filepath.Glob("terraform/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Terraform files: %v", err)
	}
	m := terraform{declared: map[string]hcl.Range{}, used: map[string][]hcl.Range{}, blocks: map[string]*hclsyntax.Block{}}
	parser := hclparse.NewParser()
	for _, file := range files {
		parsed, diags := parser.ParseHCLFile(file)
		if diags.HasErrors() {
			t.Fatalf("parse: %v", diags)
		}
		body, ok := parsed.Body.(*hclsyntax.Body)
		if !ok {
			t.Fatalf("%s: not native syntax", file)
		}
		for _, b := range body.Blocks {
			m.declare(t, b)
			if b.Type == "variable" {
				delete(b.Body.Attributes, "type") // its words are types, not references
			}
			m.use(b.Body, nil)
		}
	}
	return m
}

func (m *terraform) declare(t *testing.T, b *hclsyntax.Block) {
	t.Helper()
	add := func(address string, at hcl.Range) {
		if other, twice := m.declared[address]; twice {
			t.Errorf("%s: %s is declared at %s too", at, address, other)
		}
		m.declared[address] = at
	}
	switch b.Type {
	case "variable":
		add("var."+b.Labels[0], b.Range())
	case "locals":
		for name, a := range b.Body.Attributes {
			add("local."+name, a.Range())
		}
	case "resource", "data":
		address := strings.Join(b.Labels, ".")
		if b.Type == "data" {
			address = "data." + address
		}
		add(address, b.Range())
		m.blocks[address] = b
	}
}

// use notes the references of a body. Dynamic blocks have an iterator of their own name.
func (m *terraform) use(body *hclsyntax.Body, iterators []string) {
	for name, a := range body.Attributes {
		for _, v := range a.Expr.Variables() {
			root := v.RootName()
			// A lifecycle's ignore_changes names attributes, depends_on resources.
			if slices.Contains(instance, root) || slices.Contains(iterators, root) || name == "ignore_changes" {
				continue
			}
			address := address(v)
			m.used[address] = append(m.used[address], v.SourceRange())
		}
	}
	for _, b := range body.Blocks {
		inner := iterators
		if b.Type == "dynamic" {
			inner = append(slices.Clone(iterators), b.Labels[0])
		}
		m.use(b.Body, inner)
	}
}

// address is what a reference begins with: two names, or three of a data source.
func address(v hcl.Traversal) string {
	names := []string{v.RootName()}
	want := 2
	if names[0] == "data" {
		want = 3
	}
	for _, step := range v[1:] {
		attr, ok := step.(hcl.TraverseAttr)
		if !ok || len(names) == want {
			break
		}
		names = append(names, attr.Name)
	}
	return strings.Join(names, ".")
}

func TestTerraformReferences(t *testing.T) {
	t.Parallel()
	m := parseTerraform(t)
	for _, used := range slices.Sorted(maps.Keys(m.used)) {
		if _, ok := m.declared[used]; !ok {
			t.Errorf("%s: %s is not declared", m.used[used][0], used)
		}
	}
	for _, declared := range slices.Sorted(maps.Keys(m.declared)) {
		must := strings.HasPrefix(declared, "var.") || strings.HasPrefix(declared, "local.") || strings.HasPrefix(declared, "data.")
		if must && len(m.used[declared]) == 0 {
			t.Errorf("%s: %s is not used", m.declared[declared], declared)
		}
	}
}

// TestTerraformDescribes holds that every variable and output says what it is, and every resource that can have tags has
// the installation's.
func TestTerraformDescribes(t *testing.T) {
	t.Parallel()
	parser := hclparse.NewParser()
	described := 0
	for _, file := range []string{"terraform/variables.tf", "terraform/outputs.tf"} {
		parsed, diags := parser.ParseHCLFile(file)
		if diags.HasErrors() {
			t.Fatalf("parse: %v", diags)
		}
		for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
			if b.Body.Attributes["description"] == nil {
				t.Errorf("%s: %s %s has no description", b.Range(), b.Type, b.Labels[0])
			}
			described++
		}
	}
	if described == 0 {
		t.Error("no variable and no output")
	}
	tagged := []string{
		"aws_kinesis_stream", "aws_dynamodb_table", "aws_s3_bucket", "aws_kms_key", "aws_iam_role", "aws_ecs_service", "aws_ecs_cluster",
		"aws_ecs_task_definition", "aws_lb", "aws_lb_listener", "aws_lb_target_group", "aws_security_group",
		"aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_lambda_function", "aws_lambda_event_source_mapping", "aws_sqs_queue",
	}
	seen := map[string]bool{}
	for address, b := range parseTerraform(t).blocks {
		if b.Type == "resource" && slices.Contains(tagged, b.Labels[0]) {
			seen[b.Labels[0]] = true
			if b.Body.Attributes["tags"] == nil {
				t.Errorf("%s: %s has no tags", b.Range(), address)
			}
		}
	}
	for _, kind := range tagged {
		if !seen[kind] {
			t.Errorf("no resource of type %s", kind)
		}
	}
}

// TestTerraformLeastPrivilege reads the policies of the roles: no action is a wildcard, and no statement is about every
// resource, but of actions that AWS allows for no single one ("Actions defined by Amazon CloudWatch", Service Authorization
// Reference).
func TestTerraformLeastPrivilege(t *testing.T) {
	t.Parallel()
	ofNoResource := []string{"cloudwatch:GetMetricData"}
	statements := 0
	for address, b := range parseTerraform(t).blocks {
		// The key's own policy is about the key, and the bucket's denies.
		if b.Labels[0] != "aws_iam_policy_document" || address == "data.aws_iam_policy_document.key" || address == "data.aws_iam_policy_document.bucket" {
			continue
		}
		for _, s := range statementsOf(b.Body) {
			statements++
			actions := textsOf(t, s, "actions")
			if len(actions) == 0 {
				t.Errorf("%s: no action is written out", s.Range())
			}
			for _, a := range actions {
				if strings.Contains(a, "*") {
					t.Errorf("%s: action %s is a wildcard", s.Range(), a)
				}
			}
			if slices.Contains(textsOf(t, s, "resources"), "*") && !slices.Equal(actions, ofNoResource) {
				t.Errorf("%s: %v on every resource", s.Range(), actions)
			}
		}
	}
	if statements < 10 {
		t.Errorf("%d statements, the roles have more", statements)
	}
}

// TestTerraformRoles holds that each role of the program has a policy of its own, and that none may do what is another's.
func TestTerraformRoles(t *testing.T) {
	t.Parallel()
	m := parseTerraform(t)
	writes := regexp.MustCompile(`:(Put|Delete|Create|Update|BatchWrite|Register|Increase|Decrease|Abort)`)
	for role, forbidden := range map[string]*regexp.Regexp{
		"ingest":  regexp.MustCompile(`^dynamodb:|kinesis:Get|:Delete`),
		"stage":   regexp.MustCompile(`kinesis:UpdateShardCount|:Delete`),
		"compact": regexp.MustCompile(`kinesis:(Subscribe|Register|Increase|Decrease)`),
		"gateway": writes,
	} {
		b := m.blocks["data.aws_iam_policy_document."+role]
		if b == nil {
			t.Errorf("no policy of role %s", role)
			continue
		}
		found := 0
		for _, s := range statementsOf(b.Body) {
			for _, action := range textsOf(t, s, "actions") {
				found++
				if forbidden.MatchString(action) {
					t.Errorf("%s: %s may do %s", s.Range(), role, action)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: the policy of role %s allows nothing", b.Range(), role)
		}
	}
}

// statementsOf lists the bodies of a policy's statements, dynamic ones too.
func statementsOf(body *hclsyntax.Body) []*hclsyntax.Body {
	var out []*hclsyntax.Body
	for _, b := range body.Blocks {
		switch {
		case b.Type == "statement":
			out = append(out, b.Body)
		case b.Type == "dynamic" && b.Labels[0] == "statement":
			for _, c := range b.Body.Blocks {
				if c.Type == "content" {
					out = append(out, c.Body)
				}
			}
		}
	}
	return out
}

// textsOf gives the plain texts of a list; a reference is none.
func textsOf(t *testing.T, body *hclsyntax.Body, name string) []string {
	t.Helper()
	a := body.Attributes[name]
	if a == nil {
		return nil
	}
	list, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		return nil
	}
	var out []string
	for _, e := range list {
		if v, diags := e.Value(nil); !diags.HasErrors() {
			out = append(out, v.AsString())
		}
	}
	return out
}

// setting is a variable of the program's environment.
var setting = regexp.MustCompile(`\bFIELDGATE_[A-Z_]+\b`)

// TestTerraformSettings holds every setting that the services get against the keys that the program knows.
func TestTerraformSettings(t *testing.T) {
	t.Parallel()
	known := settings(t)
	found := 0
	for _, file := range []string{"terraform/services.tf", "terraform/functions.tf"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range setting.FindAllString(string(text), -1) {
			found++
			if !known[name] {
				t.Errorf("%s: %s is no setting of `fieldgate config`", file, name)
			}
		}
	}
	if found == 0 {
		t.Error("the services get no setting")
	}
}

// TestTerraformMappings holds what a mapping must be for a function to lose nothing: it begins at the oldest record, has one
// batch of a shard at a time, goes on from where the answer says, and never gives up.
func TestTerraformMappings(t *testing.T) {
	t.Parallel()
	b := parseTerraform(t).blocks["aws_lambda_event_source_mapping.stage"]
	if b == nil {
		t.Fatal("no mapping")
	}
	text, err := os.ReadFile(b.Range().Filename)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"starting_position": `"TRIM_HORIZON"`, "parallelization_factor": "1", "bisect_batch_on_function_error": "true",
		"maximum_retry_attempts": "-1", "maximum_record_age_in_seconds": "-1", "function_response_types": `["ReportBatchItemFailures"]`,
	} {
		a := b.Body.Attributes[name]
		if a == nil {
			t.Errorf("%s: %s is not said", b.Range(), name)
			continue
		}
		if got := string(a.Expr.Range().SliceBytes(text)); got != want {
			t.Errorf("%s: %s is %s, want %s", a.Range(), name, got, want)
		}
	}
	if b.Body.Attributes["filter_criteria"] != nil || slices.ContainsFunc(b.Body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == "filter_criteria" }) {
		t.Error("a filter passes over records")
	}
}

// TestTerraformAlarms holds each alarm's dimensions against those that its service gives the metric by: an alarm over others
// is valid, and never has a value. ("Metrics and dimensions" of each service's guide; ECS/ContainerInsights: "Amazon ECS
// Container Insights metrics".)
func TestTerraformAlarms(t *testing.T) {
	t.Parallel()
	given := map[string][]string{
		"AWS/Kinesis GetRecords.IteratorAgeMilliseconds":     {"StreamName"},
		"AWS/Kinesis WriteProvisionedThroughputExceeded":     {"StreamName"},
		"AWS/Lambda IteratorAge":                             {"FunctionName"},
		"AWS/Lambda Errors":                                  {"FunctionName"},
		"AWS/SQS ApproximateNumberOfMessagesVisible":         {"QueueName"},
		"AWS/NetworkELB UnHealthyHostCount":                  {"LoadBalancer", "TargetGroup"},
		"AWS/ECS MemoryUtilization":                          {"ClusterName", "ServiceName"},
		"ECS/ContainerInsights RunningTaskCount":             {"ClusterName", "ServiceName"},
		"AWS/DynamoDB ReadThrottleEvents":                    {"TableName"},
		"AWS/DynamoDB WriteThrottleEvents":                   {"TableName"},
		"var.prefix local.errors_metric, by a metric filter": nil, "var.prefix local.refused_metric, by a metric filter": nil,
	}
	parsed, diags := hclparse.NewParser().ParseHCLFile("terraform/alarms.tf")
	if diags.HasErrors() {
		t.Fatalf("parse: %v", diags)
	}
	seen := map[string]bool{}
	var visit hclsyntax.VisitFunc = func(n hclsyntax.Node) hcl.Diagnostics {
		object, is := n.(*hclsyntax.ObjectConsExpr)
		if !is {
			return nil
		}
		values := map[string]hclsyntax.Expression{}
		for _, item := range object.Items {
			values[hcl.ExprAsKeyword(item.KeyExpr)] = item.ValueExpr
		}
		by, is := values["dimensions"].(*hclsyntax.ObjectConsExpr)
		if !is {
			return nil
		}
		var dimensions []string
		for _, item := range by.Items {
			dimensions = append(dimensions, hcl.ExprAsKeyword(item.KeyExpr))
		}
		slices.Sort(dimensions)
		metric := textOrReference(values["namespace"]) + " " + textOrReference(values["metric"])
		if strings.HasPrefix(metric, "var.") {
			metric += ", by a metric filter"
		}
		want, known := given[metric]
		if seen[metric] = true; !known || !slices.Equal(dimensions, want) {
			t.Errorf("%s: %s by %v, is given by %v", object.Range(), metric, dimensions, want)
		}
		return nil
	}
	for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
		if b.Type == "locals" {
			_ = hclsyntax.VisitAll(b.Body.Attributes["alarms"].Expr, visit) // it has no diagnostics
		}
	}
	for metric := range given {
		if !seen[metric] {
			t.Errorf("no alarm of %s", metric)
		}
	}
}

// textOrReference is a plain text, or the name that is referred to.
func textOrReference(e hclsyntax.Expression) string {
	if v, diags := e.Value(nil); !diags.HasErrors() {
		return v.AsString()
	}
	for _, v := range e.Variables() {
		return address(v)
	}
	return ""
}

// TestTerraformTool asks the tool itself, where there is one: the form of the files, and with the provider at hand whether
// they are valid.
func TestTerraformTool(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not at hand")
	}
	dir := filepath.Join(t.TempDir(), "module")
	if err := os.CopyFS(dir, os.DirFS("terraform")); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, tool, dir, "fmt", "-check", "-diff", "-no-color"); err != nil {
		t.Errorf("terraform fmt: %v\n%s", err, out)
	}
	if out, err := run(t, tool, dir, "init", "-backend=false", "-input=false", "-no-color"); err != nil {
		t.Skipf("the form is right; the provider to validate with cannot be had: %.300s", out)
	}
	out, err := run(t, tool, dir, "validate", "-json", "-no-color")
	var verdict struct {
		Valid       bool
		Diagnostics []struct{ Summary, Detail string }
	}
	if jsonErr := json.Unmarshal(out, &verdict); jsonErr != nil {
		t.Fatalf("terraform validate: %v, %v\n%s", err, jsonErr, out)
	}
	if !verdict.Valid {
		t.Errorf("terraform validate: %v", verdict.Diagnostics)
	}
}

// run runs a program in a folder. The output holds what it said on standard error if it failed.
func run(t *testing.T, program, dir string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		out = append(out, exit.Stderr...)
	}
	return out, err
}
