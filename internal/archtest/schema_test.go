package archtest

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/platform/testenv/grammar"
	"paydesk/migrations"
)

// withoutAccount are the tables that carry no account_id, each with its reason.
var withoutAccount = map[string]string{
	"accounts":              "its id is the account",
	"inbox":                 "what a provider sent is stored before it is known whose it is",
	"idempotency_keys":      "its scope is the account of the token, or the person where the token has none (contract.md §4)",
	"authenticators":        "an authenticator app belongs to a person, the token's sub, whatever the account (contract.md §3)",
	"settings":              "values of the installation: the development clock and keys",
	"sandbox_trades":        "the providers' books (development): they know our numbers, not our accounts",
	"sandbox_refunds":       "the same",
	"sandbox_notifications": "the providers' books",
	"sandbox_cards":         "what the card field knows of cards: never whose",
	"reconciliations":       "a channel's day is of all accounts",
	"statement_lines":       "what a channel says, before it is known whose it is",
	"sandbox_behaviour":     "how the sandbox behaves, for all",
	"goose_db_version":      "kept by goose",
	"goose_lock":            "kept by goose",
}

// table is what both dialects must agree on. Column → nullable; unique keys as sorted lists of columns.
type table struct {
	columns map[string]bool
	unique  []string
	indexes []string // not unique: columns in order
}

func TestEveryBusinessTableHasTheAccount(t *testing.T) {
	tables := readMySQL(t, testenv.MySQL(t).DB)
	for name, table := range tables {
		_, has := table.columns["account_id"]
		reason, excepted := withoutAccount[name]
		switch {
		case !has && !excepted:
			t.Errorf("table %s has no account_id: every lookup needs it, or the exception needs a reason", name)
		case has && excepted:
			t.Errorf("table %s has an account_id and is excepted (%s)", name, reason)
		}
	}
	for name := range withoutAccount {
		if _, exists := tables[name]; !exists && !strings.HasPrefix(name, "goose") {
			t.Errorf("%s is excepted and does not exist", name)
		}
	}
}

func TestBothDialectsHaveTheSameSchema(t *testing.T) {
	my, lite := readMySQL(t, testenv.MySQL(t).DB), readSQLite(t, testenv.Embedded(t).DB)
	for _, tables := range []map[string]table{my, lite} {
		maps.DeleteFunc(tables, func(name string, _ table) bool { return strings.HasPrefix(name, "goose") })
	}
	for _, difference := range differences(my, lite) {
		t.Error(difference)
	}
	if len(my) < 10 {
		t.Error("only", len(my), "tables were seen")
	}
}

func differences(my, lite map[string]table) (out []string) {
	if a, b := slices.Sorted(maps.Keys(my)), slices.Sorted(maps.Keys(lite)); !slices.Equal(a, b) {
		return []string{fmt.Sprintf("tables\nmysql  %v\nsqlite %v", a, b)}
	}
	for name, m := range my {
		l := lite[name]
		if !maps.Equal(m.columns, l.columns) {
			out = append(out, fmt.Sprintf("%s: columns (and whether NULL)\nmysql  %v\nsqlite %v", name, m.columns, l.columns))
		}
		if !slices.Equal(m.unique, l.unique) {
			out = append(out, fmt.Sprintf("%s: unique keys\nmysql  %q\nsqlite %q", name, m.unique, l.unique))
		}
		if !slices.Equal(m.indexes, l.indexes) {
			out = append(out, fmt.Sprintf("%s: indexes\nmysql  %q\nsqlite %q", name, m.indexes, l.indexes))
		}
	}
	return out
}

func readMySQL(t *testing.T, db *database.DB) map[string]table {
	t.Helper()
	tables := map[string]table{}
	query(t, db, func(rows *sql.Rows) error {
		var name, column, null string
		if err := rows.Scan(&name, &column, &null); err != nil {
			return err
		}
		if tables[name].columns == nil {
			tables[name] = table{columns: map[string]bool{}}
		}
		tables[name].columns[column] = null == "YES"
		return nil
	}, "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = DATABASE()")
	keys := map[[2]string][]string{}
	unique := map[[2]string]bool{}
	query(t, db, func(rows *sql.Rows) error {
		var name, index, column string
		var repeats int
		if err := rows.Scan(&name, &index, &repeats, &column); err != nil {
			return err
		}
		key := [2]string{name, index}
		keys[key], unique[key] = append(keys[key], column), repeats == 0
		return nil
	}, "SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, seq_in_index")
	for key, columns := range keys {
		tables[key[0]] = tables[key[0]].with(unique[key], columns)
	}
	return tables
}

// with adds a key; the order of a unique key's columns is kept too, since lookups by prefix rely on it.
func (t table) with(unique bool, columns []string) table {
	text := strings.Join(columns, " ")
	if unique {
		t.unique = append(t.unique, text)
	} else {
		t.indexes = append(t.indexes, text)
	}
	slices.Sort(t.unique)
	slices.Sort(t.indexes)
	return t
}

