package cpu

import (
	encoding "encoding/binary"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// atLevels runs a test at every level that this processor has.
func atLevels(t *testing.T, f func(t *testing.T)) {
	defer func(highest processorLevel) { level = highest }(level)
	for _, level = range levels() {
		t.Run(level.String(), f)
	}
}

// levels are those that this processor has.
func levels() []processorLevel {
	if level <= levelNEON {
		return []processorLevel{levelGo, levelNEON}[:level+1]
	}
	return []processorLevel{levelGo, levelAVX2, levelAVX512}[:level]
}

// everyKind are numbers of every kind and size: all exponents, both signs,
// subnormal ones, zeros, infinities and NaN.
func everyKind(count int) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	x := []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, 0.5, 2, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat32, -math.MaxFloat32,
		88.7, 88.72283, 88.72284, 89, 90, -87.3, -87.4, -103.97, -103.98, -104, -105, 0.625, -0.625,
	}
	for len(x) < count/2 {
		x = append(x, math.Float32frombits(rng.Uint32()))
	}
	for len(x) < count {
		x = append(x, float32(rng.NormFloat64()*math.Exp2(float64(rng.IntN(16)-8))))
	}
	return x
}

// ulps is the distance of x from want in spacings of float32 at want.
func ulps(x float32, want float64) float64 {
	rounded := float32(want)
	switch {
	case math.IsNaN(want) && x != x, float64(x) == want, x == rounded:
		return 0
	case math.IsNaN(want) != (x != x) || math.IsInf(float64(x), 0):
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(x)-want) / math.Ldexp(1, max(e-24, -149))
}

// The errors of the functions are those that their comments state.
func TestFunctionErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(x float32) float32
		want func(x float64) float64
		ulps float64
	}{
		{"exp", exp, math.Exp, 1},
		{"log", log, math.Log, 1},
		{"tanh", tanh, math.Tanh, 2},
		{"logistic", func(x float32) float32 {
			if x < -88 {
				return 0
			}
			return logistic(x)
		}, func(x float64) float64 {
			if x < -88 {
				return 0
			}
			return 1 / (1 + math.Exp(-x))
		}, 3},
	} {
		var worst, at float64
		for _, x := range everyKind(400_000) {
			if e := ulps(c.f(x), c.want(float64(x))); e > worst {
				worst, at = e, float64(x)
			}
		}
		t.Logf("%s: at most %.3f units in the last place, at %v", c.name, worst, at)
		if !(worst <= c.ulps) {
			t.Errorf("%s: %v units in the last place at %v, want %v", c.name, worst, at, c.ulps)
		}
	}
}

// fma rounds a*b + c once, as the processor's instruction does.
func TestFMA(t *testing.T) {
	x := everyKind(300_000)
	rng := rand.New(rand.NewPCG(3, 4))
	rng.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
	check := func(a, b, c float32) {
		got := fma(a, b, c)
		exact := new(big.Float).SetPrec(600)
		if finite := float64(a)*0 + float64(b)*0 + float64(c)*0; finite != 0 {
			if want := float32(float64(a)*float64(b) + float64(c)); got != want && (got == got || want == want) {
				t.Fatalf("%v * %v + %v is %v, want %v", a, b, c, got, want)
			}
			return // infinite or NaN
		}
		exact.Mul(big.NewFloat(float64(a)).SetPrec(600), big.NewFloat(float64(b)))
		exact.Add(exact, big.NewFloat(float64(c)))
		want, _ := exact.Float32()
		if got != want {
			t.Fatalf("%v * %v + %v is %v, want %v", a, b, c, got, want)
		}
	}
	for i := 0; i+2 < len(x); i++ {
		check(x[i], x[i+1], x[i+2])
		check(x[i], x[i+1], -x[i]*x[i+1])
		// Sums close to halfway between two numbers.
		half := math.Float32frombits(rng.Uint32()&0x007fffff | 0x4b000000)
		check(half, 1, float32(math.Copysign(0.5, float64(x[i]))))
		check(half, 1+0x1p-23, math.Float32frombits(rng.Uint32()&0x00ffffff|0x3e000000))
		check(half, 0x1p-24, half*0x1p24)
	}
}

// Every function has the same bits at every level, at every length.
func TestFunctionLevels(t *testing.T) {
	x, y := everyKind(2000), everyKind(2000)
	rng := rand.New(rand.NewPCG(5, 6))
	rng.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
	for i := range y[:200] {
		y[i] = x[i] // equal ones
	}
	z := make([]float32, len(x))
	for i := range z {
		z[i] = float32(i % 2)
	}
	atLevels(t, func(t *testing.T) {
		for code := opAdd; code <= opTruth; code++ {
			for n := range 40 {
				compareLevels(t, code, x[n:][:n], y[n:][:n], z[n:][:n])
			}
			compareLevels(t, code, x, y, z)
		}
		compareLevels(t, opWhere, z, x, y)
	})
}

func compareLevels(t *testing.T, code opcode, x, y, z []float32) {
	t.Helper()
	n := len(x)
	got, want := make([]float32, n+1), make([]float32, n+1)
	got[n], want[n] = 7, 7 // nothing behind the end is written
	apply32(code, got[:n], x, y, z)
	switch code {
	case opGreater:
		plain32(opLess, want[:n], y, x, z)
	case opGreaterOrEqual:
		plain32(opLessOrEqual, want[:n], y, x, z)
	default:
		plain32(code, want[:n], x, y, z)
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("function %d of %v, %v, %v: %v, want %v", code, x[i], y[i], z[i], got[i], want[i])
		}
	}
}

// exp64 is within 2 units in the last place of math.Exp.
func TestExp64(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	check := func(x float64) {
		got, want := exp64(x), math.Exp(x)
		if got == want || got != got && want != want {
			return
		}
		if math.Abs(got-want) > max(4.5e-16*want, 1e-323) {
			t.Fatalf("exp64(%v) is %v, want %v", x, got, want)
		}
	}
	for range 200_000 {
		check(rng.NormFloat64() * 300)
		check(rng.NormFloat64())
	}
	for _, x := range []float64{
		0, 709.78, 709.79, 710, -745.13, -745.14, -746, -708.4, math.Inf(1), math.Inf(-1), math.NaN(),
	} {
		check(x)
	}
}

// The bits of the functions are these on every architecture.
func TestFunctionBits(t *testing.T) {
	x := everyKind(20_000)
	y := make([]float32, len(x))
	for code, want := range map[opcode]uint64{
		opExp: 0xee18544e7b213bab, opLog: 0x841a9a5cf5cf888c, opTanh: 0x850e0d879c6c7785, opLogistic: 0x8f6df6a39b08a309,
	} {
		apply32(code, y, x, nil, nil)
		hash := fnv.New64a()
		for _, v := range y {
			if v != v {
				v = 0 // whose bits are left open
			}
			if err := encoding.Write(hash, encoding.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
		if hash.Sum64() != want {
			t.Errorf("function %d: the hash of its values is %#x, want %#x", code, hash.Sum64(), want)
		}
	}
}
