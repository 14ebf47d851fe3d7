package postgres_test

import (
	"testing"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// Each byte that an encoding has a character for is that character's byte again, and
// ASCII is itself.
func TestEncodingsInvert(t *testing.T) {
	t.Parallel()
	converted := 0
	for _, e := range postgres.Encodings() {
		if !e.Converts() || e.Keeps() {
			continue
		}
		converted++
		for b := 1; b < 256; b++ {
			text, err := e.AppendUTF8(nil, []byte{byte(b)})
			if err != nil {
				if b < 0x80 {
					t.Errorf("%s: %#x: %v", e.Name, b, err)
				}
				continue
			}
			back, err := e.Append(nil, text)
			if err != nil || len(back) != 1 || back[0] != byte(b) {
				t.Errorf("%s: %#x is %q, which is %#x; %v", e.Name, b, text, back, err)
			}
			if shown := e.Show(string(text)); shown != string(back) {
				t.Errorf("%s: %q shows as %#x", e.Name, text, shown)
			}
		}
	}
	if converted != 27 {
		t.Errorf("%d encodings are converted", converted)
	}
}

func TestEncodingNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"latin1": "LATIN1", "ISO-8859-15": "LATIN9", "utf-8": "UTF8", "Unicode": "UTF8", "Windows 1252": "WIN1252", "alt": "WIN866", "sjis": "SJIS",
	} {
		if e, ok := postgres.EncodingNamed(name); !ok || e.Name != want {
			t.Errorf("%s is %+v, want %s", name, e, want)
		}
	}
	for _, name := range []string{"", "utf16", "latin11"} {
		if e, ok := postgres.EncodingNamed(name); ok {
			t.Errorf("%q is %s", name, e.Name)
		}
	}
	if e, _ := postgres.EncodingNamed("latin1"); e.Show("aéж") != "a\xe9?" {
		t.Errorf("shown: %q", e.Show("aéж"))
	}
}