func readSQLite(t *testing.T, db *database.DB) map[string]table {
	t.Helper()
	tables := map[string]table{}
	for _, name := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		one := table{columns: map[string]bool{}}
		var primary [16]string
		query(t, db, func(rows *sql.Rows) error {
			var column string
			var notNull bool
			var place int
			err := rows.Scan(&column, &notNull, &place)
			one.columns[column] = !notNull && place == 0
			primary[place] = column
			return err
		}, "SELECT name, \"notnull\", pk FROM pragma_table_info(?)", name)
		if primary[1] != "" {
			one = one.with(true, strings.Fields(strings.Join(primary[1:], " ")))
		}
		for _, index := range column(t, db, "SELECT name FROM pragma_index_list(?) WHERE origin <> 'pk'", name) {
			unique := column(t, db, "SELECT \"unique\" FROM pragma_index_list(?) WHERE name = ?", name, index)[0] == "1"
			one = one.with(unique, column(t, db, "SELECT name FROM pragma_index_info(?) ORDER BY seqno", index))
		}
		tables[name] = one
	}
	return tables
}

func column(t *testing.T, db *database.DB, text string, args ...any) (out []string) {
	t.Helper()
	query(t, db, func(rows *sql.Rows) error {
		var value string
		err := rows.Scan(&value)
		out = append(out, value)
		return err
	}, text, args...)
	return out
}

func query(t *testing.T, db *database.DB, scan func(*sql.Rows) error, text string, args ...any) {
	t.Helper()
	if err := db.Query(context.Background(), scan, text, args...); err != nil {
		t.Fatal(err)
	}
}

var (
	// oneStatement takes out what lies between goose's marks.
	oneStatement = regexp.MustCompile(`(?s)^-- \+goose NO TRANSACTION\n-- \+goose Up\n(.+?)-- \+goose Down\n(.+)$`)
	comments     = regexp.MustCompile(`(?m)--.*$`)
)

// Every migration exists in both dialects under the same name and passes the grammar gate; on MySQL it has one statement up
// and one down.
func TestMigrations(t *testing.T) {
	files := map[string][]string{}
	for _, dialect := range []string{database.MySQL, database.SQLite} {
		names, err := fs.Glob(migrations.Files, dialect+"/*.sql")
		if err != nil || len(names) == 0 {
			t.Fatal("no migrations for", dialect, err)
		}
		for _, name := range names {
			files[dialect] = append(files[dialect], strings.TrimPrefix(name, dialect+"/"))
			text, err := fs.ReadFile(migrations.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, complaint := range judgeMigration(dialect, string(text)) {
				t.Errorf("%s: %s", name, complaint)
			}
		}
	}
	if !slices.Equal(files[database.MySQL], files[database.SQLite]) {
		t.Errorf("not the same steps\nmysql  %v\nsqlite %v", files[database.MySQL], files[database.SQLite])
	}
}

func judgeMigration(dialect, text string) (out []string) {
	if dialect == database.SQLite { // its DDL is transactional: several statements are fine
		if err := grammar.Check(dialect, text); err != nil {
			return []string{err.Error()}
		}
		return nil
	}
	parts := oneStatement.FindStringSubmatch(text)
	if parts == nil {
		return []string{"does not have the form: NO TRANSACTION, Up, Down"}
	}
	for _, statement := range parts[1:] {
		statement = comments.ReplaceAllString(statement, "")
		if n := strings.Count(statement, ";"); n != 1 {
			out = append(out, fmt.Sprintf("%d statements where one belongs: DDL is not transactional on MySQL", n))
		}
		if err := grammar.Check(dialect, statement); err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}

func TestJudgeMigration(t *testing.T) {
	const head, down = "-- +goose NO TRANSACTION\n-- +goose Up\n", "-- +goose Down\nDROP TABLE a;\n"
	if bad := judgeMigration("mysql", head+"CREATE TABLE a (id BIGINT NOT NULL, PRIMARY KEY (id));\n"+down); bad != nil {
		t.Error(bad)
	}
	for _, text := range []string{
		"-- +goose Up\nCREATE TABLE a (id BIGINT);\n" + down,
		head + "CREATE TABLE a (id BIGINT);\nCREATE TABLE b (id BIGINT);\n" + down,
		head + "CREATE TABLE a (id BIGINT, at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6));\n" + down,
		head + "CREATE TRIGGER x BEFORE INSERT ON a FOR EACH ROW SET @a = 1;\n" + down,
		head + "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT);\n" + down,
	} {
		if judgeMigration("mysql", text) == nil {
			t.Error("let through:", text)
		}
	}
}

func TestDifferencesAreSeen(t *testing.T) {
	base := func() map[string]table {
		return map[string]table{"a": table{columns: map[string]bool{"x": true}}.with(true, []string{"x"})}
	}
	if d := differences(base(), base()); d != nil {
		t.Error(d)
	}
	for name, change := range map[string]func(map[string]table){
		"a table":     func(m map[string]table) { m["b"] = table{} },
		"a column":    func(m map[string]table) { m["a"].columns["y"] = true },
		"null":        func(m map[string]table) { m["a"].columns["x"] = false },
		"unique":      func(m map[string]table) { m["a"] = m["a"].with(true, []string{"y"}) },
		"not unique":  func(m map[string]table) { m["a"] = m["a"].with(false, []string{"y"}) },
		"column gone": func(m map[string]table) { delete(m["a"].columns, "x") },
	} {
		other := base()
		change(other)
		if differences(base(), other) == nil {
			t.Error("not seen:", name)
		}
	}
}
