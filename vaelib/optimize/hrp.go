package optimize

import (
	"fmt"
	"math"
)

// hrp allocates by hierarchical risk parity (Lopez de Prado 2016, "Building
// diversified portfolios that outperform out of sample"): cluster the assets
// by the distance sqrt((1-rho)/2), put them in the tree's order, and split the
// budget between the two halves of the line, again and again, in inverse
// proportion to the variances that the halves have at inverse-variance
// weights.
func (s *Solver) hrp(in *Inputs) error {
	n := in.Set.N
	c := &s.cluster
	linkage, leafOrder := in.Linkage, in.LeafOrder
	if linkage == "" {
		linkage = Single
	}
	if leafOrder == "" {
		leafOrder = OrderSciPy
	}
	c.distance, c.original = resize(c.distance, n*n), resize(c.original, n*n)
	for i := range n {
		vi := in.Cov.At(i, i)
		if vi == 0 {
			return fmt.Errorf("hrp isn't defined: %s has no variance: leave it out", in.symbol(i))
		}
		c.distance[i*n+i] = 0
		for j := range i {
			rho := in.Cov.At(i, j) / math.Sqrt(vi*in.Cov.At(j, j))
			d := math.Sqrt(max(0, (1-max(-1, min(1, rho)))/2))
			c.distance[i*n+j], c.distance[j*n+i] = d, d
		}
	}
	copy(c.original, c.distance)
	if err := c.link(n, linkage); err != nil {
		return err
	}
	order, err := c.leaves(n, leafOrder)
	if err != nil {
		return err
	}
	for j := range s.result.Weights {
		s.result.Weights[j] = 1
	}
	s.bisect(in, order)
	return nil
}

// bisect splits the weight of the assets in a line between its halves.
func (s *Solver) bisect(in *Inputs, line []int) {
	if len(line) < 2 {
		return
	}
	left, right := line[:len(line)/2], line[len(line)/2:]
	a, b := clusterVariance(in, left), clusterVariance(in, right)
	for _, j := range left {
		s.result.Weights[j] *= b / (a + b)
	}
	for _, j := range right {
		s.result.Weights[j] *= a / (a + b)
	}
	s.bisect(in, left)
	s.bisect(in, right)
}

// clusterVariance is the variance of the inverse-variance weights of some
// assets.
func clusterVariance(in *Inputs, assets []int) float64 {
	var total, sum float64
	for i, a := range assets {
		wa := 1 / in.Cov.At(a, a)
		total += wa
		sum += wa // wa^2 times its variance
		for _, b := range assets[:i] {
			sum += 2 * wa * in.Cov.At(a, b) / in.Cov.At(b, b)
		}
	}
	return sum / (total * total)
}
