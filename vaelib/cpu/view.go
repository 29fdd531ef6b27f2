package cpu

import "slices"

// view is how an operation sees the numbers of a value: element (i, j, ...) is
// at offset + i*strides[0] + j*strides[1] + ... Reshaping, transposing, slicing
// and broadcasting change the view and move nothing.
type view struct {
	of            *value
	offset        int
	dims, strides []int
}

func whole(v *value) view { return view{of: v, dims: v.dims, strides: rowMajor(v.dims)} }

func rowMajor(dims []int) []int {
	strides := make([]int, len(dims))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	return strides
}

func product(dims []int) int {
	size := 1
	for _, d := range dims {
		size *= d
	}
	return size
}

// contiguous says whether the elements lie one behind the other.
func (v view) contiguous() bool {
	step := 1
	for i := len(v.dims) - 1; i >= 0; i-- {
		if v.dims[i] != 1 && v.strides[i] != step {
			return false
		}
		step *= v.dims[i]
	}
	return true
}

// all says whether the view is of all its value's numbers in their order.
func (v view) all() bool {
	return v.offset == 0 && v.contiguous() && product(v.dims) == product(v.of.dims)
}

func (v view) slice(starts, strides, dims []int) view {
	w := view{of: v.of, offset: v.offset, dims: dims, strides: slices.Clone(v.strides)}
	for i, start := range starts {
		w.offset += start * v.strides[i]
		if strides != nil {
			w.strides[i] *= strides[i]
		}
	}
	return w
}

func (v view) transpose(axes []int) view {
	w := view{of: v.of, offset: v.offset, dims: make([]int, len(axes)), strides: make([]int, len(axes))}
	for i, from := range axes {
		w.dims[i], w.strides[i] = v.dims[from], v.strides[from]
	}
	return w
}

// broadcast maps axis i to axes[i] of dims.
func (v view) broadcast(dims, axes []int) view {
	w := view{of: v.of, offset: v.offset, dims: dims, strides: make([]int, len(dims))}
	for i, axis := range axes {
		if v.dims[i] == dims[axis] {
			w.strides[axis] = v.strides[i]
		}
	}
	return w
}

// reshape returns false where the elements would have to be moved.
func (v view) reshape(dims []int) (view, bool) {
	w := view{of: v.of, offset: v.offset, dims: dims, strides: make([]int, len(dims))}
	if product(dims) == 0 || v.contiguous() {
		w.strides = rowMajor(dims)
		return w, true
	}
	var from, steps []int // axes longer than 1
	for i, d := range v.dims {
		if d != 1 {
			from, steps = append(from, d), append(steps, v.strides[i])
		}
	}
	// Stretches of axes of the one and of the other shape with as many elements.
	i, j := 0, 0
	for i < len(from) {
		end, last := i+1, j
		have, want := from[i], 1
		for want != have {
			if want < have {
				want *= dims[last]
				last++
			} else {
				have *= from[end]
				end++
			}
		}
		for k := i; k+1 < end; k++ {
			if steps[k] != steps[k+1]*from[k+1] {
				return view{}, false
			}
		}
		step := steps[end-1]
		for k := last - 1; k >= j; k-- {
			w.strides[k] = step
			step *= dims[k]
		}
		i, j = end, last
	}
	return w, true
}

// collapse leaves out axes of length 1, and joins neighbours that all the lists
// of strides pass through alike.
func collapse(dims []int, strides ...[]int) ([]int, [][]int) {
	var short []int
	out := make([][]int, len(strides))
	for i, d := range dims {
		if d == 1 {
			continue
		}
		joins := len(short) > 0
		for k, s := range strides {
			joins = joins && out[k][len(out[k])-1] == s[i]*d
		}
		if joins {
			short[len(short)-1] *= d
			for k, s := range strides {
				out[k][len(out[k])-1] = s[i]
			}
			continue
		}
		short = append(short, d)
		for k, s := range strides {
			out[k] = append(out[k], s[i])
		}
	}
	return short, out
}

// odometer calls f with the offsets, under each list of strides, of all indices
// of dims in order.
func odometer(dims []int, a, b []int, f func(a, b int)) {
	if product(dims) == 0 {
		return
	}
	index := make([]int, len(dims))
	i, j := 0, 0
	for {
		f(i, j)
		axis := len(dims) - 1
		for ; axis >= 0; axis-- {
			index[axis]++
			i += a[axis]
			j += b[axis]
			if index[axis] < dims[axis] {
				break
			}
			i -= a[axis] * dims[axis]
			j -= b[axis] * dims[axis]
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}
