//go:build !amd64

package panel

const accelerated = false

func multiplyFMA(*float64, int, *float64, *float64, int) {
	panic("panel: no accelerated product on this architecture")
}
