//go:build !race

package testenv

import (
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv/grammar"
)

var gates = map[string]*grammar.Gate{
	database.MySQL:  {Dialect: database.MySQL},
	database.SQLite: {Dialect: database.SQLite},
}

// observe judges every statement that a home's database is sent.
func observe(dialect string) func(text string) error { return gates[dialect].Observe }
