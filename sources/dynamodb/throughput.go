package dynamodb

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// What DynamoDB allows and asks for ("Service, account, and table quotas" and "Considerations when switching capacity
// modes", DynamoDB documentation).
const (
	// freeDecreases is how often a table's capacity may be lowered in a day of UTC at any time; further decreases must
	// follow an hour without one.
	freeDecreases = 4
	decreaseRest  = time.Hour
	// demandRest is between two changes of a table to on demand: four are allowed in 24 hours, and one is enough.
	demandRest = 24 * time.Hour
	// partitionReads and partitionWrites are what one partition takes a second, whatever the table has.
	partitionReads, partitionWrites = 3000, 1000
	// A unit of writes costs five of reads in either mode, and a unit on demand as much as one that is provisioned for so
	// many seconds: 0.625 dollars a million to 0.00065 an hour (us-east-1, November 2026). So who uses less than 29 % of
	// what is provisioned pays less on demand.
	writePrice  = 5
	demandPrice = 0.625e-6 / (0.00065 / 3600)
	// leastRaise is the tenth that a table gets at least which is over its target, refusedRaise how many times as much one
	// that refuses.
	leastRaise, refusedRaise = 10, 2
	// lowerBelow is what must be enough, of what there is, for a decrease to be worth it.
	lowerBelow = 0.8
	// hotUtilisation is the part of its target below which a large table that refuses has one hot partition.
	hotUtilisation = 0.5
	// leadTime is how long before it begins the table of a week is got ready.
	leadTime = time.Hour
	// settleTime is how long a table is watched before its capacity is lowered, or set for the first time.
	settleTime = 15 * time.Minute
)

// Throughput is how the tables of weeks are provisioned.
type Throughput struct {
	// Read and Write bound the units a second of a table.
	Read, Write Units
	// Target is the utilisation aimed at, above 0 and up to 1. Default 0.7.
	Target float64
	// Fixed has new tables get the least units and keep them. Otherwise a Scaler has them follow what is consumed, and
	// tables are made on demand unless another's capacity tells how much they will need.
	Fixed bool
}

// Units bound what is provisioned a second. Defaults 1 and 40,000, what AWS gives a table unless asked for more.
type Units struct{ Least, Greatest int64 }

func (u Units) withDefaults() Units {
	if u.Least == 0 {
		u.Least = 1
	}
	if u.Greatest == 0 {
		u.Greatest = max(40_000, u.Least)
	}
	return u
}

func (u Units) clamp(n int64) int64 { return min(max(n, u.Least), u.Greatest) }

func (t *Throughput) withDefaults() *Throughput {
	if t == nil {
		return nil
	}
	out := *t
	if out.Target == 0 {
		out.Target = 0.7
	}
	out.Read, out.Write = out.Read.withDefaults(), out.Write.withDefaults()
	return &out
}

func (t *Throughput) validate() error {
	if t == nil {
		return nil
	}
	if t.Target < 0 || t.Target > 1 || t.Read.Least < 1 || t.Write.Least < 1 || t.Read.Greatest < t.Read.Least || t.Write.Greatest < t.Write.Least {
		return errors.New("throughput: a target above 0 and up to 1, and a greatest capacity that is no less than the least, are needed")
	}
	return nil
}

// isFollowed says that the capacity of tables follows what is consumed.
func (t *Throughput) isFollowed() bool { return t != nil && !t.Fixed }

// clamp brings units within the bounds.
func (t *Throughput) clamp(c capacity) capacity {
	return capacity{read: t.Read.clamp(c.read), write: t.Write.clamp(c.write)}
}

// demand is what a table is asked for a second: units that it gave, and requests that it refused for want of capacity.
type demand struct{ read, write, readRefused, writeRefused float64 }

// tableUse is what a table is for at a time.
type tableUse int

const (
	// useCurrent: the clock's week, and the next one shortly before it begins.
	useCurrent tableUse = iota
	// usePast: a week that is over, which gets a few rows, then none, and is read at times.
	usePast
	// useRare: a week that has not begun, late rows, the registry. Paid by the request, they cost next to nothing.
	useRare
)

