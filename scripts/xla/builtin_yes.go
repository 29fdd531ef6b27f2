//go:build cgo && !noxla

package main

const builtIn = true
