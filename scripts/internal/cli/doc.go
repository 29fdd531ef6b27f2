// Package cli turns a struct into a command: flags, presets, TOML files,
// formats, progress, interruption and exit codes, once for all verbs.
//
// A verb is a literal; what it can be told is the struct of its configuration:
//
//	type config struct {
//		Weights string  `flag:"weights" unit:"FILE" required:"true" help:"portfolios to evaluate"`
//		Level   float64 `flag:"level" range:"(0,1)" help:"tail level of VaR and CVaR"`
//		Side    string  `flag:"side" choice:"buy|sell" default:"buy" help:"what to do"`
//		cli.Common
//		cli.Prices
//	}
//
//	func main() {
//		cli.Main(cli.Verb[config]{
//			Name:    "evaluate",
//			Summary: "return and risk figures of portfolios",
//			Example: "evaluate -weights weights.csv -format json",
//			Default: config{Level: 0.95},
//			Run:     run,
//		})
//	}
//
//	func run(ctx context.Context, c *config, io *cli.IO) error
//
// # Fields
//
// A field with a flag tag is a flag; a struct field without one, embedded or
// named and from any package, is searched for flags in turn. Fields are
// strings, booleans, integers, float64 (always finite), pointers to these
// (nil: not given), slices of these (comma separated, the flag may be
// repeated), and types with UnmarshalText and MarshalText. The tags:
//
//	flag     the flag's name, which is the TOML key too
//	arg      instead of flag: a positional argument; a slice takes all that are left
//	unit     what stands for the value in the help: FILE, DIR, "per year"; FILE,
//	         SYMBOL|FILE, DIR, FOLDER and PATH are inputs, which may not lie in the
//	         folder of -out
//	help     what the flag does: "the largest weight of an asset", "replace another
//	         run"; a phrase or two that begin with a small letter, no full stop
//	default  the value where Verb.Default has the field's zero value
//	choice   the values allowed, separated by |; a struct with a method
//	         Choices(flag string) []string says them itself
//	range    the numbers allowed: "[0,1]", "(0,1)", "[1,inf)"
//	required "true": wrong usage without it
//	auto     "true": the zero value, of a slice nil, is spelled auto: what runs
//	         chooses; the range is that of values given
//	only     the values of other flags with which this one has an effect, see below
//	title    on a struct: the heading of its flags in the help; without it the name
//	         of the field, or of a struct in a struct the heading of the outer one
//	after    the flag behind which this one comes in the help and in config.toml;
//	         without it they are in the order of the struct
//	clears   the flag whose default, or value in the file of -config, is void where
//	         this one is given
//	record   "-": not written to config.toml, because it doesn't change the result;
//	         the name of a boolean flag: only where that is set, or the verb lacks it
//
// The verb's struct and those embedded in it are asked, after all values are set,
// by their method Validate() error, where they have one; its error is one of
// usage. Then they are asked by Settle() error to read what flags stand for, as a file
// does for values of another flag. A struct that is a named field is completed by the verb first, with the
// number of assets for instance, and validated by whom it is given to.
//
// # Flags that depend on others
//
// A flag that has no effect is refused, never ignored: its tag only says what it
// takes, on a struct for all flags of it.
//
//	only:"mode=robust|stress"                -mode is one of the two; of a list: some element is
//	only:"objective!=min-cvar"               it is another one; of a list: some element is
//	only:"cash"                              -cash is given, with a value that isn't zero
//	only:"!replay"                           -replay isn't
//	only:"mode=stress and sweep=grid or map" both, or the third
//
// Terms may name positional arguments; alternatives with a flag that the verb lacks
// don't count. A file given with -config is held to the same, but may tell the
// default of a flag that has no effect, as the configuration of a run does. The help
// shows what each flag takes, leaves out the flags that those given beside -h make
// idle, and for [Verb.Modes] shows one mode's flags at a time.
//
// # Groups
//
// [Common] belongs in every verb. [Format] chooses how a [Table] is printed,
// [Output] the folder of a run, [Backend] what computes a model. [Prices] loads
// the window of returns that the flags choose, [Annual] and [Figures] say how
// figures are computed from it, and [Constraints] gives the set of weights that
// is allowed, or the reason why it is empty, before any work begins.
//
// # Order
//
// The default is overruled by the preset, that by [Verb.Depending], that by the file
// given with -config, and that by the flags. [IO.Config] returns all values of a run as TOML:
// given back with -config it repeats the run.
//
// # Exit codes
//
// 0 done, and when a run folder holds this very run already; 1 it could not be
// done, which includes a set of constraints that no portfolio meets and data
// that can't be read; 2 wrong usage: unknown flag, key or choice, value out of
// range, leftover argument, or an error marked by [Usage]; 130 interrupted by
// SIGINT or SIGTERM, after saving what the verb can save. A second signal
// kills at once. Whatever goes wrong is said in one line, the last one of
// stderr, which starts with the verb's name.
package cli
