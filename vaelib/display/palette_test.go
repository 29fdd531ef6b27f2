package display

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"vaefolio/vaelib/figure"
)

// encoded is the picture as an ordinary PNG file.
func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A picture of the house style keeps its inks and its paper exactly, changes no
// pixel by much, and takes less than half of the bytes, the same each time.
func TestCompact(t *testing.T) {
	if testing.Short() {
		t.Skip("makes palettes of whole pictures")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var cloud figure.Cloud
	for range 800 {
		cloud.Risk, cloud.Return = append(cloud.Risk, 0.3+0.1*rng.Float64()), append(cloud.Return, rng.NormFloat64())
	}
	cloud.Name = "drawn"
	fig, err := figure.RiskReturn{Frame: figure.Frame{Synthetic: true}, Clouds: []figure.Cloud{cloud}}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	full, err := fig.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	small, err := compact(full)
	if err != nil {
		t.Fatal(err)
	}
	again, err := compact(full)
	if err != nil || !bytes.Equal(small, again) {
		t.Errorf("the same picture gives other bytes, %v", err)
	}
	if 2*len(small) > len(full) {
		t.Errorf("%d bytes of %d", len(small), len(full))
	}
	want, err := png.Decode(bytes.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if palette := got.(*image.Paletted).Palette; len(palette) > colours {
		t.Errorf("%d colours", len(palette))
	}
	var squares, pixels float64
	paper := 0
	bounds := want.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			a, b := color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA)
			for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
				squares += float64(d * d)
				pixels++
			}
			if a == (color.NRGBA{255, 255, 255, 255}) && a != b {
				paper++
			}
		}
	}
	if rms := math.Sqrt(squares / pixels); rms > 1.5 {
		t.Errorf("root mean square error of %.2f of 255", rms)
	}
	if paper > 0 {
		t.Errorf("%d white pixels are white no more", paper)
	}
}

func TestCompactLeavesAlone(t *testing.T) {
	few := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range few.Pix {
		few.Pix[i] = 255
	}
	few.SetNRGBA(3, 4, color.NRGBA{10, 20, 30, 255})
	small, err := compact(encoded(t, few))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if c := color.NRGBAModel.Convert(got.At(3, 4)); c != (color.NRGBA{10, 20, 30, 255}) {
		t.Errorf("a picture of two colours has %v", c)
	}
	few.SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 100}) // translucent
	file := encoded(t, few)
	if small, err := compact(file); err != nil || !bytes.Equal(small, file) {
		t.Errorf("a translucent picture is changed, %v", err)
	}
	if _, err := compact([]byte("no picture")); err == nil {
		t.Error("no picture passes")
	}
}

func BenchmarkCompact(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 1400, 900))
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(250 + i%4 + rng.IntN(2))
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := compact(file.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
