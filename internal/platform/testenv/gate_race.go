//go:build race

package testenv

// observe judges nothing under the race detector: the same tests run without it, gate and all, and TiDB's parser is one of
// the largest packages to be built a second time.
func observe(string) func(text string) error { return nil }
