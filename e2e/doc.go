// Package e2e drives the built server from outside, as its users do: the main job with real clients on both homes and over
// two instances, the page in a headless browser, processes killed between any two steps, money raced from many sides,
// notifications replayed, forged and lost. Its tests are all there is in it.
package e2e
