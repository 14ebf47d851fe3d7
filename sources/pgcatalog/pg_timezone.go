package pgcatalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// zoneRows list the time zones by name, as they are at the statement's time.
func (c *Catalog) zoneRows(_ context.Context, p *pin, b *builder) error {
	zones, err := c.zones()
	if err != nil {
		return err
	}
	for i, name := range postgres.ZoneNames() {
		now := p.view.Now.In(zones[i])
		abbreviation, offset := now.Zone()
		b.add("name", name, "abbrev", abbreviation, "utc_offset", offsetText(offset), "is_dst", now.IsDST())
	}
	return nil
}

func loadZones() ([]*time.Location, error) {
	zones := make([]*time.Location, 0, len(postgres.ZoneNames()))
	for _, name := range postgres.ZoneNames() {
		zone, err := postgres.LoadZone(name)
		if err != nil {
			return nil, fmt.Errorf("load time zone %s: %w", name, err)
		}
		zones = append(zones, zone)
	}
	return zones, nil
}

// zoneAbbreviationRows list the abbreviations that times can be written with.
func zoneAbbreviationRows(_ context.Context, p *pin, b *builder) error {
	all := slices.Clone(postgres.ZoneAbbreviations())
	slices.SortFunc(all, func(x, y postgres.ZoneAbbreviation) int { return strings.Compare(x.Name, y.Name) })
	for _, a := range all {
		offset, err := a.OffsetAt(p.view.Now.Unix())
		if err != nil {
			return fmt.Errorf("offset of %s: %w", a.Name, err)
		}
		dst := a.DST
		if a.Zone != "" {
			zone, err := postgres.LoadZone(a.Zone)
			if err != nil {
				return fmt.Errorf("load time zone %s: %w", a.Zone, err)
			}
			dst = p.view.Now.In(zone).IsDST()
		}
		b.add("abbrev", a.Name, "utc_offset", offsetText(offset), "is_dst", dst)
	}
	return nil
}

// offsetText is an offset in seconds as an interval's text.
func offsetText(seconds int) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	return fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
}
