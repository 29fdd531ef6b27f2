//go:build !amd64

package metrics

const accelerated = false

func multiplyFMA(*float64, int, *float64, *float64, int) {
	panic("metrics: no accelerated product on this architecture")
}
