// Package grammar is the gate that keeps SQL portable over MySQL 8, MariaDB, TiDB and SQLite: TiDB's parser must read
// every statement, and what one of the four lacks, or silently does differently, is refused (engines.md 1.10, 2a).
package grammar

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/pingcap/tidb/pkg/parser"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // values of literals: the parser needs some, and nothing else here does
)

type ban struct {
	pattern *regexp.Regexp
	why     string
	only    string // dialect it is banned in; empty: everywhere
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b` + pattern) }

var bans = []ban{
	{words(`SKIP\s+LOCKED\b`), "TiDB reads it and does not lock", ""},
	{words(`FOR\s+SHARE\b`), "unknown to MariaDB, no real lock on TiDB", ""},
	{words(`LOCK\s+IN\s+SHARE\s+MODE\b`), "no real lock on TiDB", ""},
	{words(`FOR\s+UPDATE\s+OF\b`), "unknown to MariaDB", ""},
	{words(`RETURNING\b`), "unknown to MySQL and TiDB", ""},
	{words(`LATERAL\b`), "unknown to MariaDB, not run by TiDB", ""},
	{words(`(CREATE|DROP|ALTER)\s+(DEFINER\s*=\s*\S+\s+)?(TRIGGER|PROCEDURE|FUNCTION|EVENT)\b`), "TiDB has none", ""},
	{words(`CALL\s+\w`), "TiDB has no procedures", ""},
	{words(`GET_LOCK\s*\(`), "bound to one server of a cluster", ""},
	{words(`INSERT\s+IGNORE\b`), "cuts values short without a word", ""},
	{words(`INSERT\s+OR\b`), "SQLite alone", ""},
	{words(`(NOW|SYSDATE|UTC_TIMESTAMP|CURDATE|UNIX_TIMESTAMP|STRFTIME)\s*\(`), "times come from the injected clock", ""},
	{words(`DATETIME\s*\(\s*\D`), "times come from the injected clock", ""}, // DATETIME(6) is a type
	{words(`CURRENT_TIMESTAMP\b`), "times come from the injected clock", ""},
	{words(`ON\s+CONFLICT\b`), "SQLite alone", "mysql"},
	{regexp.MustCompile(`->>?'`), "unknown to MariaDB", ""},
}

// literals are taken out before the bans look: texts, quoted names, comments.
var literals = regexp.MustCompile("'(?:[^'\\\\]|''|\\\\.)*'|`[^`]*`|/\\*[^!T+].*?\\*/|--[^\n]*")

var parsers = sync.Pool{New: func() any { return parser.New() }}

// Check judges one statement (or several, separated by semicolons). dialect is "mysql" or "sqlite": SQLite's upsert and
// pragmas are its own, so there only the bans count.
func Check(dialect, text string) error {
	bare := literals.ReplaceAllStringFunc(text, func(s string) string {
		if s[0] == '\'' {
			return "''"
		}
		return " x "
	})
	for _, b := range bans {
		if (b.only == "" || b.only == dialect) && b.pattern.MatchString(bare) {
			return fmt.Errorf("grammar gate: %q: %s\n%s", b.pattern.FindString(bare), b.why, text)
		}
	}
	if dialect != "mysql" {
		return nil
	}
	p := parsers.Get().(*parser.Parser)
	defer parsers.Put(p)
	if _, _, err := p.Parse(strings.TrimSpace(text), "", ""); err != nil {
		return fmt.Errorf("grammar gate: TiDB does not read this: %w\n%s", err, text)
	}
	return nil
}

// Gate remembers what it has judged: a text is parsed once in a process. Its method Observe fits database.Options.
type Gate struct {
	Dialect string
	judged  sync.Map // text → error or nil
}

// Observe judges a statement that is about to run; the error stops it.
func (g *Gate) Observe(text string) error {
	if known, ok := g.judged.Load(text); ok {
		err, _ := known.(error)
		return err
	}
	err := Check(g.Dialect, text)
	g.judged.Store(text, err)
	return err
}
