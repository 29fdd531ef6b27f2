//go:build !unix

package main

import "time"

// hasCPUClock says whether cpuTime works here.
const hasCPUClock = false

func cpuTime() time.Duration { return 0 }
