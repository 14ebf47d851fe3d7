package dynamodb

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestUseOf: what a week's table is for, by the clock.
func TestUseOf(t *testing.T) {
	t.Parallel()
	w := weekOf(parse(t, "2026-11-25T12:00:00Z")) // Monday the 23rd to Sunday the 29th
	for now, want := range map[string]tableUse{
		"2026-11-22T22:59:59Z": useRare,
		"2026-11-22T23:00:00Z": useCurrent,
		"2026-11-29T23:59:59Z": useCurrent,
		"2026-11-30T00:00:00Z": usePast,
	} {
		if got := useOf(w, time.UnixMicro(parse(t, now))); got != want {
			t.Errorf("at %s: %d, want %d", now, got, want)
		}
	}
}

// scalingCase is a table and what it is asked for: before for a quarter of an hour, and
// now.
type scalingCase struct {
	name    string
	use     tableUse // the current week's, unless it says
	st      standing
	before  *demand // nil: it is not known
	now     demand
	level   capacity
	want    string // the capacity advised; "": it stays
	reason  string
	isHot   bool
	onlyOld bool // the configuration is on demand
}

// TestScaling: what is advised for a table. The target is 70 %, 5 to 1,000 units.
func TestScaling(t *testing.T) {
	t.Parallel()
	now := time.UnixMicro(parse(t, "2026-11-25T12:00:00Z")).UTC()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	units := func(read, write int64) standing { return standing{units: capacity{read, write}} }
	lowered := func(n int64, at time.Time) standing {
		return standing{units: capacity{100, 100}, decreases: n, decreased: at}
	}
	quiet, busy := &demand{read: 1, write: 1}, &demand{read: 70, write: 70}
	for _, c := range []scalingCase{
		{name: "within its target", st: units(100, 100), before: busy, now: *busy, reason: "it takes 70.0 of 100 read and 70.0 of 100 write units a second; the target is 70 %"},
		{name: "over its target, at once", st: units(100, 100), now: demand{read: 10, write: 140}, want: "100 read and 200 write units a second"},
		{name: "a little over its target", st: units(100, 100), now: demand{write: 71}, want: "100 read and 110 write units a second"},
		{name: "refuses", st: units(100, 100), now: demand{write: 60, writeRefused: 0.1}, want: "100 read and 200 write units a second", reason: "it refuses 0.0 reads and 0.1 writes"},
		{name: "refuses reads", st: units(10, 100), now: demand{read: 40, readRefused: 3}, want: "58 read and 100 write units a second"},
		{name: "refuses and takes more", st: units(100, 100), now: demand{write: 300, writeRefused: 1}, want: "100 read and 429 write units a second"},
		{name: "at its greatest", st: units(100, 1000), now: demand{write: 990, writeRefused: 5}, reason: "it refuses"},
		{name: "above the greatest that is configured", st: units(100, 2000), now: demand{write: 990}, want: "100 read and 1000 write units a second"},
		{name: "below the least", st: units(1, 1), now: demand{}, want: "5 read and 5 write units a second"},
		{name: "a hot partition", st: units(100, 1001), now: demand{write: 300, writeRefused: 5}, isHot: true},

		{name: "quiet, not for long", st: units(100, 100), now: *quiet},
		{name: "quiet", st: units(100, 100), before: quiet, now: *quiet, want: "5 read and 5 write units a second"},
		{name: "quiet but for a moment", st: units(100, 100), before: &demand{read: 1, write: 50}, now: *quiet, want: "5 read and 72 write units a second"},
		{name: "less, but not worth a decrease", st: units(100, 100), before: &demand{read: 60, write: 60}, now: *quiet},
		{name: "quiet, and refused lately", st: units(100, 100), before: &demand{write: 1, writeRefused: 1}, now: *quiet, want: "5 read and 100 write units a second"},
		{name: "fewer reads, more writes", st: units(100, 100), before: &demand{read: 1, write: 80}, now: demand{write: 140}, want: "5 read and 200 write units a second"},

		{name: "the third decrease of the day", st: lowered(3, ago(time.Minute)), before: quiet, now: *quiet, want: "5 read and 5 write units a second"},
		{name: "the fifth, too soon", st: lowered(4, ago(59*time.Minute)), before: quiet, now: *quiet, reason: "but there were 4 decreases today, the next may be at 2026-11-25T12:01:00Z"},
		{name: "the fifth, after an hour", st: lowered(4, ago(time.Hour)), before: quiet, now: *quiet, want: "5 read and 5 write units a second"},
		{name: "the fifth, after a day of UTC ended", st: lowered(20, ago(13*time.Hour)), before: quiet, now: *quiet, want: "5 read and 5 write units a second"},
		{name: "too soon for reads, more writes", st: lowered(9, ago(time.Minute)), before: &demand{read: 1, write: 80}, now: demand{write: 140}, want: "100 read and 200 write units a second"},

		{name: "on demand, not known for long", now: *busy, reason: "it is on demand until it is known for 15m0s what is consumed"},
		{name: "on demand", before: busy, now: *quiet, want: "100 read and 100 write units a second"},
		{name: "a new week begins with what the last one has", level: capacity{30, 200}, want: "30 read and 200 write units a second"},
		{name: "a new week that is busier", level: capacity{30, 200}, before: busy, now: *busy, want: "100 read and 200 write units a second"},
		{name: "a week that has not begun", use: useRare, st: units(100, 100), now: *busy, want: "on demand"},
		{name: "a week that has not begun, on demand", use: useRare, level: capacity{30, 200}, now: *busy, reason: "it is on demand"},

		{name: "a past week, busy", use: usePast, st: units(100, 100), before: busy, now: *busy},
		{name: "a past week, over its target", use: usePast, st: units(100, 100), before: busy, now: demand{write: 150}, want: "100 read and 215 write units a second"},
		{name: "a past week that gets less", use: usePast, st: units(100, 100), before: &demand{read: 7, write: 7}, now: demand{write: 7}, want: "10 read and 10 write units a second"},
		{name: "a past week that gets little", use: usePast, st: units(100, 100), before: quiet, now: *quiet, want: "on demand", reason: "its week is over, and 1.0 read and 1.0 write units a second cost less on demand"},
		{name: "a past week that is read at times", use: usePast, st: units(700, 5), before: &demand{read: 1}, now: demand{read: 450}, want: "on demand"},
		{name: "a past week, not known for long", use: usePast, st: units(100, 100), now: *quiet},
		{name: "a past week that was on demand today", use: usePast, st: standing{units: capacity{100, 100}, demanded: ago(23 * time.Hour)}, before: quiet, now: *quiet, want: "5 read and 5 write units a second"},
		{name: "a past week on demand", use: usePast, before: busy, now: *busy, reason: "it is on demand"},

		{name: "configured on demand", onlyOld: true, st: units(100, 100), want: "on demand"},
		{name: "configured on demand, and was yesterday", onlyOld: true, st: standing{units: capacity{100, 100}, demanded: ago(24 * time.Hour)}, want: "on demand"},
		{name: "configured on demand, and was today", onlyOld: true, st: standing{units: capacity{100, 100}, demanded: ago(time.Hour)}, reason: "which it may be again at 2026-11-26T11:00:00Z"},
		{name: "configured on demand, and is", onlyOld: true, reason: "it is on demand"},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, now) })
	}
}

