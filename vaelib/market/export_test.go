package market

import "io/fs"

// LoadFundingFS reads rates from a file system in memory, as the fuzz target has them.
func LoadFundingFS(fsys fs.FS, name string, symbols []string) (*Funding, error) {
	return loadFunding(fsys, name, name, symbols)
}
