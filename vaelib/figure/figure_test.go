package figure

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden pictures anew; look at them before committing")

// TestGolden compares every picture with the one in testdata, a quarter as
// large each way. Another architecture rounds the edges of glyphs differently,
// so pixels may differ a little, but few of them much.
func TestGolden(t *testing.T) {
	for name, d := range gallery() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := d.Draw()
			if err != nil {
				t.Fatal(err)
			}
			got := quarter(t, pngOf(t, f))
			path := filepath.Join("testdata", name+".png")
			if *update {
				var buffer bytes.Buffer
				if err := png.Encode(&buffer, got); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, buffer.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if got.Bounds() != want.Bounds() {
				t.Fatalf("picture is %v, golden %v", got.Bounds(), want.Bounds())
			}
			mean, far := distance(got, want)
			if mean > 0.5 || far > 0.002 {
				t.Errorf("picture differs from the golden by %.3f levels on average, and by more than 32 at %.2f%% of the pixels", mean, 100*far)
			}
		})
	}
}

func pngOf(t *testing.T, f *Figure) []byte {
	t.Helper()
	b, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quarter averages blocks of 4 x 4 pixels.
func quarter(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewNRGBA(image.Rect(0, 0, full.Bounds().Dx()/4, full.Bounds().Dy()/4))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			var sum [3]uint32
			for k := range 16 {
				r, g, b, _ := full.At(4*x+k%4, 4*y+k/4).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+b>>8
			}
			small.SetNRGBA(x, y, color.NRGBA{uint8(sum[0] / 16), uint8(sum[1] / 16), uint8(sum[2] / 16), 255})
		}
	}
	return small
}

// distance is the mean difference of the channels in levels of 255, and the
// share of pixels where one differs by more than 32.
func distance(a, b image.Image) (mean, far float64) {
	size := a.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			largest := 0.0
			for _, d := range []float64{float64(ar>>8) - float64(br>>8), float64(ag>>8) - float64(bg>>8), float64(ab>>8) - float64(bb>>8)} {
				mean += math.Abs(d) / 3
				largest = max(largest, math.Abs(d))
			}
			if largest > 32 {
				far++
			}
		}
	}
	pixels := float64(size.X * size.Y)
	return mean / pixels, far / pixels
}

func TestSameDataSameBytes(t *testing.T) {
	first, err := trainingExample(newRand()).Draw()
	if err != nil {
		t.Fatal(err)
	}
	second, err := trainingExample(newRand()).Draw()
	if err != nil {
		t.Fatal(err)
	}
	a := pngOf(t, first)
	if !bytes.Equal(a, pngOf(t, second)) || !bytes.Equal(a, pngOf(t, first)) {
		t.Error("the same data gave different bytes")
	}
}

