package optimize

import (
	"fmt"
	"math"
	"slices"
)

// Linkage names how the distance of two clusters follows from those of their
// members.
type Linkage string

// The linkages.
const (
	Single   Linkage = "single"   // the nearest two members
	Complete Linkage = "complete" // the farthest two
	Average  Linkage = "average"  // the mean over all pairs
	Ward     Linkage = "ward"     // the growth of the squared distances from the centre
)

// Linkages lists all names.
func Linkages() []Linkage { return []Linkage{Single, Complete, Average, Ward} }

// LeafOrder names how the leaves of the tree are put in a line.
type LeafOrder string

// The leaf orders.
const (
	// OrderSciPy puts the cluster that was formed first to the left, a single
	// asset before any cluster: the order of scipy.cluster.hierarchy.
	OrderSciPy LeafOrder = "scipy"
	// OrderOptimal flips branches so that the distances of neighbours have a
	// small sum (Bar-Joseph et al. 2001, "Fast optimal leaf ordering for
	// hierarchical clustering"), as scipy's optimal_ordering does: each branch
	// is flipped for the best line of its parent alone, which isn't always the
	// best of the whole. Of equal sums the first found.
	OrderOptimal LeafOrder = "optimal"
)

// LeafOrders lists all names.
func LeafOrders() []LeafOrder { return []LeafOrder{OrderSciPy, OrderOptimal} }

// merge is a node of the tree: clusters below n are assets, n+i is merge i.
type merge struct {
	left, right int
	height      float64
	size        int
}

// clusterSpace is the memory of the clustering.
type clusterSpace struct {
	distance []float64 // n x n, consumed by the merging
	original []float64 // n x n
	merges   []merge
	raw      []merge // between slots, before they are put in order of height
	size     []int   // of the cluster in each slot; 0: merged away
	chain    []int
	label    []int
	order    []int
	tree     optimalTree
}

// link builds the tree over the n points of s.distance.
func (s *clusterSpace) link(n int, linkage Linkage) error {
	s.raw, s.size, s.chain = s.raw[:0], resize(s.size, n), s.chain[:0]
	for i := range s.size {
		s.size[i] = 1
	}
	switch linkage {
	case Single:
		s.spanningTree(n)
	case Complete, Average, Ward:
		s.nearestNeighbours(n, linkage)
	default:
		return fmt.Errorf("unknown linkage %q: choose one of %v", linkage, Linkages())
	}
	// Height decides the order of the merges; equal heights keep theirs.
	slices.SortStableFunc(s.raw, func(a, b merge) int {
		switch {
		case a.height < b.height:
			return -1
		case a.height > b.height:
			return 1
		}
		return 0
	})
	s.label = resize(s.label, 2*n-1)
	for i := range s.label {
		s.label[i] = i
	}
	find := func(i int) int {
		for s.label[i] != i {
			s.label[i] = s.label[s.label[i]]
			i = s.label[i]
		}
		return i
	}
	s.merges = s.merges[:0]
	sizeOf := func(c int) int {
		if c < n {
			return 1
		}
		return s.merges[c-n].size
	}
	for i, m := range s.raw {
		a, b := find(m.left), find(m.right)
		if a > b {
			a, b = b, a
		}
		s.merges = append(s.merges, merge{a, b, m.height, sizeOf(a) + sizeOf(b)})
		s.label[a], s.label[b] = n+i, n+i
	}
	return nil
}

// spanningTree finds the merges of single linkage as the edges of a minimum
// spanning tree, by Prim's algorithm from the first point.
func (s *clusterSpace) spanningTree(n int) {
	s.label = resize(s.label, 2*n)
	in, nearest := s.label[:n], make([]float64, n)
	for i := range n {
		in[i], nearest[i] = 0, math.Inf(1)
	}
	at := 0
	for range n - 1 {
		in[at] = 1
		next, least := -1, math.Inf(1)
		for j := range n {
			if in[j] == 1 {
				continue
			}
			nearest[j] = min(nearest[j], s.distance[at*n+j])
			if next < 0 || nearest[j] < least {
				next, least = j, nearest[j]
			}
		}
		s.raw = append(s.raw, merge{left: at, right: next, height: least})
		at = next
	}
}

