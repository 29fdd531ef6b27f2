// Package vaelib is the library: one package a concern, from files of prices to
// generated portfolios and what they are worth.
//
// ARCHITECTURE.md, at the root of the repository, lists the packages in an order
// in which each imports only those above it; a test holds that list against the
// imports. The example shows the way through: prices, a training set, a model,
// and portfolios that meet every constraint.
package vaelib
