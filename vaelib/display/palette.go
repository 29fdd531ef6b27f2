package display

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
)

// colours is the size of a palette. A picture of a notebook has a few inks and
// their blends along edges, of which so many are enough for the eye: it then takes
// less than a third of the bytes.
const colours = 64

// compact returns a PNG file of the same picture with a palette: the same bytes
// for the same picture. Translucent pictures stay as they are.
func compact(picture []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	small, ok := paletted(img)
	if !ok {
		return picture, nil
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, small); err != nil {
		return nil, err
	}
	if out.Len() >= len(picture) {
		return picture, nil
	}
	return out.Bytes(), nil
}

// A shade is a colour of a picture, and how many pixels have it.
type shade struct {
	rgb   [3]uint8
	count int
}

// paletted returns the picture with at most so many colours, each pixel the
// nearest; false for one that isn't opaque.
func paletted(img image.Image) (*image.Paletted, bool) {
	pixels := image.NewNRGBA(img.Bounds())
	draw.Draw(pixels, pixels.Rect, img, pixels.Rect.Min, draw.Src)
	counts := map[[3]uint8]int{}
	var last [3]uint8
	run := 0 // pixels of the last colour that aren't counted yet
	for i := 0; i < len(pixels.Pix); i += 4 {
		rgb := [3]uint8(pixels.Pix[i : i+3])
		if pixels.Pix[i+3] != 255 {
			return nil, false
		}
		if rgb != last {
			counts[last] += run
			last, run = rgb, 0
		}
		run++
	}
	counts[last] += run
	shades := make([]shade, 0, len(counts))
	for rgb, count := range counts {
		if count > 0 {
			shades = append(shades, shade{rgb, count})
		}
	}
	slices.SortFunc(shades, func(a, b shade) int { return slices.Compare(a.rgb[:], b.rgb[:]) })
	palette := reduce(shades, colours)
	index := make(map[[3]uint8]uint8, len(shades))
	for _, s := range shades {
		index[s.rgb] = nearest(palette, s.rgb)
	}
	model := make(color.Palette, len(palette))
	for i, rgb := range palette {
		model[i] = color.NRGBA{rgb[0], rgb[1], rgb[2], 255}
	}
	out := image.NewPaletted(pixels.Rect, model)
	last = [3]uint8(pixels.Pix[:3])
	same := index[last]
	for i := range out.Pix {
		if rgb := [3]uint8(pixels.Pix[4*i : 4*i+3]); rgb != last {
			last, same = rgb, index[rgb]
		}
		out.Pix[i] = same
	}
	return out, true
}

// reduce returns at most n colours for the shades: it splits the group with the
// largest sum of squares about its mean, along the channel that has most of it, at
// the mean, until there are n groups (Wan, Wong & Prusinkiewicz 1988). A group is
// shown in the colour of most of its pixels, if there is one, so that the inks and
// the paper stay exactly as they are; else in its mean.
func reduce(shades []shade, n int) [][3]uint8 {
	groups := []group{newGroup(shades)}
	for len(groups) < n {
		widest := 0
		for i, g := range groups {
			if g.spread[g.channel] > groups[widest].spread[groups[widest].channel] {
				widest = i
			}
		}
		g := groups[widest]
		if g.spread[g.channel] == 0 {
			break // every group is one colour
		}
		cut := slices.IndexFunc(g.shades, func(s shade) bool { return float64(s.rgb[g.channel]) > g.mean[g.channel] })
		groups[widest] = newGroup(g.shades[:cut])
		groups = append(groups, newGroup(g.shades[cut:]))
	}
	palette := make([][3]uint8, len(groups))
	for i, g := range groups {
		palette[i] = g.colour()
	}
	return palette
}

// A group are the shades that become one colour, in the order of a channel.
type group struct {
	shades  []shade
	count   int
	mean    [3]float64
	spread  [3]float64 // sums of squares about the mean, by channel
	channel int        // of the largest spread
}

func newGroup(shades []shade) group {
	g := group{shades: shades}
	var sums, squares [3]float64
	for _, s := range shades {
		g.count += s.count
		for k, v := range s.rgb {
			sums[k] += float64(s.count) * float64(v)
			squares[k] += float64(s.count) * float64(v) * float64(v)
		}
	}
	for k := range 3 {
		g.mean[k] = sums[k] / float64(g.count)
		g.spread[k] = squares[k] - sums[k]*g.mean[k]
		if len(shades) == 1 {
			g.spread[k] = 0 // but for rounding
		}
		if g.spread[k] > g.spread[g.channel] {
			g.channel = k
		}
	}
	slices.SortStableFunc(g.shades, func(a, b shade) int { return cmp.Compare(a.rgb[g.channel], b.rgb[g.channel]) })
	return g
}

// colour is the one that the group is shown in.
func (g group) colour() (rgb [3]uint8) {
	most := slices.MaxFunc(g.shades, func(a, b shade) int { return cmp.Compare(a.count, b.count) })
	if 2*most.count > g.count {
		return most.rgb
	}
	for k, v := range g.mean {
		rgb[k] = uint8(v + 0.5)
	}
	return rgb
}

// nearest is the index of the palette's colour nearest to one.
func nearest(palette [][3]uint8, rgb [3]uint8) uint8 {
	best, least := 0, 1<<30
	for i, p := range palette {
		distance := 0
		for k := range 3 {
			d := int(p[k]) - int(rgb[k])
			distance += d * d
		}
		if distance < least {
			best, least = i, distance
		}
	}
	return uint8(best)
}