func TestSizeIsHalfThePixels(t *testing.T) {
	f, err := unitsExample().Draw()
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(pngOf(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	if w, h := f.Size(); config.Width != 2*w || config.Height != 2*h {
		t.Errorf("the image has %d x %d pixels for a size of %d x %d", config.Width, config.Height, w, h)
	}
}

func TestWritePNG(t *testing.T) {
	f, err := unitsExample().Draw()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new", "units.png")
	if err := f.WritePNG(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, pngOf(t, f)) {
		t.Error("the file differs from Bytes")
	}
}

func TestSyntheticIsMarked(t *testing.T) {
	real, synthetic := unitsExample(), unitsExample()
	synthetic.Synthetic = true
	a, err := real.Draw()
	if err != nil {
		t.Fatal(err)
	}
	b, err := synthetic.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(a.Alt(), "synthetic") || !strings.Contains(b.Alt(), "synthetic") {
		t.Errorf("alternative texts don't tell synthetic from real: %q, %q", a.Alt(), b.Alt())
	}
	left, right := quarter(t, pngOf(t, a)), quarter(t, pngOf(t, b))
	size := left.Rect.Size()
	marked := 0
	for y := size.Y / 3; y < size.Y; y++ { // below the badge: the watermark
		for x := range size.X {
			if left.NRGBAAt(x, y) != right.NRGBAAt(x, y) {
				marked++
			}
		}
	}
	if marked < size.X*size.Y/50 {
		t.Errorf("only %d pixels of the data's area show the watermark", marked)
	}
	if c := right.NRGBAAt(size.X-8, 6); c.R < 150 || c.G > 90 {
		t.Errorf("the corner has no badge, but %v", c)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	nan := math.NaN()
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		d    drawer
		want string
	}{
		{"lines", Lines{}, "no data: no finite value"},
		{"lines of NaN", Lines{Subplots: []Subplot{{Series: []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{nan, nan}}}}}}, "no data"},
		{"training", Training{}, "no data"},
		{"rate", RateDistortion{}, "no data: no finished run"},
		{"rate of NaN", RateDistortion{Points: []RatePoint{{0.1, 1, nan, 0.5}}}, "no data"},
		{"units", KLPerDimension{}, "no data"},
		{"spectrum", Spectrum{Eigenvalues: []float64{0, nan}}, "no data: no positive eigenvalue"},
		{"risk and return", RiskReturn{Marks: []Mark{{"a", nan, 1}}}, "no data"},
		{"concentration", Concentration{Generated: mat.NewDense(1, 2, []float64{nan, nan})}, "no data"},
		{"weights", WeightBars{Symbols: []string{"A"}}, "no data"},
		{"weights of NaN", WeightBars{Symbols: []string{"A"}, Generated: mat.NewDense(1, 1, []float64{nan})}, "no data"},
		{"wealth", Wealth{}, "no data: no period"},
		{"heatmap", Heatmap{}, "no data: no asset"},
		{"ternary", Ternary{Clouds: []TernaryCloud{{"a", mat.NewDense(1, 3, []float64{1, 1, 1})}}}, "no data"},
		{"plane", Plane{}, "no data: no finite value on a grid"},
		{"plane of NaN", Plane{Ticks: []float64{0, 1}, Maps: []PlaneMap{{"a", []float64{nan, nan, nan, nan}}}}, "no data"},
		{"mosaic", Mosaic{}, "no data: no grid"},
		{"mosaic of NaN", Mosaic{Columns: []float64{0, 1}, Rows: []float64{0, 1}, Weights: mat.NewDense(4, 1, []float64{nan, nan, nan, nan}), Group: []int{0}, Groups: []string{"a"}}, "no data"},
		{"grid", Grid{}, "no data: no field with a value"},
		{"grid of one field", Grid{Columns: []string{"a"}, Rows: []string{"b"}, Values: [][]float64{{0}}, Negative: "less"}, "Below 0: less"},
		{"grid with a gap", Grid{Columns: []string{"a", "b"}, Rows: []string{"c"}, Values: [][]float64{{nan, -2}}}, "from -2 to -2"},
		{"intervals", Intervals{}, "no data: no finite estimate"},
		{"areas", Areas{}, "no data: no time"},
		{"one area", Areas{Times: []float64{1}, Names: []string{"A"}, Shares: mat.NewDense(1, 1, []float64{0})}, "A 0%"},
		{"candles", Candles{}, "no data: no finite price"},
		{"one flat candle", Candles{Times: []float64{1}, Open: []float64{2}, High: []float64{2}, Low: []float64{2}, Close: []float64{2}}, "1 candles"},
		{"flat plane", Plane{Ticks: []float64{0, 1}, Maps: []PlaneMap{{"a", []float64{1, 1, 1, nan}}}, Points: []PlanePoint{{5, 5}}}, "a from 1 to 1"},
		{"one point", Lines{Subplots: []Subplot{{Series: []Series{{Name: "loss", X: []float64{3}, Y: []float64{0.5}}}}}}, "loss goes from 0.5 to 0.5"},
		{"constant", Lines{Subplots: []Subplot{{Series: []Series{{Name: "loss", X: []float64{1, 2}, Y: []float64{0, 0}}}}}}, "from 0 to 0"},
		{"one portfolio", RiskReturn{Clouds: []Cloud{{"a", []float64{0.5}, []float64{0.1}}}}, "1 portfolios"},
		{"one day", Wealth{Times: []time.Time{day}, Start: day, Paths: []Path{{"a", []float64{0.1}}}}, "a 1.10"},
		{"ruin", Wealth{Times: []time.Time{day, day.AddDate(0, 0, 1)}, Paths: []Path{{"a", []float64{0.5, -1}}}}, "a 0 (ruin)"},
		{"one asset", Heatmap{Symbols: []string{"A"}, Values: mat.NewDense(1, 1, []float64{1})}, "1 asset"},
		{"one row", WeightBars{Symbols: []string{"A"}, Generated: mat.NewDense(1, 1, []float64{1})}, "A, 100.0%"},
		{"short position", WeightBars{Symbols: []string{"A", "B"}, Generated: mat.NewDense(1, 2, []float64{1.5, -0.5})}, "A, 150.0%"},
		{"all collapsed", KLPerDimension{KL: []float64{0, 0}, Variance: []float64{0, 0}}, "0 of 2"},
		{"one beta", RateDistortion{Points: []RatePoint{{0.1, 1, 3, 0.2}}}, "1 models"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := c.d.Draw()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(f.Alt(), c.want) {
				t.Errorf("alternative text %q does not say %q", f.Alt(), c.want)
			}
			checkDrawing(t, f)
		})
	}
}

