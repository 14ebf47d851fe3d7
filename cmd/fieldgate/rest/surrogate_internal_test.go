package rest

import "testing"

func TestHasLoneSurrogate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"a":"b"}`: false, `"\ud83d\ude00"`: false, `"\n\\ud800"`: false, `"\u00e9"`: false, `"\ud83d\ude00\ud83d\ude00"`: false,
		`"\ud800"`: true, `"\udc00"`: true, `"\uD800\uD800"`: true, `"\udc00\ud800"`: true, `"\ud800x\udc00"`: true, `"\\\ud800"`: true,
		`"\ud83d\ude00\ud800"`: true, `\`: false, `\u`: false, `\ud8`: false, `"\ud800\`: true,
	} {
		if got := hasLoneSurrogate([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
