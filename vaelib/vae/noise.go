package vae

import (
	"math"
	"math/rand/v2"
)

// fillIndices draws indices below count, which float up to count/2^32 from even
// odds.
func fillIndices(dst []int32, count int, source *rand.PCG) {
	for i := range dst {
		dst[i] = int32(source.Uint64() >> 32 * uint64(count) >> 32)
	}
}

// fillNormals draws standard normals in float32 by the ziggurat of Marsaglia &
// Tsang (2000), which is most of the time one multiplication. Of each 32 random
// bits 7 choose the layer and 25 the place in it, so that the two are
// independent (Doornik 2005).
func fillNormals(dst []float32, source *rand.PCG) {
	for len(dst) > 1 {
		u := source.Uint64()
		dst[0], dst[1] = normal(uint32(u), source), normal(uint32(u>>32), source)
		dst = dst[2:]
	}
	if len(dst) == 1 {
		dst[0] = normal(uint32(source.Uint64()), source)
	}
}

// The ziggurat has layers of the area zigguratArea, the lowest with the tail
// from zigguratTail on.
const (
	zigguratLayers = 128
	zigguratTail   = 3.442619855899
	zigguratArea   = 9.91256303526217e-3
	zigguratPlaces = 1 << 24 // to each side
)

// ziggurat holds of each layer the largest place that is certainly below the
// density, the width of a place, and the density at the layer's edge.
var ziggurat = func() (z struct {
	inside [zigguratLayers]int32
	width  [zigguratLayers]float32
	edge   [zigguratLayers]float64
}) {
	density := func(x float64) float64 { return math.Exp(-x * x / 2) }
	x, below := zigguratTail, zigguratArea/density(zigguratTail)
	z.inside[0], z.width[0], z.edge[0] = int32(x/below*zigguratPlaces), float32(below/zigguratPlaces), 1
	z.width[zigguratLayers-1], z.edge[zigguratLayers-1] = float32(x/zigguratPlaces), density(x)
	for i := zigguratLayers - 2; i >= 1; i-- {
		above := math.Sqrt(-2 * math.Log(zigguratArea/x+density(x)))
		z.inside[i+1] = int32(above / x * zigguratPlaces)
		z.width[i], z.edge[i] = float32(above/zigguratPlaces), density(above)
		x = above
	}
	return z
}()

func normal(bits uint32, source *rand.PCG) float32 {
	place, layer := int32(bits)>>7, bits%zigguratLayers
	x := float32(place) * ziggurat.width[layer]
	if max(place, -place) < ziggurat.inside[layer] {
		return x
	}
	return normalBeyond(x, layer, source)
}

// normalBeyond decides about a place that may be above the density.
func normalBeyond(x float32, layer uint32, source *rand.PCG) float32 {
	rng := rand.New(source)
	if layer == 0 { // the tail (Marsaglia 1964)
		for {
			beyond := rng.ExpFloat64() / zigguratTail
			if 2*rng.ExpFloat64() > beyond*beyond {
				return float32(math.Copysign(zigguratTail+beyond, float64(x)))
			}
		}
	}
	lower, upper := ziggurat.edge[layer], ziggurat.edge[layer-1]
	if lower+rng.Float64()*(upper-lower) < math.Exp(-float64(x)*float64(x)/2) {
		return x
	}
	return normal(uint32(source.Uint64()), source)
}
