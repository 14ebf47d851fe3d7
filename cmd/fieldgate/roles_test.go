package main

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
	"github.com/fieldgate/fieldgate/cmd/fieldgate/stores"
	"github.com/fieldgate/fieldgate/deploy/testdeps"
	"github.com/fieldgate/fieldgate/deploy/testdeps/faultproxy"
)

// onAWS has a server keep everything in stores that other processes can use, on
// local servers.
func onAWS(t *testing.T) func(*config.Config) {
	t.Helper()
	return onAWSWith(t, testdeps.Kinesalite(t))
}

// onAWSWith is onAWS with the logs on the Kinesis server at url.
func onAWSWith(t *testing.T, url string) func(*config.Config) {
	t.Helper()
	kinesis, dynamodb, s3 := onKinesis(t, url), onDynamoDB(t), onS3(t) // S3 alone looks at keys
	return func(c *config.Config) {
		kinesis(c)
		dynamodb(c)
		s3(c)
		c.Limits.LeaseSeconds = 5
	}
}

// adjusted is a configuration as a process of the test has it.
func adjusted(adjust func(*config.Config)) *config.Config {
	c := config.Default()
	adjust(&c)
	return &c
}

// node is a process of its own that serves some roles.
type node struct {
	instance
	*process
}

// awaitHealthy waits until the process serves.
func (n *node) awaitHealthy(t *testing.T) {
	t.Helper()
	awaitHealthy(t, n.c.HTTPAddr, n.ended)
}

// launch starts a process with a data directory of its own. It is killed with the
// test, if it has not ended before.
func launch(t *testing.T, adjust func(*config.Config), roles ...string) *node {
	t.Helper()
	c := config.Default()
	adjust(&c)
	c.Dev, c.Roles = true, roles
	c.DataDir, c.HTTPAddr, c.PGAddr = t.TempDir(), freeAddr(t), freeAddr(t)
	cmd := serveProcess(t, testBinary(t), &c, "--roles", strings.Join(roles, ","))
	if c.Now != nil {
		cmd.Env = append(cmd.Env, byClock+"="+time.Until(c.Now()).String())
	}
	return &node{instance: instance{c: c}, process: begin(t, cmd)}
}

// cluster are processes that share the roles.
type cluster struct {
	adjust                              func(*config.Config)
	ingests, stages, compacts, gateways []*node
}

// launchCluster starts so many processes of each role and waits until all serve.
func launchCluster(t *testing.T, adjust func(*config.Config), each int) *cluster {
	t.Helper()
	c := &cluster{adjust: adjust}
	for _, of := range []struct {
		role  string
		nodes *[]*node
	}{{config.RoleStage, &c.stages}, {config.RoleIngest, &c.ingests}, {config.RoleCompact, &c.compacts}, {config.RoleGateway, &c.gateways}} {
		for range each {
			*of.nodes = append(*of.nodes, launch(t, adjust, of.role))
		}
	}
	for _, n := range c.all() {
		n.awaitHealthy(t)
	}
	return c
}

func (c *cluster) all() []*node {
	var all []*node
	for _, nodes := range [][]*node{c.stages, c.ingests, c.compacts, c.gateways} {
		all = append(all, nodes...)
	}
	return all
}

// schemaSeen is how long a change of the schema may go unnoticed by other processes.
const schemaSeen = 5500 * time.Millisecond

// declareTime has the tenant's events carry their time under time.
func declareTime(t *testing.T, i *instance) {
	t.Helper()
	status, answer := i.request(t, http.MethodPatch, "/v1/schema", `{"timestamp_aliases":["time"]}`, "Content-Type", "application/merge-patch+json")
	if status != http.StatusOK {
		t.Fatalf("declare the timestamp alias: %d %s", status, answer)
	}
}

// earthquakeAnswers are what one process with the embedded stores answers to
// earthquakeQuestions.
func earthquakeAnswers(t *testing.T, lines []string) map[string]string {
	t.Helper()
	embedded := start(t, t.TempDir())
	declareTime(t, embedded)
	embedded.post(t, lines)
	embedded.eventually(t, `select count(*) from earthquake`, "1707")
	answers := map[string]string{}
	for _, q := range earthquakeQuestions {
		answers[q.sql] = embedded.query(t, q.sql)
	}
	embedded.close(t)
	return answers
}

