package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"io"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Parse(pageText))

// Write writes the document as one HTML page. It returns an error, before
// anything is written, where a picture is not a PNG or has no alternative text,
// or where a weight row's length is not that of the symbols.
func Write(w io.Writer, d Document) error {
	sections, err := d.sections()
	if err != nil {
		return err
	}
	header := d.Header
	if header.Title == "" {
		header.Title = "Portfolios from a variational autoencoder"
	}
	if header.Verdict == "" && d.Baselines != nil && (header.Health == nil || header.Health.Good) {
		header.Verdict = d.Baselines.Verdict()
	}
	laid := make([]laidSection, len(sections))
	for i, s := range sections {
		laid[i].Section = s
		if laid[i].Pictures, err = layPictures(s.Pictures); err != nil {
			return err
		}
	}
	var buffer bytes.Buffer
	err = page.Execute(&buffer, struct {
		Header
		Style    template.CSS
		Sections []laidSection
	}{header, template.CSS(pageStyle), laid})
	if err != nil {
		return fmt.Errorf("laying out the report: %w", err)
	}
	_, err = w.Write(buffer.Bytes())
	return err
}

// sections lays out those that the document has.
func (d Document) sections() ([]Section, error) {
	var sections []Section
	add := func(s Section, pictures []Picture) {
		s.Pictures = pictures
		sections = append(sections, s)
	}
	if d.Header.Health != nil {
		add(d.findings(), nil)
	}
	further := len(d.Commands)+len(d.Files) > 0
	if further && d.Header.Health != nil {
		add(d.next(), nil)
	}
	if d.Baselines != nil {
		add(baselinesSection(*d.Baselines, d.Header.Health != nil), d.Baselines.Pictures)
	}
	if d.Weights != nil {
		if err := d.Weights.check(); err != nil {
			return nil, err
		}
		add(weightsSection(*d.Weights), d.Weights.Pictures)
	}
	if d.Generated != nil {
		add(generatedSection(*d.Generated), d.Generated.Pictures)
	}
	if d.Diagnostics != nil {
		add(diagnosticsSection(*d.Diagnostics), d.Diagnostics.Pictures)
	}
	if d.Training != nil {
		add(trainingSection(*d.Training), d.Training.Pictures)
	}
	if d.Constraints != nil {
		add(constraintsSection(*d.Constraints), nil)
	}
	if d.Data != nil {
		add(dataSection(*d.Data), d.Data.Pictures)
	}
	if d.WalkForward != nil {
		add(walkForwardSection(*d.WalkForward), d.WalkForward.Pictures)
	}
	sections = append(sections, d.Sections...)
	if further && d.Header.Health == nil {
		add(d.next(), nil)
	}
	if d.Provenance != nil {
		add(provenanceSection(*d.Provenance), nil)
	}
	return sections, nil
}

// laidSection is a section with its pictures as the page needs them.
type laidSection struct {
	Section
	Pictures []laidPicture
}

// laidPicture is a picture as the page needs it.
type laidPicture struct {
	Source        template.URL
	Alt, Caption  string
	Width, Height int

	Narrow                    template.Srcset // empty: none
	NarrowWidth, NarrowHeight int
}

func layPictures(pictures []Picture) ([]laidPicture, error) {
	var laid []laidPicture
	for _, p := range pictures {
		picture, err := layPicture(p)
		if err != nil {
			return nil, err
		}
		laid = append(laid, picture)
	}
	return laid, nil
}

func layPicture(p Picture) (laidPicture, error) {
	config, err := png.DecodeConfig(bytes.NewReader(p.PNG))
	if err != nil {
		return laidPicture{}, fmt.Errorf("picture %q is no PNG image: %w", p.Caption, err)
	}
	if p.Alt == "" {
		return laidPicture{}, fmt.Errorf("picture %q has no alternative text: say what it shows", p.Caption)
	}
	laid := laidPicture{Alt: p.Alt, Caption: p.Caption, Width: p.Width, Height: p.Height}
	if laid.Width <= 0 || laid.Height <= 0 {
		laid.Width, laid.Height = config.Width, config.Height
	}
	inside := func(file []byte) string {
		return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file)
	}
	laid.Source = template.URL(inside(p.PNG))
	if p.Narrow != nil {
		if _, err := png.DecodeConfig(bytes.NewReader(p.Narrow)); err != nil {
			return laidPicture{}, fmt.Errorf("picture %q is no PNG image where it is narrow: %w", p.Caption, err)
		}
		laid.Narrow = template.Srcset(inside(p.Narrow))
		laid.NarrowWidth, laid.NarrowHeight = p.NarrowWidth, p.NarrowHeight
	}
	return laid, nil
}
