// Package migrations holds the schema as numbered steps, one DDL statement a file, for each dialect: MySQL has no
// transactional DDL, so a step that fails must leave nothing half done.
package migrations

import "embed"

// Files has the folders mysql and sqlite, with the same steps in each.
//
//go:embed mysql sqlite
var Files embed.FS