// TestRoles has two processes of each role give the same rows as one process does
// with the embedded stores, before and after a compaction that is asked of a gateway.
func TestRoles(t *testing.T) {
	t.Parallel()
	lines := earthquakes(t)
	want := earthquakeAnswers(t, lines)
	c := launchCluster(t, onAWS(t), 2)
	declareTime(t, &c.gateways[0].instance)
	<-time.After(schemaSeen)
	half := len(lines) / 2
	c.ingests[0].post(t, lines[:half])
	c.ingests[1].post(t, lines[half:])
	c.ingests[1].post(t, lines[:half]) // once more, elsewhere
	check := func(when string) {
		t.Helper()
		for n, g := range c.gateways {
			g.eventually(t, `select count(*) from earthquake`, "1707")
			for sql, rows := range want {
				if got := g.query(t, sql); got != rows {
					t.Errorf("%s, gateway %d, %s:\n got %s\nwant %s", when, n, sql, got, rows)
				}
			}
		}
	}
	check("before compaction")
	for path, at := range map[string]*node{"/v1/events": c.stages[0], "/v1/events/m": c.gateways[0], "/v1/query": c.ingests[0]} {
		status, answer := at.request(t, http.MethodPost, path, `{}`)
		if status != http.StatusMisdirectedRequest || !strings.Contains(answer, "this process does not have the role") {
			t.Errorf("%s at a process of %v: %d %s", path, at.c.Roles, status, answer)
		}
	}
	c.gateways[1].query(t, `select fieldgate.compact()`)
	check("after compaction")
	if plan := c.gateways[0].query(t, `explain select count(*) from earthquake`); !strings.Contains(plan, "file") {
		t.Errorf("EXPLAIN names no file:\n%s", plan)
	}
	c.gateways[0].eventually(t, `select count(distinct stage), max(records) from fieldgate.lag`, "6|0")
	for _, n := range c.all() {
		n.end(syscall.SIGTERM)
		if !n.cmd.ProcessState.Success() {
			t.Errorf("a process of roles %v ended with %s", n.c.Roles, n.cmd.ProcessState)
		}
	}
}

