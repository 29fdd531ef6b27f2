package main

import (
	"context"
	"runtime"
	"time"
)

// span is some work: how much, and how long it took.
type span struct {
	units float64
	wall  float64 // seconds
	cpu   float64 // seconds of all threads of the process
}

// rate is units a second by a clock, "wall" or "cpu".
func (s span) rate(clock string) float64 {
	if clock == "cpu" {
		return s.units / s.cpu
	}
	return s.units / s.wall
}

// stopwatch measures spans from a moment on.
type stopwatch struct {
	wall time.Time
	cpu  time.Duration
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

func (w stopwatch) span(units int) span {
	return span{float64(units), time.Since(w.wall).Seconds(), (cpuTime() - w.cpu).Seconds()}
}

// turn works for at least so many seconds, and says how much it did.
type turn func(ctx context.Context, seconds float64) (span, error)

// repeat makes a turn of work that returns how many units it did.
func repeat(work func(ctx context.Context) (units int, err error)) turn {
	return func(ctx context.Context, seconds float64) (span, error) {
		units, watch := 0, startWatch()
		for {
			done, err := work(ctx)
			if err != nil {
				return span{}, err
			}
			units += done
			if s := watch.span(units); s.wall >= seconds {
				return s, nil
			}
		}
	}
}

// oneCore makes a turn use one core.
func oneCore(t turn) turn {
	return func(ctx context.Context, seconds float64) (span, error) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		return t(ctx, seconds)
	}
}