// nearestNeighbours finds the merges of the other linkages by chains of
// nearest neighbours (Murtagh 1983), with Lance and Williams's update of the
// distances.
func (s *clusterSpace) nearestNeighbours(n int, linkage Linkage) {
	d, chain := s.distance, s.chain
	for range n - 1 {
		if len(chain) == 0 {
			chain = append(chain, slices.IndexFunc(s.size, func(v int) bool { return v > 0 }))
		}
		var a, b int
		var least float64
		for {
			a = chain[len(chain)-1]
			b, least = -1, math.Inf(1)
			if len(chain) > 1 { // of equals the one we come from
				b = chain[len(chain)-2]
				least = d[a*n+b]
			}
			for j := range n {
				if s.size[j] > 0 && j != a && (b < 0 || d[a*n+j] < least) {
					b, least = j, d[a*n+j]
				}
			}
			if len(chain) > 1 && b == chain[len(chain)-2] {
				break
			}
			chain = append(chain, b)
		}
		chain = chain[:len(chain)-2]
		a, b = min(a, b), max(a, b)
		na, nb := float64(s.size[a]), float64(s.size[b])
		s.raw = append(s.raw, merge{left: a, right: b, height: least})
		s.size[b] += s.size[a]
		s.size[a] = 0
		for j := range n {
			if s.size[j] == 0 || j == b {
				continue
			}
			da, db, v := d[a*n+j], d[b*n+j], 0.0
			switch linkage {
			case Complete:
				v = max(da, db)
			case Average:
				v = (na*da + nb*db) / (na + nb)
			case Ward:
				nj := float64(s.size[j])
				v = math.Sqrt(max(0, ((nj+na)*da*da+(nj+nb)*db*db-nj*least*least)/(na+nb+nj)))
			}
			d[b*n+j], d[j*n+b] = v, v
		}
	}
	s.chain = chain
}

// leaves puts the assets in the tree's order.
func (s *clusterSpace) leaves(n int, order LeafOrder) ([]int, error) {
	switch order {
	case OrderSciPy:
	case OrderOptimal:
		s.tree.flip(n, s.merges, s.original)
	default:
		return nil, fmt.Errorf("unknown leaf order %q: choose one of %v", order, LeafOrders())
	}
	s.order = s.order[:0]
	stack := append(s.chain[:0], 2*n-2)
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if c < n {
			s.order = append(s.order, c)
			continue
		}
		stack = append(stack, s.merges[c-n].right, s.merges[c-n].left)
	}
	s.chain = stack[:0]
	return s.order, nil
}

// optimalTree is the memory of the optimal leaf order.
type optimalTree struct {
	cost  []float64 // n x n: least sum from one leaf of their common ancestor to the other
	reach []float64 // n: least sum from a leaf of one branch into each leaf of the other
	leaf  []int     // leaves in the tree's order
	first []int     // of each cluster, in leaf
	flips []bool    // of each merge
}

// flip swaps the children of merges for the least sum of the distances d (n x
// n) between neighbours.
func (t *optimalTree) flip(n int, merges []merge, d []float64) {
	t.cost, t.reach, t.flips = resize(t.cost, n*n), resize(t.reach, n), resize(t.flips, len(merges))
	clear(t.cost)
	clear(t.flips)
	t.first, t.leaf = resize(t.first, 2*n-1), t.leaf[:0]
	t.walk(n, merges, 2*n-2)
	members := func(c int) []int {
		if c < n {
			return t.leaf[t.first[c] : t.first[c]+1]
		}
		return t.leaf[t.first[c] : t.first[c]+merges[c-n].size]
	}
	// leftmost says whether leaf u of cluster c lies in its left branch.
	leftmost := func(c, u int) bool {
		return t.first[u] < t.first[merges[c-n].right]
	}
	// far lists the leaves that can end c's line when u starts it.
	far := func(c, u int) []int {
		switch {
		case c < n:
			return members(c)
		case leftmost(c, u):
			return members(merges[c-n].right)
		}
		return members(merges[c-n].left)
	}
	for _, m := range merges {
		left, right := members(m.left), members(m.right)
		least, start, end := math.Inf(1), 0, 0
		for _, u := range left {
			for _, k := range right {
				t.reach[k] = math.Inf(1)
				for _, e := range far(m.left, u) {
					t.reach[k] = min(t.reach[k], t.cost[u*n+e]+d[e*n+k])
				}
			}
			for _, w := range right {
				best := math.Inf(1)
				for _, k := range far(m.right, w) {
					best = min(best, t.reach[k]+t.cost[k*n+w])
				}
				t.cost[u*n+w], t.cost[w*n+u] = best, best
				if best < least {
					least, start, end = best, u, w
				}
			}
		}
		if m.left >= n {
			t.flips[m.left-n] = !leftmost(m.left, start)
		}
		if m.right >= n {
			t.flips[m.right-n] = leftmost(m.right, end)
		}
	}
	for i := len(merges) - 1; i >= 0; i-- {
		if !t.flips[i] {
			continue
		}
		// A flip turns the whole branch round, so those within it too.
		m := &merges[i]
		for _, child := range [2]int{m.left, m.right} {
			if child >= n {
				t.flips[child-n] = !t.flips[child-n]
			}
		}
		m.left, m.right = m.right, m.left
	}
}

// walk lists the leaves below a cluster.
func (t *optimalTree) walk(n int, merges []merge, cluster int) {
	t.first[cluster] = len(t.leaf)
	if cluster < n {
		t.leaf = append(t.leaf, cluster)
		return
	}
	t.walk(n, merges, merges[cluster-n].left)
	t.walk(n, merges, merges[cluster-n].right)
}
