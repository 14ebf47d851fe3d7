package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// built builds the program when it is first asked for, into the folder that TestMain removes.
var built func() (string, error)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fieldgate-deploy-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		os.Exit(1)
	}
	built = sync.OnceValues(func() (string, error) {
		path := filepath.Join(dir, "fieldgate")
		out, err := exec.Command("go", "build", "-o", path, "../cmd/fieldgate").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build fieldgate: %w\n%s", err, out)
		}
		return path, nil
	})
	status := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "remove the program:", err)
	}
	os.Exit(status)
}

// program is the path of the program.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// settings are the names of the program's settings in the environment, as `fieldgate config` prints them.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	out, err := run(t, program(t), ".", "config")
	if err != nil {
		t.Fatalf("fieldgate config: %v\n%s", err, out)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(out, &keys); err != nil {
		t.Fatalf("fieldgate config: %v", err)
	}
	known := map[string]bool{}
	var add func(prefix string, keys map[string]any)
	add = func(prefix string, keys map[string]any) {
		for key, value := range keys {
			name := prefix + "_" + strings.ToUpper(key)
			if inner, ok := value.(map[string]any); ok {
				add(name, inner)
				continue
			}
			known[name] = true
		}
	}
	add("FIELDGATE", keys)
	if len(known) == 0 {
		t.Fatal("fieldgate config names no setting")
	}
	return known
}