// TestRolesOnDemand has processes of each role work on on-demand streams that they read
// by subscriptions, with scaling on, which these need none of: the rows are found once,
// also those that a stage process was reading when it was killed.
func TestRolesOnDemand(t *testing.T) {
	t.Parallel()
	proxy := faultproxy.Start(t, testdeps.KinesisLocal(t), nil) // whose answer to SubscribeToShard lacks its beginning
	adjust := onAWSWith(t, proxy.URL)
	c := launchCluster(t, func(c *config.Config) {
		adjust(c)
		c.Stream.Shards, c.Stream.FanOut, c.Stream.Scaling = 0, true, config.ScalingAuto
	}, 2)
	var lines []string
	for n := range 1000 {
		lines = append(lines, fmt.Sprintf(`{"metrictype":"m","n":%d}`, n))
	}
	c.ingests[0].post(t, lines[:400])
	c.stages[0].end(syscall.SIGKILL)
	c.ingests[1].post(t, lines[400:])
	const found = `select count(*), count(distinct n) from m`
	for _, g := range c.gateways {
		g.eventually(t, found, "1000|1000")
	}
	c.gateways[0].query(t, `select fieldgate.compact()`)
	c.gateways[1].eventually(t, found, "1000|1000")

	access, err := stores.AWSConfig(t.Context(), c.ingests[0].c.Stream.Region, proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	out, err := awskinesis.NewFromConfig(access).DescribeStreamSummary(t.Context(), &awskinesis.DescribeStreamSummaryInput{
		StreamName: aws.String(c.ingests[0].c.Stream.Prefix + "-raw"),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := out.StreamDescriptionSummary
	if s.StreamModeDetails.StreamMode != types.StreamModeOnDemand || aws.ToInt32(s.ConsumerCount) != 2 {
		t.Errorf("the raw stream is %s with %d consumers, want it on demand with 2", s.StreamModeDetails.StreamMode, aws.ToInt32(s.ConsumerCount))
	}
}

// TestStagesBehind has ingest refuse events for the time being while no process runs the
// stages, and take them once one does.
func TestStagesBehind(t *testing.T) {
	t.Parallel()
	adjust := onAWS(t)
	patience := func(roles ...string) func(*config.Config) {
		return func(c *config.Config) {
			adjust(c)
			c.Roles, c.Limits.BehindSeconds = roles, 6
		}
	}
	door := start(t, t.TempDir(), patience(config.RoleIngest))
	// answered sends a request until it is answered so: with a status, what Retry-After
	// says, and some text.
	answered := func(body string, status int, after, text string) {
		t.Helper()
		var said string
		for deadline := time.Now().Add(visibleWithin); time.Now().Before(deadline); {
			code, header, answer := door.exchange(t, http.MethodPost, "/v1/events", body)
			said = fmt.Sprint(code, " ", header.Get("Retry-After"), " ", answer)
			if code == status && header.Get("Retry-After") == after && strings.Contains(answer, text) {
				return
			}
		}
		t.Fatalf("want %d with %q, the last answer was %s", status, text, said)
	}
	const empty = "" // is refused either way, and stores nothing that could wait
	answered(empty, http.StatusBadRequest, "", "")
	answered(empty, http.StatusServiceUnavailable, "5", "events have waited for")
	stage := start(t, t.TempDir(), patience(config.RoleStage))
	answered(empty, http.StatusBadRequest, "", "")

	// What compacts reads the streams as well, and tells which waits once no process has
	// the stage.
	other := start(t, t.TempDir(), patience(config.RoleCompact, config.RoleGateway))
	stage.close(t)
	answered(`{"metrictype":"m","n":1}`, http.StatusOK, "", "receipt")
	answered(empty, http.StatusServiceUnavailable, "5", "stage raw is behind in shard")
	start(t, t.TempDir(), patience(config.RoleStage))
	// It is taken once the first is in the archive of the raw stream.
	answered(`{"metrictype":"m","n":2}`, http.StatusOK, "", "receipt")
	other.eventually(t, `select count(*), max(n) from m`, "2|2")
}

// TestQuickStartOnAWS is TestQuickStart with everything in stores that other
// processes could share.
func TestQuickStartOnAWS(t *testing.T) {
	t.Parallel()
	testQuickStart(t, environment(adjusted(onAWS(t)))...)
}

// TestQuickStartWithRoles is it where other processes stage and compact.
func TestQuickStartWithRoles(t *testing.T) {
	t.Parallel()
	adjust := onAWS(t)
	launch(t, adjust, config.RoleStage)
	launch(t, adjust, config.RoleCompact)
	testQuickStart(t, append(environment(adjusted(adjust)), "FIELDGATE_ROLES=ingest,gateway")...)
}

// TestEarthquakesOnAWS is TestEarthquakes with one process that has all roles on
// stores that others could share, and so leases.
func TestEarthquakesOnAWS(t *testing.T) {
	t.Parallel()
	testEarthquakes(t, t.TempDir(), onAWS(t))
}

// TestSeenElsewhere has what is changed at one process act at another: a schema, what
// devices send, a key, and a user with a session.
func TestSeenElsewhere(t *testing.T) {
	t.Parallel()
	adjust := onAWS(t)
	launch(t, adjust, config.RoleStage)
	ingest, one, two := launch(t, adjust, config.RoleIngest), launch(t, adjust, config.RoleGateway), launch(t, adjust, config.RoleGateway)
	for _, n := range []*node{ingest, one, two} {
		n.awaitHealthy(t)
	}
	admin := func(r adminRequest) string {
		t.Helper()
		answer, err := askServer(t.Context(), one.c.DataDir, r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if _, err := two.tryQuery(t, `select * from pump`); serverError(err) == nil || serverError(err).Code != "42P01" {
		t.Errorf("a table that is not: %v", err)
	}
	one.query(t, `create table pump (pressure double precision)`)
	two.eventually(t, `select count(*) from pump`, "0")

	// What devices sent is a table at every gateway once it is at one.
	const sent = `select count(*) from valve`
	_, err := two.tryQuery(t, sent)
	wantCode(t, "a metric that nobody sent", err, "42P01")
	ingest.post(t, []string{`{"metrictype":"valve","open":true}`})
	one.eventually(t, sent, "1")
	if got := two.query(t, sent); got != "1" {
		t.Errorf("the other gateway finds %s events", got)
	}

	key, _, _ := strings.Cut(admin(adminRequest{Command: "key add", Tenant: "demo", Scopes: []string{"ingest"}}), "\n")
	send := func() int {
		t.Helper()
		status, _ := ingest.request(t, http.MethodPost, "/v1/events/pump", `{"pressure":1}`, "X-Api-Key", key)
		return status
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(visibleWithin); !is(); {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within %v", what, visibleWithin)
			}
		}
	}
	until("a new key", func() bool { return send() == http.StatusOK })
	for _, line := range strings.Split(admin(adminRequest{Command: "key list", Tenant: "demo"}), "\n") {
		if id, rest, _ := strings.Cut(line, " "); strings.Contains(rest, "[ingest]") {
			admin(adminRequest{Command: "key revoke", Name: id})
		}
	}
	until("a revoked key", func() bool { return send() == http.StatusUnauthorized })

	admin(adminRequest{Command: "user add", Tenant: "demo", Name: "eve", Password: "secret"})
	var session *pgconn.PgConn
	until("a new user", func() bool {
		var err error
		session, err = pgconn.Connect(t.Context(), "postgres://eve:secret@"+two.c.PGAddr+"/demo?sslmode=disable")
		return err == nil
	})
	admin(adminRequest{Command: "user drop", Tenant: "demo", Name: "eve"})
	_, err = session.ReceiveMessage(t.Context())
	wantCode(t, "the session of a dropped user at another gateway", err, "57P01")
}