// reporter is what a test and a property's trial share.
type reporter interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
}

// TestLinesHoldForAnyNumbers draws what no run should record: infinities, NaN,
// numbers at both ends of their range, on any kind of axis.
func TestLinesHoldForAnyNumbers(t *testing.T) {
	numbers := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-2, 2), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(t, "n")
		l := Lines{
			X: Axis{Log: rapid.Bool().Draw(t, "log x")},
			Subplots: []Subplot{{
				Y: Axis{Log: rapid.Bool().Draw(t, "log y"), Unit: rapid.SampledFrom([]Unit{Number, Percent}).Draw(t, "unit")},
				Series: []Series{{
					X: rapid.SliceOfN(numbers, n, n).Draw(t, "x"),
					Y: rapid.SliceOfN(numbers, n, n).Draw(t, "y"),

					Low:   rapid.SliceOfN(numbers, n, n).Draw(t, "low"),
					High:  rapid.SliceOfN(numbers, n, n).Draw(t, "high"),
					Steps: rapid.Bool().Draw(t, "steps"),
				}},
			}},
			Shades: []Shade{{numbers.Draw(t, "from"), numbers.Draw(t, "to"), "shade"}},
		}
		f, err := l.Draw()
		if err != nil {
			t.Fatal(err)
		}
		checkDrawing(t, f)
	})
}

// checkDrawing lays the figure out without painting it, and looks for text
// and paths at places that are no numbers, or far outside the picture.
func checkDrawing(t reporter, f *Figure) {
	t.Helper()
	var canvas recorder.Canvas
	f.draw(draw.NewCanvas(&canvas, f.width, f.height))
	far := 2 * max(f.width, f.height) // turned text has turned coordinates
	inside := func(p vg.Point) bool {
		return -far <= p.X && p.X <= far && -far <= p.Y && p.Y <= far
	}
	for _, action := range canvas.Actions {
		switch a := action.(type) {
		case *recorder.FillString:
			if !inside(a.Point) {
				t.Errorf("%q is written at %v", a.String, a.Point)
			}
		case *recorder.Stroke:
			checkPath(t, a.Path, inside)
		case *recorder.Fill:
			checkPath(t, a.Path, inside)
		}
	}
	if len(canvas.Actions) == 0 {
		t.Error("nothing is drawn")
	}
}

func checkPath(t reporter, path vg.Path, inside func(vg.Point) bool) {
	t.Helper()
	for _, step := range path {
		if step.Type != vg.CloseComp && !inside(step.Pos) {
			t.Errorf("a path goes through %v", step.Pos)
		}
	}
}