// useOf is what the table of a week is for.
func useOf(w week, now time.Time) tableUse {
	switch micros := now.UnixMicro(); {
	case micros >= (w + 1).start():
		return usePast
	case micros >= w.start()-leadTime.Microseconds():
		return useCurrent
	default:
		return useRare
	}
}

// standing is how a table stands.
type standing struct {
	// units are what is provisioned; zero: it is on demand.
	units capacity
	// decreases are those of the day of UTC in which the last was, at decreased.
	decreases int64
	decreased time.Time
	// demanded is when it last went on demand.
	demanded time.Time
}

// mayLower says that DynamoDB allows another decrease, and when else it does.
func (s *standing) mayLower(now time.Time) (bool, time.Time) {
	if s.decreases < freeDecreases || s.decreased.UTC().Truncate(24*time.Hour).Before(now.UTC().Truncate(24*time.Hour)) {
		return true, time.Time{}
	}
	next := s.decreased.Add(decreaseRest)
	return !now.Before(next), next
}

// advice says what to do with a table.
type advice struct {
	// change: it should have those units; zero units are on demand.
	change bool
	to     capacity
	// isHot says that it refuses requests though most of its capacity is free.
	isHot bool
	// reason explains the advice to people.
	reason string
}

// scaling decides the capacity of one table. It is pure: time, standing and demand are given to it.
type scaling struct {
	cfg *Throughput // nil: every table is on demand
	// since is when the demand became known, without a gap, and seen is that of the last settleTime.
	since time.Time
	seen  []observed
}

// observed is the demand of a moment.
type observed struct {
	at time.Time
	demand
}

// observe notes the demand, unless that of some process is not known: then what follows counts anew.
func (s *scaling) observe(now time.Time, d demand, complete bool) {
	if !complete {
		s.since, s.seen = time.Time{}, nil
		return
	}
	if s.since.IsZero() {
		s.since = now
	}
	for len(s.seen) > 0 && now.Sub(s.seen[0].at) > settleTime {
		s.seen = s.seen[1:]
	}
	s.seen = append(s.seen, observed{now, d})
}

// isSettled says that the demand of the last settleTime is known.
func (s *scaling) isSettled(now time.Time) bool {
	return !s.since.IsZero() && now.Sub(s.since) >= settleTime
}

// over gives the greatest and the mean demand of the last settleTime.
func (s *scaling) over() (peak, mean demand) {
	for _, o := range s.seen {
		peak = demand{
			max(peak.read, o.read), max(peak.write, o.write), max(peak.readRefused, o.readRefused), max(peak.writeRefused, o.writeRefused),
		}
		mean.read += o.read / float64(len(s.seen))
		mean.write += o.write / float64(len(s.seen))
	}
	return peak, mean
}

// needed are the units that a demand needs at the target.
func (s *scaling) needed(d demand) capacity {
	return s.cfg.clamp(capacity{read: int64(math.Ceil(d.read / s.cfg.Target)), write: int64(math.Ceil(d.write / s.cfg.Target))})
}

// advise says what to do with a table, of which level is what the week before it has, if that is known. What it says is
// said again until it is done.
func (s *scaling) advise(now time.Time, use tableUse, st standing, d demand, level capacity) advice {
	isOnDemand := st.units == capacity{}
	switch {
	case s.cfg == nil && isOnDemand, use != useCurrent && isOnDemand:
		return advice{reason: "it is on demand"}
	case s.cfg == nil:
		return s.goOnDemand(now, st, "tables are to be on demand")
	case use == useRare:
		return s.goOnDemand(now, st, "it is used little and unevenly, so that requests cost less on demand")
	case isOnDemand:
		return s.provision(now, level)
	}
	if use == usePast && s.isSettled(now) {
		if _, mean := s.over(); s.cheaperOnDemand(mean) {
			a := s.goOnDemand(now, st, fmt.Sprintf("its week is over, and %.1f read and %.1f write units a second cost less on demand", mean.read, mean.write))
			if a.change {
				return a
			}
		}
	}
	return s.follow(now, st, d)
}

// cheaperOnDemand says that what is consumed costs less on demand than the capacity that it needs.
func (s *scaling) cheaperOnDemand(mean demand) bool {
	peak, _ := s.over()
	units := s.needed(peak)
	return demandPrice*(mean.read+writePrice*mean.write) < float64(units.read+writePrice*units.write)
}

