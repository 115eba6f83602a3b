package reconcile

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
)

// batch is how many rows, or values of a list, one statement has.
const batch = 200

// noCurrency stands where a line names none (ISO 4217).
const noCurrency = "XXX"

// Widths of the columns that a line goes into.
const (
	widthNumber    = 64
	widthReference = 100
	widthRaw       = 8000
)

// keyed names the lines of a statement as they are stored. A line that is there twice keeps its place: the same file gives the same keys.
func keyed(day channel.Day, lines []channel.Line) []line {
	out, seen := make([]line, len(lines)), make(map[string]int, len(lines))
	for i, l := range lines {
		l.Number, l.RefundNumber, l.Reference = fit(l.Number, widthNumber), fit(l.RefundNumber, widthNumber), fit(l.Reference, widthReference)
		l.Raw = cut(l.Raw, widthRaw)
		if len(l.Amount.Currency) != 3 {
			l.Amount.Currency = noCurrency
		}
		number := l.Number
		if l.RefundNumber != "" {
			number = l.RefundNumber
		}
		k := string(kindOf(l)[:1]) + ":" + number + ":" + l.Reference
		if seen[k]++; seen[k] > 1 {
			k = fmt.Sprintf("%s#%d", k, seen[k])
		}
		out[i] = line{Line: l, day: day, key: k}
	}
	return out
}

// fit makes a provider's text one of visible ASCII that its column holds; what does not fit keeps its beginning and a hash of the whole.
func fit(text string, width int) string {
	plain := len(text) <= width && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
	if plain {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	head := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	return head[:min(len(head), width-17)] + "~" + hex.EncodeToString(sum[:8])
}

// cut makes a text valid UTF-8 of at most so many bytes.
func cut(text string, width int) string {
	text = strings.ToValidUTF8(text, "?")
	for len(text) > width {
		_, size := utf8.DecodeLastRuneInString(text[:width])
		return text[:width-size] + "…"
	}
	return text
}

// download asks the channel for the day's statement and keeps it, in the place of an earlier one. Where there is none now, an earlier one
// serves again. Cause says why there is neither.
func (c *comparison) download(ctx context.Context) (lines []line, cause, err error) {
	st, failed := c.adapter.Statement(ctx, c.day)
	if failed != nil {
		if c.rec.FileHash == "" || ctx.Err() != nil {
			return nil, failed, ctx.Err()
		}
		lines, err = c.imported(ctx, "day = ?", string(c.day))
		return lines, nil, err
	}
	lines = keyed(c.day, st.Lines)
	if st.Hash == "" {
		sum := sha256.Sum256(fmt.Append(nil, st.Lines))
		st.Hash = hex.EncodeToString(sum[:])
	}
	return lines, nil, c.keep(ctx, st.Hash, lines)
}

// keep writes the lines of a statement, all or none.
func (c *comparison) keep(ctx context.Context, hash string, lines []line) error {
	if hash == c.rec.FileHash && int64(len(lines)) == c.rec.TheirsCount {
		return nil
	}
	now := c.Clock.Now()
	return c.DB.InTx(ctx, func(ctx context.Context) error {
		n, err := c.DB.Exec(ctx, "UPDATE reconciliations SET file_hash = ?, theirs_count = ? WHERE id = ? AND runs = ?", hash, len(lines), c.rec.ID, c.rec.Runs)
		if err == nil && n == 0 {
			err = errLost
		}
		if err != nil {
			return err
		}
		if _, err := c.DB.Exec(ctx, "DELETE FROM statement_lines WHERE channel = ? AND day = ?", string(c.rec.Channel), c.rec.Day); err != nil {
			return err
		}
		for len(lines) > 0 {
			some := lines[:min(batch, len(lines))]
			lines = lines[len(some):]
			var args []any
			for _, l := range some {
				args = append(args, string(c.rec.Channel), c.rec.Day, l.key, l.Number, l.RefundNumber, l.Reference, string(l.Amount.Currency), l.Amount.Minor, l.fee(), string(l.State), l.At, l.Raw, now)
			}
			if _, err := c.DB.Exec(ctx, "INSERT INTO statement_lines (channel, day, line_key, number, refund_number, reference, currency, amount, fee, state, at, raw, imported_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"+
				strings.Repeat(",(?,?,?,?,?,?,?,?,?,?,?,?,?)", len(some)-1), args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// fee is the provider's, in the line's currency; it is kept and never compared.
func (l line) fee() int64 {
	if l.Fee.Currency != l.Amount.Currency {
		return 0
	}
	return l.Fee.Minor
}

// imported reads lines that were imported before.
func (c *comparison) imported(ctx context.Context, where string, args ...any) (out []line, err error) {
	err = c.DB.Query(ctx, func(r *sql.Rows) error {
		var l line
		var code string
		var fee int64
		err := r.Scan(&l.day, &l.key, &l.Number, &l.RefundNumber, &l.Reference, &code, &l.Amount.Minor, &fee, &l.State, &l.At, &l.Raw)
		l.Amount.Currency = money.Currency(code)
		l.Fee = money.New(fee, l.Amount.Currency)
		out = append(out, l)
		return err
	}, "SELECT day, line_key, number, refund_number, reference, currency, amount, fee, state, at, raw FROM statement_lines WHERE channel = ? AND "+where+" ORDER BY day, line_key",
		append([]any{string(c.rec.Channel)}, args...)...)
	return out, err
}

// elsewhere adds to movements what statements of other days say of them.
func (c *comparison) elsewhere(ctx context.Context, by map[key]*movement) error {
	numbers := map[string]bool{}
	for _, m := range by {
		m.others = nil
		for _, n := range m.numbers() {
			if n != "" || m.known() { // of strangers there may be thousands without one
				numbers[n] = true
			}
		}
	}
	add := func(lines []line) {
		for _, l := range lines {
			k := l.of()
			if m := by[k]; m != nil && l.day != c.day && k.number[:1] != "?" {
				m.others = append(m.others, l)
			}
		}
	}
	for some := range batches(numbers) {
		lines, err := c.imported(ctx, "number IN ("+database.Marks(len(some))+")", database.Args(nil, some)...)
		if err != nil {
			return err
		}
		add(lines)
	}
	if !c.wanted(by) {
		return nil
	}
	for _, day := range []channel.Day{c.day.Next(-1), c.day.Next(1)} {
		seen, lines := c.neighbour(ctx, day)
		if day > c.day {
			c.view.next = seen
		}
		add(lines)
	}
	return nil
}

// wanted: the ledger has something that no statement has so far.
func (c *comparison) wanted(by map[key]*movement) bool {
	for _, m := range by {
		if len(m.lines) == 0 && len(m.others) == 0 {
			return true
		}
	}
	return false
}

// neighbour looks into the statement of a day beside this one that was not imported yet; seen tells whether there is one.
func (c *comparison) neighbour(ctx context.Context, day channel.Day) (seen bool, lines []line) {
	r, found, err := c.find(ctx, c.rec.Channel, day)
	if err == nil && found && r.FileHash != "" {
		return true, nil // its lines were found by their numbers
	}
	if _, to := c.adapter.StatementDay(day); err != nil || c.Clock.Now().Before(to) {
		return false, nil
	}
	st, err := c.adapter.Statement(ctx, day)
	if err != nil {
		return false, nil // not there yet
	}
	return true, keyed(day, st.Lines)
}

// numbers are those of payments that lines of the movement stand under.
func (m *movement) numbers() (out []string) {
	for _, l := range m.lines {
		out = append(out, l.Number)
	}
	for _, e := range m.entries {
		out = append(out, e.number)
	}
	return out
}
