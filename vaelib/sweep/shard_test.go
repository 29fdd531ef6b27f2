package sweep

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Every run belongs to one shard, whether shards count from 0 or from 1.
func TestShardsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 20).Draw(t, "count")
		first := rapid.IntRange(0, 1).Draw(t, "first")
		run := rapid.IntRange(0, 1000).Draw(t, "run")
		owners := 0
		for i := range count {
			var s Shard
			if err := s.UnmarshalText(fmt.Appendf(nil, "%d/%d", first+i, count)); err != nil {
				t.Fatal(err)
			}
			if s.Has(run) {
				owners++
			}
		}
		if owners != 1 {
			t.Fatalf("run %d belongs to %d of %d shards", run, owners, count)
		}
	})
	for _, text := range []string{"1", "3/2", "-1/2", "a/b", "1/0", "1/2/3"} {
		var s Shard
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

func TestShardFromEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want Shard
		err  string
	}{
		"none":          {nil, Shard{}, ""},
		"slurm":         {map[string]string{slurmID: "7", slurmCount: "4", slurmMin: "5", slurmMax: "8", slurmStep: "1"}, Shard{2, 4}, ""},
		"slurm's steps": {map[string]string{slurmID: "6", slurmCount: "4", slurmMin: "0", slurmMax: "6", slurmStep: "2"}, Shard{3, 4}, ""},
		"slurm's gaps":  {map[string]string{slurmID: "3", slurmCount: "3", slurmMin: "1", slurmMax: "7", slurmStep: "1"}, Shard{}, "without gaps"},
		"slurm's half":  {map[string]string{slurmID: "3"}, Shard{}, slurmCount + " is not set"},
		"kubernetes":    {map[string]string{jobIndex: "0", jobCount: "4"}, Shard{0, 4}, ""},
		"no count":      {map[string]string{jobIndex: "0"}, Shard{}, jobCount + " is not set"},
		"small count":   {map[string]string{jobIndex: "4", jobCount: "4"}, Shard{}, "completions"},
		"no number":     {map[string]string{jobIndex: "x", jobCount: "4"}, Shard{}, "not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{slurmID, slurmCount, slurmMin, slurmMax, slurmStep, jobIndex, jobCount} {
				t.Setenv(v, c.set[v])
			}
			got, err := ShardFromEnvironment()
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v, %v, want %+v, %q", got, err, c.want, c.err)
			}
		})
	}
}
