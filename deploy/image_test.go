package deploy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestImage holds what the recipe of the image and the rest of the repository must agree on.
func TestImage(t *testing.T) {
	t.Parallel()
	recipe, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	base := regexp.MustCompile(`(?m)^FROM golang:(\d+\.\d+)-`).FindSubmatch(recipe)
	if language == nil || base == nil || string(language[1]) != string(base[1]) {
		t.Errorf("the image is built with Go %q, go.mod says %q", base, language)
	}
	stages := strings.Split(string(recipe), "\nFROM ")
	last := stages[len(stages)-1]
	for what, line := range map[string]string{
		"the engine's library": "libstdc++6", "a user without rights": "\nUSER 10001:10001", "the data directory": "VOLUME /var/lib/fieldgate",
		"the program": "COPY --from=build /fieldgate ", "certificates": "ca-certificates",
	} {
		if !strings.Contains(last, line) {
			t.Errorf("the last stage lacks %s: %q", what, line)
		}
	}
	if strings.Contains(last, "golang") || strings.Contains(last, "g++") {
		t.Error("the last stage has the compiler")
	}
}
