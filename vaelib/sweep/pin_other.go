//go:build !linux

package sweep

import "os/exec"

// startPinned starts a command. Only Linux can hold it to a core.
func startPinned(cmd *exec.Cmd) (unpin func(), err error) {
	return func() {}, cmd.Start()
}