func (c *scalingCase) test(t *testing.T, now time.Time) {
	s := scaling{cfg: (&Throughput{Read: Units{5, 1000}, Write: Units{5, 1000}}).withDefaults()}
	if c.onlyOld {
		s.cfg = nil
	}
	if c.before != nil {
		// Of an hour only the last quarter counts.
		s.observe(now.Add(-time.Hour), demand{read: 9999, write: 9999, writeRefused: 1, readRefused: 1}, true)
		for at := 15 * time.Minute; at > 0; at -= 20 * time.Second {
			s.observe(now.Add(-at), *c.before, true)
		}
	}
	s.observe(now, c.now, true)
	a := s.advise(now, c.use, c.st, c.now, c.level)
	got := ""
	if a.change {
		got = a.to.String()
	}
	if got != c.want || !strings.Contains(a.reason, c.reason) || a.isHot != c.isHot {
		t.Errorf("advice %q, hot %v, want %q, %v; because %s, want %s", got, a.isHot, c.want, c.isHot, a.reason, c.reason)
	}
}

// TestScalingUnknown: while some process may only be unable to tell what it consumes, a
// table's capacity rises and does not fall, and the quarter of an hour begins anew.
func TestScalingUnknown(t *testing.T) {
	t.Parallel()
	s := scaling{cfg: (&Throughput{}).withDefaults()}
	now := time.UnixMicro(parse(t, "2026-11-25T12:00:00Z"))
	st := standing{units: capacity{100, 100}}
	for minute := range 60 {
		now = now.Add(time.Minute)
		s.observe(now, demand{}, minute != 10)
		a := s.advise(now, useCurrent, st, demand{}, capacity{})
		if want := minute >= 26; a.change != want {
			t.Fatalf("after %d minutes: %+v", minute, a)
		}
		if minute == 26 {
			break
		}
		if up := s.advise(now, useCurrent, st, demand{write: 80}, capacity{}); !up.change || up.to.write < 110 {
			t.Fatalf("after %d minutes, over its target: %+v", minute, up)
		}
	}
}

// TestDecreasesOfADay: a table that is advised as often as DynamoDB allows is lowered no
// more than 27 times in a day of UTC.
func TestDecreasesOfADay(t *testing.T) {
	t.Parallel()
	s := scaling{cfg: (&Throughput{}).withDefaults()}
	day := time.UnixMicro(parse(t, "2026-11-25T00:00:00Z")).UTC()
	st := standing{units: capacity{1 << 40, 1 << 40}}
	s.cfg.Read.Greatest, s.cfg.Write.Greatest = 1<<40, 1<<40
	perHour, total := map[int]int64{}, int64(0)
	for now := day.Add(-time.Hour); now.Before(day.Add(24 * time.Hour)); now = now.Add(20 * time.Second) {
		use := float64(st.units.write) / 4
		s.observe(now, demand{read: use, write: use}, true)
		a := s.advise(now, useCurrent, st, demand{read: use, write: use}, capacity{})
		if !a.change {
			continue
		}
		if st.decreased.Before(day) && !now.Before(day) {
			st.decreases = 0
		}
		st.units, st.decreased, st.decreases = a.to, now, st.decreases+1
		if !now.Before(day) {
			perHour[now.Hour()]++
			total++
		}
	}
	if total > 27 || total < 20 {
		t.Errorf("%d decreases in a day", total)
	}
	for hour, n := range perHour {
		if n > freeDecreases+1 || hour > 4 && n > 1 {
			t.Errorf("%d decreases in hour %d: %s", n, hour, fmt.Sprint(perHour))
		}
	}
}
