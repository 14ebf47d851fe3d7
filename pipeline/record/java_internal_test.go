package record

import (
	"flag"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

var writeJava = flag.Bool("write-java", false, "ask Java anew and store what it answers")

// javaPatterns are the patterns that Java is asked about.
var javaPatterns = []string{
	"uuuu-MM-dd HH:mm:ss.SSS zzz", "uuuu-MM-dd'T'HH:mm:ss.SSSSSSXXX", "uuuu-MM-dd HH:mm:ss", "yyyy/MM/dd HH:mm", "dd.MM.uuuu", "uuuuMMdd",
	"uuuuMMddHHmmss", "uuuuMMddHHmmssSSS", "yyMMddHHmm", "d/M/uu h:mm a", "EEE, d MMM yyyy HH:mm:ss Z", "EEEE, MMMM d, uuuu hh:mm:ss a",
	"uuuu-DDD'T'HH:mm", "uuuuDDD", "uuuu-MM-dd['T'HH:mm[:ss[.SSS]]]", "uuuu-MM-dd HH:mm:ssX", "uuuu-MM-dd HH:mm:ssXX", "uuuu-MM-dd HH:mm:ssXXXX",
	"uuuu-MM-dd HH:mm:ssXXXXX", "uuuu-MM-dd HH:mm:ssx", "uuuu-MM-dd HH:mm:ssxxx", "uuuu-MM-dd HH:mm:ss O", "uuuu-MM-dd HH:mm:ss OOOO",
	"uuuu-MM-dd HH:mm:ssZZZZ", "uuuu-MM-dd HH:mm:ssZZZZZ", "uuuu-MM-dd HH:mm:ss VV", "uuuu-MM-dd HH:mm:ssXXX'['VV']'", "yyyy-MM-dd G kk:mm",
	"y-M-d H:m:s", "u-M-d K:m a", "uuuuu-MM-dd", "uuu-MM-dd", "uuuu-MM-dd A", "uuuu-MM-dd N", "uuuu-MM-dd HH:mm:ss n", "HH:mm:ss dd MMM uuuu",
	"MMM dd uuuu HH:mm:ss.SSSSSSSSS", "uuuu''MM''dd 'at' HH 'o''clock'", "uuuu-MM-dd HH:mm:ss.S", "uuuuMMdd'T'HHmmss.SSSX", "MMddHHmmuuuu",
}

// askJava has Java format and parse.
func askJava(t *testing.T, seed int64, texts int, patterns []string) string {
	t.Helper()
	args := append([]string{"testdata/TimePatterns.java", strconv.FormatInt(seed, 10), strconv.Itoa(texts)}, patterns...)
	cmd := exec.CommandContext(t.Context(), testdeps.Java(t), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// checkJava compares what we read with what Java read.
func checkJava(t *testing.T, answers string) {
	t.Helper()
	compiled := map[string]*javaPattern{}
	lines := 0
	for line := range strings.Lines(answers) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != 3 {
			t.Fatalf("Java refuses %s", line)
		}
		p := compiled[parts[0]]
		if p == nil {
			var err error
			if p, err = compileJava(parts[0]); err != nil {
				t.Fatalf("%s: %v", parts[0], err)
			}
			compiled[parts[0]] = p
		}
		lines++
		got := "-"
		if micros, ok := p.parse([]byte(parts[1])); ok {
			got = strconv.FormatInt(micros, 10)
		}
		if got != parts[2] && !differsFromJava(parts[0], parts[1], got, parts[2]) {
			t.Errorf("%s %q: %s, Java reads %s", parts[0], parts[1], got, parts[2])
		}
	}
	if lines < len(javaPatterns) {
		t.Errorf("%d texts", lines)
	}
}

// differsFromJava says that a difference is meant: years that no time has here, abbreviations of zones that mean
// several, and GMT+02:70, which Java takes.
func differsFromJava(pattern, text, ours, java string) bool {
	micros, err := strconv.ParseInt(java, 10, 64)
	if ours != "-" || err != nil {
		return false
	}
	word := text[strings.LastIndexByte(text, ' ')+1:]
	_, known := zoneAbbreviations[word]
	return micros < MinTime || micros > MaxTime || strings.HasSuffix(pattern, "zzz") && !known || strings.Contains(word, "GMT")
}

// TestJavaPatterns reads texts as java.time does: the answers kept in testdata are
// those of Java 17, and where Java is there it is asked about others.
func TestJavaPatterns(t *testing.T) {
	t.Parallel()
	const file = "testdata/java.tsv"
	if *writeJava {
		if err := os.WriteFile(file, []byte(askJava(t, 1, 24, javaPatterns)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	checkJava(t, string(answers))
}

func TestJavaPatternsLive(t *testing.T) {
	t.Parallel()
	checkJava(t, askJava(t, time.Now().UnixNano(), 60, javaPatterns))
}

// TestJavaRefuses the patterns that Java does, and those that can give no time.
func TestJavaRefuses(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"NOPE": "no letter of a pattern", "uuuu-MM-dd HH:mm:sss": "too many letters s", "uuuu-MM-dd'T": "a quote is not closed", "[uuuu-MM-dd": "a [ without its ]",
		"uuuu-MM-dd]": "a ] without its [", "YYYY-MM-dd": "years of weeks", "HH:mm": "no year", "uuuu HH": "no month and day",
		"uuuu-MM-dd hh:mm": "no hour of the day", "uuuu-MM-dd{": "reserved", "uuuu-MM-ddTHH:mm": "T is no letter", "uuuu-MM-dd @ Nowhere/City": "unknown time zone",
		"uuuu-MM-dd @ UTC+19": "unknown time zone", "uuuu-MM-dd HH:mm zzzz": "long names", "uuuu-MM-dd V": "no form of a zone", "": "no year", "MMMMM dd uuuu": "one letter",
	} {
		_, err := compileJava(pattern)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

// TestJavaZones reads texts without a zone in the pattern's, and changes of offset.
func TestJavaZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, text, want string }{
		{"uuuu-MM-dd HH:mm", "2026-11-28 12:00", "2026-11-28T12:00:00Z"},
		{"uuuu-MM-dd HH:mm @ UTC+1", "2026-11-28 12:00", "2026-11-28T11:00:00Z"},
		{"uuuu-MM-dd HH:mm@-0330", "2026-11-28 12:00", "2026-11-28T15:30:00Z"},
		{"uuuu-MM-dd HH:mm @ Europe/Berlin", "2026-07-28 12:00", "2026-07-28T10:00:00Z"},
		{"uuuu-MM-dd HH:mm[ X] @ Europe/Berlin", "2026-07-28 12:00 Z", "2026-07-28T12:00:00Z"},
		{"uuuu-MM-dd HH:mm @ Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30:00Z"},    // skipped
		{"uuuu-MM-dd HH:mm @ Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z"},    // repeated
		{"uuuu-MM-dd HH:mm zzz", "2026-11-01 01:30 EDT", "2026-11-01T05:30:00Z"},            // repeated, and named
		{"uuuu-MM-dd HH:mm zzz", "2026-11-01 01:30 EST", "2026-11-01T06:30:00Z"},            // the later one
		{"uuuu-MM-dd HH:mm z", "2026-07-28 12:00 America/New_York", "2026-07-28T16:00:00Z"}, // a region
		{"uuuu-MM-dd HH:mm VV", "2026-07-28 12:00 Asia/Tokyo", "2026-07-28T03:00:00Z"},
		{"uuuu-MM-dd HH:mm VV", "2026-07-28 12:00 Asia//Tokyo", "no match"}, // a path to the zone's file, and no name
		{"uuuu-MM-dd HH:mm VV", "2026-07-28 12:00 Asia/Tokyo/", "no match"},
		{"uuuu-MM-dd HH:mm z", "2026-07-28 12:00 UTC+02:00", "2026-07-28T10:00:00Z"}, // an offset
		{"uuuu-MM-dd '@' HH:mm", "2026-07-28 @ 12:00", "2026-07-28T12:00:00Z"},       // a quoted @ is none
		{"uuuu-MM-dd HH:mm", "2026-02-30 24:00", "2026-03-01T00:00:00Z"},             // as SMART resolves
		{"uuuu-MM-dd HH:mm:ss.SSSSSSSSS", "2026-02-03 04:05:06.123456789", "2026-02-03T04:05:06.123457Z"},
	} {
		p, err := compileJava(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got := "no match"
		if micros, ok := p.parse([]byte(c.text)); ok {
			got = time.UnixMicro(micros).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s %q: %s, want %s", c.pattern, c.text, got, c.want)
		}
	}
}