// goOnDemand advises that, unless it is too soon.
func (s *scaling) goOnDemand(now time.Time, st standing, why string) advice {
	if next := st.demanded.Add(demandRest); !st.demanded.IsZero() && now.Before(next) {
		return advice{reason: fmt.Sprintf("%s, which it may be again at %s", why, next.UTC().Format(time.RFC3339))}
	}
	return advice{change: true, reason: why}
}

// provision advises the first capacity of a table that is on demand: at least that of the week before.
func (s *scaling) provision(now time.Time, level capacity) advice {
	peak, mean := s.over()
	if level == (capacity{}) && !s.isSettled(now) {
		return advice{reason: fmt.Sprintf("it is on demand until it is known for %s what is consumed", settleTime)}
	}
	to := s.needed(peak)
	to = s.cfg.clamp(capacity{read: max(to.read, level.read), write: max(to.write, level.write)})
	a := advice{change: true, to: to, reason: fmt.Sprintf("on demand it takes %.1f read and %.1f write units a second, up to %.1f and %.1f; the target is %.0f %%",
		mean.read, mean.write, peak.read, peak.write, 100*s.cfg.Target)}
	if level != (capacity{}) {
		a.reason += fmt.Sprintf("; the week before has %s", level)
	}
	a.reason += fmt.Sprintf("; there should be %d and %d", to.read, to.write)
	return a
}

// follow advises the capacity of a provisioned table.
func (s *scaling) follow(now time.Time, st standing, d demand) advice {
	a := advice{to: st.units, reason: fmt.Sprintf("it takes %.1f of %d read and %.1f of %d write units a second; the target is %.0f %%",
		d.read, st.units.read, d.write, st.units.write, 100*s.cfg.Target)}
	if d.readRefused+d.writeRefused > 0 {
		a.reason += fmt.Sprintf("; it refuses %.1f reads and %.1f writes a second", d.readRefused, d.writeRefused)
	}
	settled := s.isSettled(now)
	peak, _ := s.over()
	r := axis{s.cfg.Target, s.cfg.Read, d.read, d.readRefused, peak.read, peak.readRefused, partitionReads}
	w := axis{s.cfg.Target, s.cfg.Write, d.write, d.writeRefused, peak.write, peak.writeRefused, partitionWrites}
	a.isHot = r.isHot(st.units.read) || w.isHot(st.units.write)
	wanted := capacity{read: r.wanted(st.units.read, settled), write: w.wanted(st.units.write, settled)}
	if wanted == st.units {
		return a
	}
	a.reason += fmt.Sprintf("; there should be %d and %d", wanted.read, wanted.write)
	may, next := st.mayLower(now)
	if !may && (wanted.read < st.units.read || wanted.write < st.units.write) {
		a.reason += fmt.Sprintf(", but there were %d decreases today, the next may be at %s", st.decreases, next.UTC().Format(time.RFC3339))
		wanted = capacity{read: max(wanted.read, st.units.read), write: max(wanted.write, st.units.write)}
	}
	a.to, a.change = wanted, wanted != st.units
	return a
}

// axis is one of reads and writes of a table: what it is asked for now, and at most in the last settleTime.
type axis struct {
	target                             float64
	bounds                             Units
	used, refused, peak, peakOfRefused float64
	partition                          float64
}

// isHot says that requests are refused for one partition's sake, to which more capacity is of no use.
func (x *axis) isHot(units int64) bool {
	return x.refused > 0 && float64(units) > x.partition && x.used < hotUtilisation*x.target*float64(units)
}

// wanted are the units that there should be, given those that there are.
func (x *axis) wanted(units int64, settled bool) int64 {
	n, enough := float64(units), x.bounds.clamp(int64(math.Ceil(x.peak/x.target)))
	switch {
	case x.isHot(units):
		return units
	case x.refused > 0:
		return x.bounds.clamp(max(refusedRaise*units, int64(math.Ceil(x.used/x.target))))
	case x.used > x.target*n:
		return x.bounds.clamp(max(units+(units+leastRaise-1)/leastRaise, int64(math.Ceil(x.used/x.target))))
	case settled && x.peakOfRefused == 0 && float64(enough) <= lowerBelow*n:
		return enough
	default:
		return x.bounds.clamp(units)
	}
}
