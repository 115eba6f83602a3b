package database

import "strings"

// Marks are n question marks for an IN list; n is at least 1.
func Marks(n int) string { return strings.Repeat("?,", n-1) + "?" }

// Args puts values behind others into one argument list.
func Args[T any](before []any, values []T) []any {
	for _, v := range values {
		before = append(before, v)
	}
	return before
}
