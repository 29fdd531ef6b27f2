//go:build !amd64

package cpu

func highestLevel() processorLevel { return levelGo }
