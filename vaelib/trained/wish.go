package trained

import (
	"errors"

	"vaefolio/vaelib/portfolio"
)

// WishError says that a model can't be asked for what it is asked for.
type WishError struct{ Err error }

func (e *WishError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *WishError) Unwrap() error { return e.Err }

// Conditional says whether the model is told what portfolios have.
func (m *Model) Conditional() bool { return len(m.Network.Config().Conditions) > 0 }

// ParseWish reads a wish in terms of the model's conditions, a level by its name
// or its number; "" is none. It returns a [*WishError] for an unknown condition
// or level, for a wish that can't be read, and for any wish where the model knows
// no conditions.
func (m *Model) ParseWish(text string) (portfolio.Wish, error) {
	if text == "" {
		return nil, nil
	}
	if !m.Conditional() {
		return nil, &WishError{errors.New(
			"the model knows no conditions: train it with -conditions, or leave out the wish")}
	}
	wish, err := portfolio.ParseWish(text, m.Donors.Names, m.Network.Config().Levels())
	if err != nil {
		return nil, &WishError{err}
	}
	return wish, nil
}
