// Package choose chooses among portfolios, whoever made them, and says what may
// become of them. It needs weights and returns, and knows no model.
//
// In go weights (N x n), a row a portfolio, and simple returns (T x n); out come
// rows to prefer, with figures on what took no part in the choice:
//
//	known, err := choose.BootstrapScenarios(earlier, 200, 20, block, 1)
//	heldOut, err := choose.BootstrapScenarios(later, 200, 20, block, 2)
//	s, err := choose.Robust(ctx, weights, set, known, heldOut)
//	fmt.Println(s.Row, s.Worst[s.Row], s.Bound, s.Judgements[0].HeldOutWorst)
//
// # What there is, and what it is measured by
//
//	be the best      Best, Rivals                  as many draws of other samplers
//	be robust        Robust over Scenarios         the linear programme, scenarios held out
//	look ahead       Outcomes                      standard errors
//	bear stress      RunStresses                   the assets that drive each loss
//	differ           Pareto, Varied                the least distance of the chosen
//
// A choice in sample proves nothing: what is chosen by some periods is to be
// judged by others.
//
// Everything random is drawn from package stream by seed, purpose and index, and
// results are the same bytes for any number of cores.
package choose
