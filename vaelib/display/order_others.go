//go:build !linux

package display

import "github.com/janpfeifer/gonb/gonbui"

// inOrder gives the kernel time to read what the cell has printed so far.
func inOrder() { gonbui.Sync() }