func TestDataThatDontFitAreErrors(t *testing.T) {
	two, three := mat.NewDense(1, 2, []float64{0.5, 0.5}), mat.NewDense(1, 3, []float64{0.2, 0.3, 0.5})
	for _, c := range []struct {
		d    drawer
		want string
	}{
		{Lines{Subplots: []Subplot{{Series: []Series{{Name: "loss", X: []float64{1}, Y: nil}}}}}, `series "loss" has 1 x values and 0 y values`},
		{
			Lines{Subplots: []Subplot{{Series: []Series{{Name: "r", X: []float64{1}, Y: []float64{1}, Low: []float64{0}}}}}},
			`series "r" has 1 x values, and a band of 1 lower and 0 upper bounds`,
		},
		{Scatter{Groups: []Points{{Name: "g", X: []float64{1}}}}, `group "g" has 1 x, 0 y and 0 values`},
		{Mosaic{Columns: []float64{0, 1}, Rows: []float64{0, 1}, Weights: two}, "a mosaic of 2 rows and 2 columns of 0 assets has weights of 1 x 2"},
		{Mosaic{Columns: []float64{0, 1}, Rows: []float64{0, 1}, Weights: mat.NewDense(4, 1, nil), Group: []int{0}}, "an asset of a mosaic is in group 0 of 0"},
		{Architecture{Assets: 2}, "a layer of the architecture has 0 units"},
		{Training{Step: []float64{1}, TrainLoss: []float64{1, 2}}, "history of training loss has 2 values at 1 steps"},
		{Intervals{Names: []string{"a"}}, "1 names have 0 estimates, 0 lower and 0 upper ends"},
		{Areas{Times: []float64{1}, Names: []string{"A"}, Shares: mat.NewDense(1, 1, []float64{-1})}, "row 1 of the shares has one below 0, or its time is not after the last"},
		{Candles{Times: []float64{1}}, "1 openings have 0, 0, 0 and 0 prices"},
		{KLPerDimension{KL: []float64{1}}, "KL is given for 1 dimensions and the variance for 0"},
		{RiskReturn{Clouds: []Cloud{{"c", []float64{1}, nil}}}, `cloud "c" has 1 risks and 0 returns`},
		{RiskReturn{Frontier: Cloud{Risk: []float64{1}}}, `cloud "" has 1 risks and 0 returns`},
		{Concentration{Generated: two, Training: three}, "generated portfolios have 2 assets and training portfolios 3"},
		{WeightBars{Symbols: []string{"A"}, Training: two}, "training portfolios have 2 assets for 1 symbols"},
		{Wealth{Times: make([]time.Time, 2), Paths: []Path{{"p", []float64{1}}}}, `strategy "p" has 1 returns for 2 times`},
		{Heatmap{Symbols: []string{"A", "B"}, Values: three}, "a correlation matrix of 2 symbols has 1 x 3 entries"},
		{Grid{Rows: []string{"a"}}, "a grid of 1 rows has 0 rows of values and 0 of words"},
		{Grid{Rows: []string{"a"}, Columns: []string{"b"}, Values: [][]float64{{1, 2}}}, "row 1 of a grid of 1 columns has 2 values"},
		{Plane{Ticks: []float64{0, 1}, Maps: []PlaneMap{{"m", []float64{1, 2}}}}, `map "m" has 2 values on a grid of 2 x 2`},
		{Plane{Ticks: []float64{1, 0}}, "coordinates of the plane 1 and 0: they rise"},
		{Ternary{Clouds: []TernaryCloud{{"c", two}}}, `cloud "c" has 2 assets, a triangle needs 3`},
	} {
		if _, err := c.d.Draw(); err == nil || err.Error() != c.want {
			t.Errorf("%T: error %v, want %s", c.d, err, c.want)
		}
	}
}

func TestHostileNames(t *testing.T) {
	name := "line\nbreak\t" + strings.Repeat("very long name ", 40) + "<b>&\u0000"
	w := wealthExample(newRand())
	w.Title, w.Subtitle = name, name
	for i := range w.Paths {
		w.Paths[i].Name = name
	}
	f, err := w.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(f.Alt()+f.Title(), "\n\t\u0000") {
		t.Errorf("control characters are left in %q", f.Alt())
	}
	checkDrawing(t, f)
}

func TestFootnotesCountWhatIsLeftOut(t *testing.T) {
	f, err := riskReturnExample(newRand()).Draw()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"training: 5,000 of 6,000 portfolios are drawn.", "1 portfolio left out: risk or return not finite."}
	if !slices.Equal(f.notes, want) {
		t.Errorf("footnotes %q, want %q", f.notes, want)
	}
}

