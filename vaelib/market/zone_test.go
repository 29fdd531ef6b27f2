package market_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/market"
)

// Daily rows are labelled by their local dates, whatever the exchange; rows
// within a day keep their instants, and the panel says in which zone they are.
func TestLocalDates(t *testing.T) {
	for name, want := range map[string]string{"America/New_York": "2022-01-03", "Europe/Berlin": "2022-01-03", "Asia/Tokyo": "2022-01-03", "Europe/London": "2022-01-03"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Skip(err)
		}
		daily, hourly := klineHeader, "date,OAK,ELM\n"
		for d := range 300 {
			at := time.Date(2022, 1, 3+d, 0, 0, 0, 0, zone)
			if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
				continue
			}
			daily += at.Format("2006-01-02 15:04:05-07:00") + fmt.Sprintf(",1,9,1,%d,1\n", 2+d%7)
			for h := range 7 {
				hourly += at.Add(time.Duration(h+9)*time.Hour).Format("2006-01-02 15:04:05-07:00") + ",1,2\n"
			}
		}
		from, to, err := market.ParseSpan("2022-01-03", "2022-02-01", 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // in the range, and whole
			p, _, err := market.LoadFS(folder(daily), "k", market.Options{From: from, To: to})
			if err != nil {
				t.Fatal(err)
			}
			first, last := p.Times[0], p.Times[len(p.Times)-1]
			if got := first.Format(time.DateOnly); got != want || !first.Equal(first.Truncate(24*time.Hour)) || p.Zone != nil {
				t.Errorf("%s: first day is %v, zone %v", name, first, p.Zone)
			}
			if !to.IsZero() && last.Format(time.DateOnly) != "2022-02-01" {
				t.Errorf("%s: last day is %v", name, last)
			}
			for _, at := range p.Times {
				if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
					t.Fatalf("%s: %v", name, at)
				}
			}
			from, to = time.Time{}, time.Time{}
		}
		p, _, err := market.LoadFS(wide(hourly), "p.csv", market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Zone == nil || p.Zone.String() != name || p.Times[0].In(p.Zone).Hour() != 9 {
			t.Errorf("%s: hours have the zone %v and start at %v", name, p.Zone, p.Times[0])
		}
	}
	// A zone that isn't listed is known by its offset; UTC is none.
	for offset, want := range map[string]string{"+05:45": "+05:45", "-03:30": "-03:30", "+00:00": "UTC", "Z": "UTC", "": "UTC"} {
		text := strings.ReplaceAll("date,OAK\n2024-07-01 09:00@,1\n2024-07-01 10:00@,2\n2024-07-01 11:00@,3\n", "@", offset)
		p, _, err := market.LoadFS(wide(text), "p.csv", market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Zone.String() != want {
			t.Errorf("offset %q: zone %v", offset, p.Zone)
		}
	}
	// The days of UTC stay what they are, in whichever zone they are written.
	p, _, err := market.LoadFS(wide("date,OAK\n2024-01-01 19:00-05:00,1\n2024-01-02 19:00-05:00,2\n2024-01-03 19:00-05:00,3\n"), "p.csv", market.Options{})
	if err != nil || p.Times[0].Format(time.DateOnly) != "2024-01-02" || p.Zone != nil {
		t.Errorf("days of UTC: %v, %v", p, err)
	}
}
