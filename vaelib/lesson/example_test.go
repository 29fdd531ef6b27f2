package lesson_test

import (
	"fmt"
	"math"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/lesson"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// A lesson's cells share a recipe: one trains the model, the others load it.
func Example() {
	window := lesson.Sample().Window
	n := len(window.Symbols)
	c := lesson.Corpus(window, lesson.Capped(n, 0.4), corpus.Config{N: 300, Seed: 1, Validation: 0.2})
	recipe := lesson.Recipe{Name: "mixed", Section: 2, Data: lesson.Must(trained.DataOf(c, nil))}
	recipe.Config, recipe.Schedule = vae.DefaultConfig(n), vae.DefaultSchedule()
	recipe.Schedule.Steps = 20

	_, history := lesson.Train(recipe)
	model := lesson.Model(recipe) // in any later cell
	fmt.Println(history.Step, "steps,", len(model.Symbols()), "assets")

	table := lesson.NewTable("assets", "cap")
	table.Row("%d | %s", n, lesson.Percent(0.4))
	table.Show()
	lesson.Answer(1, math.NaN(), 0.5, 1e-3)
	lesson.Answer(2, 0.4, 0.5, 1e-3)
	lesson.Answer(3, 0.4999, 0.5, 1e-3)
	// Output:
	// 20 steps, 12 assets
	// exercise 1: open
	// exercise 2: not yet: 0.4 is not the answer
	// exercise 3: solved
}