// TestPalette simulates the three dichromacies (Machado, Oliveira & Fernandes
// 2009, severity 1) and asks that any two colours of series stay apart in
// CIELAB, and that each can be seen on white.
func TestPalette(t *testing.T) {
	visions := map[string][9]float64{
		"normal":       {1, 0, 0, 0, 1, 0, 0, 0, 1},
		"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
		"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
		"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
	}
	for vision, m := range visions {
		for i, a := range palette {
			if d := labDistance(lab(a, m), lab(paper, m)); d < 30 {
				t.Errorf("%s: colour %d is %.1f from white", vision, i, d)
			}
			for j, b := range palette[:i] {
				if d := labDistance(lab(a, m), lab(b, m)); d < 24 {
					t.Errorf("%s: colours %d and %d are %.1f apart", vision, j, i, d)
				}
			}
		}
	}
}

// lab is c in CIELAB (D65) as seen through the linear-RGB matrix m.
func lab(c color.NRGBA, m [9]float64) [3]float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	see := func(k int) float64 { return min(max(m[3*k]*r+m[3*k+1]*g+m[3*k+2]*b, 0), 1) }
	r, g, b = see(0), see(1), see(2)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*r + 0.3576*g + 0.1805*b) / 0.95047)
	y := f(0.2126*r + 0.7152*g + 0.0722*b)
	z := f((0.0193*r + 0.1192*g + 0.9505*b) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func labDistance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

func BenchmarkRiskReturn(b *testing.B) {
	d := riskReturnExample(newRand())
	b.ReportAllocs()
	for b.Loop() {
		f, err := d.Draw()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

// Only generated portfolios are blue where there are some, and no two clouds have one
// shape.
func TestCloudStyles(t *testing.T) {
	for _, names := range [][]string{
		{"Dirichlet", "generated"}, {"generated", "others"}, {"training", "a", "generated", "b"}, {"a", "training"},
		{"a", "b", "c", "d", "e", "f", "g", "h"},
	} {
		styles := cloudStyles(names)
		for i, s := range styles {
			if slices.Contains(names, "generated") && (s.colour == generatedColor) != (names[i] == "generated") {
				t.Errorf("%v: %q is %v", names, names[i], s.colour)
			}
			for j := range i {
				if slices.Equal(s.shape, styles[j].shape) {
					t.Errorf("%v: %q and %q have one shape", names, names[j], names[i])
				}
			}
		}
	}
	if s := cloudStyles([]string{"a", "b"}); s[0].colour != palette[0] || s[1].colour != palette[1] {
		t.Errorf("colours %v and %v are not the palette's first", s[0].colour, s[1].colour)
	}
}

// Every picture has a form for narrow screens: as wide as one, with type of the
// same size, and panels one above the other.
func TestNarrow(t *testing.T) {
	for name, d := range gallery() {
		f, err := d.Draw()
		if err != nil {
			t.Fatal(err)
		}
		n := f.Narrow()
		width, height := n.Size()
		if wide, _ := f.Size(); width > 350 && width != wide || width > wide {
			t.Errorf("%s is %d pixels wide where the screen is narrow", name, width)
		}
		if height < 100 || height > 1600 || n.Alt() != f.Alt() {
			t.Errorf("%s is %d pixels high, %q", name, height, n.Alt())
		}
	}
}

// Of many assets a picture shows those that matter, by name, and counts the others.
func TestManyAssets(t *testing.T) {
	const n = 173
	symbols, rank := make([]string, n), make([]float64, n)
	values, weights := mat.NewSymDense(n, nil), mat.NewDense(1, n, nil)
	for j := range n {
		symbols[j], rank[j] = "S"+strconv.Itoa(j), float64(j%50)
		values.SetSym(j, j, 1)
		weights.Set(0, j, float64(j))
	}
	h := Heatmap{Symbols: symbols, Values: values, Rank: rank, RankBy: "mean weight"}
	f, err := h.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if width, _ := f.Size(); width > 760 || !slices.Contains(f.notes, "133 assets left out: their mean weight is smaller.") {
		t.Errorf("%d pixels wide, %q", width, f.notes)
	}
	if got := h.highest(5).Symbols; !slices.Equal(got, []string{"S48", "S49", "S98", "S99", "S149"}) {
		t.Errorf("the five that rank highest are %q", got)
	}
	bars, err := WeightBars{Symbols: symbols, Generated: weights}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if _, height := bars.Size(); height > 800 || !strings.Contains(bars.Alt(), "S172") || len(bars.notes) != 1 {
		t.Errorf("%d pixels high, %q, %q", height, bars.Alt(), bars.notes)
	}
}
