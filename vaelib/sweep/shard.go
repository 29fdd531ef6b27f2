package sweep

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Shard is one of several equal parts of a sweep: the runs whose number leaves
// the remainder Index modulo Count. So parts may be counted from 0 or from 1.
// The zero value is the whole.
type Shard struct{ Index, Count int }

// UnmarshalText reads "i/N".
func (s *Shard) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Shard{}
		return nil
	}
	index, count, ok := strings.Cut(string(text), "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	if !ok || err != nil || err2 != nil || n < 1 || i < 0 || i > n {
		return fmt.Errorf("%q is no part of a sweep: want i/N, such as 1/4", text)
	}
	*s = Shard{i, n}
	return nil
}

// MarshalText writes "i/N", or nothing for the whole.
func (s Shard) MarshalText() ([]byte, error) {
	if s.Count == 0 {
		return nil, nil
	}
	return fmt.Appendf(nil, "%d/%d", s.Index, s.Count), nil
}

// Has says whether run number i belongs to the shard.
func (s Shard) Has(i int) bool {
	return s.Count == 0 || i%s.Count == s.Index%s.Count
}

// Environment variables that say which part of a job array a process is.
// Kubernetes tells the index of a pod of an Indexed Job but not their number,
// which the manifest gives as JOB_COMPLETIONS.
const (
	slurmID    = "SLURM_ARRAY_TASK_ID"
	slurmCount = "SLURM_ARRAY_TASK_COUNT"
	slurmMin   = "SLURM_ARRAY_TASK_MIN"
	slurmMax   = "SLURM_ARRAY_TASK_MAX"
	slurmStep  = "SLURM_ARRAY_TASK_STEP"
	jobIndex   = "JOB_COMPLETION_INDEX"
	jobCount   = "JOB_COMPLETIONS"
)

// ShardFromEnvironment returns the part of the sweep that belongs to this task
// of a Slurm array or this pod of a Kubernetes Indexed Job, and the whole
// elsewhere.
func ShardFromEnvironment() (Shard, error) {
	number := func(name string) (int, error) {
		text := os.Getenv(name)
		if text == "" {
			return 0, fmt.Errorf("%s is not set: give -shard i/N", name)
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%s is %q, not a number: give -shard i/N", name, text)
		}
		return n, nil
	}
	switch {
	case os.Getenv(slurmID) != "":
		var id, count, first, last, step int
		for _, v := range []struct {
			name string
			to   *int
		}{{slurmID, &id}, {slurmCount, &count}, {slurmMin, &first}, {slurmMax, &last}, {slurmStep, &step}} {
			var err error
			if *v.to, err = number(v.name); err != nil {
				return Shard{}, err
			}
		}
		// An array of odd ids, such as 1,3,7, has no step that tells a task's place.
		if step < 1 || count < 1 || id < first || (id-first)%step != 0 || (last-first)/step+1 != count {
			return Shard{}, fmt.Errorf("task %d of a Slurm array of %d from %d to %d: give it ids without gaps, or "+
				"-shard i/N", id, count, first, last)
		}
		return Shard{(id - first) / step, count}, nil
	case os.Getenv(jobIndex) != "":
		index, err := number(jobIndex)
		if err != nil {
			return Shard{}, err
		}
		count, err := number(jobCount)
		if err != nil {
			return Shard{}, err
		}
		if index >= count {
			return Shard{}, fmt.Errorf("%s=%d with %s=%d: set the latter to the job's completions", jobIndex, index,
				jobCount, count)
		}
		return Shard{index, count}, nil
	}
	return Shard{}, nil
}
