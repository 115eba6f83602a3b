package reconcile

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Filter narrows reconciliations; an empty field does not narrow.
type Filter struct {
	Channels     []models.PaymentChannel
	Statuses     []models.ReconciliationStatus
	From, Before string // days, both inclusive
}

// DifferenceFilter narrows differences; an empty field does not narrow.
type DifferenceFilter struct {
	Channels []models.PaymentChannel
	Classes  []models.ReconciliationClass
	Day      string
	Open     *bool // true: only what waits for a person; false: only what does not
}

// clause is a condition with its arguments.
type clause struct {
	text string
	args []any
}

func (c *clause) and(text string, args ...any) {
	c.text, c.args = c.text+" AND "+text, append(c.args, args...)
}

// in adds a condition on a column where there are values to choose from.
func in[T ~string](c *clause, column string, values []T) {
	if len(values) == 0 {
		return
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	marks, args := among(texts)
	c.and(column+" IN ("+marks+")", args...)
}

func (f Filter) where() clause {
	c := clause{text: " FROM reconciliations WHERE 1 = 1"}
	in(&c, "channel", f.Channels)
	in(&c, "status", f.Statuses)
	if f.From != "" {
		c.and("day >= ?", f.From)
	}
	if f.Before != "" {
		c.and("day <= ?", f.Before)
	}
	return c
}

func (f DifferenceFilter) where() clause {
	c := clause{text: " FROM differences WHERE 1 = 1"}
	in(&c, "channel", f.Channels)
	in(&c, "class", f.Classes)
	if f.Day != "" {
		c.and("day = ?", f.Day)
	}
	switch {
	case f.Open == nil:
	case *f.Open:
		c.and(open)
	default:
		c.and("(resolved_at IS NOT NULL OR class = 'LATE')")
	}
	return c
}

// A day's number, 20261121, sorts as the day does and fits a cursor.
var newestFirst = page.Sort{Tag: 'd', Column: "CAST(REPLACE(day, '-', '') AS SIGNED)", ID: "id", Desc: true}

var oldestFirst = page.Sort{Tag: 'f', Column: "found_at", ID: "id", Time: true}

// List reads a page of reconciliations, newest day first.
func (s *Service) List(ctx context.Context, f Filter, p page.Page) (page.Result[models.Reconciliation], error) {
	c := f.where()
	query, args, err := p.Append([]byte("SELECT "+columns+c.text), c.args, newestFirst)
	if err != nil {
		return page.Result[models.Reconciliation]{}, err
	}
	rows, err := s.rows(ctx, string(query), args...)
	return page.Finish(p, rows, func(r models.Reconciliation) page.Cursor {
		return page.Cursor{Sort: newestFirst.Tag, Key: number(r.Day), ID: r.ID}
	}), err
}

// number is a day as newestFirst sorts it.
func number(day string) (n int64) {
	for _, digit := range []byte(day) {
		if digit != '-' {
			n = 10*n + int64(digit-'0')
		}
	}
	return n
}

// Differences reads a page of differences, the oldest first.
func (s *Service) Differences(ctx context.Context, f DifferenceFilter, p page.Page) (page.Result[models.Difference], error) {
	c := f.where()
	query, args, err := p.Append([]byte("SELECT "+differenceColumns+c.text), c.args, oldestFirst)
	if err != nil {
		return page.Result[models.Difference]{}, err
	}
	var rows []models.Difference
	err = s.DB.Gorm(ctx).Raw(string(query), args...).Find(&rows).Error
	return page.Finish(p, rows, func(d models.Difference) page.Cursor {
		return page.Cursor{Sort: oldestFirst.Tag, Key: d.FoundAt.UnixMicro(), ID: d.ID}
	}), err
}

// Count says how many reconciliations a filter matches, CountDifferences how many differences.
func (s *Service) Count(ctx context.Context, f Filter) (int64, error) { return s.count(ctx, f.where()) }

// CountDifferences says how many differences a filter matches.
func (s *Service) CountDifferences(ctx context.Context, f DifferenceFilter) (int64, error) {
	return s.count(ctx, f.where())
}

func (s *Service) count(ctx context.Context, c clause) (n int64, err error) {
	_, err = s.DB.QueryRow(ctx, []any{&n}, "SELECT COUNT(*)"+c.text, c.args...)
	return n, err
}

func (s *Service) rows(ctx context.Context, query string, args ...any) (out []models.Reconciliation, err error) {
	err = s.DB.Query(ctx, func(r *sql.Rows) error {
		var one models.Reconciliation
		err := r.Scan(into(&one)...)
		out = append(out, one)
		return err
	}, query, args...)
	return out, err
}

// ByIDs reads reconciliations, in no particular order; what is not there is left out.
func (s *Service) ByIDs(ctx context.Context, ids []models.ID) ([]models.Reconciliation, error) {
	marks, args := among(ids)
	return s.rows(ctx, "SELECT "+columns+" FROM reconciliations WHERE id IN ("+marks+")", args...)
}

// DifferencesByIDs reads differences, in no particular order; what is not there is left out.
func (s *Service) DifferencesByIDs(ctx context.Context, ids []models.ID) (rows []models.Difference, err error) {
	err = s.DB.Gorm(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, err
}

// Waiting counts what waits for a person, by reconciliation.
func (s *Service) Waiting(ctx context.Context, of []models.Reconciliation) (map[models.ID]int64, error) {
	out := make(map[models.ID]int64, len(of))
	if len(of) == 0 {
		return out, nil
	}
	ids := make([]models.ID, len(of))
	for i, r := range of {
		ids[i] = r.ID
	}
	marks, args := among(ids)
	err := s.DB.Query(ctx, func(r *sql.Rows) error {
		var id models.ID
		var n int64
		err := r.Scan(&id, &n)
		out[id] = n
		return err
	}, "SELECT r.id, COUNT(*) FROM reconciliations r JOIN differences d ON d.channel = r.channel AND d.day = r.day AND d.resolved_at IS NULL AND d.class <> 'LATE' WHERE r.id IN ("+marks+") GROUP BY r.id", args...)
	return out, err
}

// Reports are the files of reconciliations, by id; those without one are left out.
func (s *Service) Reports(ctx context.Context, of []models.Reconciliation) (map[models.ID]models.File, error) {
	out := make(map[models.ID]models.File, len(of))
	if len(of) == 0 {
		return out, nil
	}
	ids := make([]models.ID, len(of))
	for i, r := range of {
		ids[i] = r.ID
	}
	marks, args := among(ids)
	marks2, args := among(ids, args...)
	err := s.DB.Query(ctx, func(r *sql.Rows) error {
		var f models.File
		err := r.Scan(&f.AccountID, &f.ID, &f.Name, &f.ContentType, &f.Size)
		if f.AccountID == f.ID {
			out[f.ID] = f
		}
		return err
	}, "SELECT account_id, id, name, content_type, size FROM files WHERE account_id IN ("+marks+") AND id IN ("+marks2+")", args...)
	return out, err
}

// byID reads one difference; found false where there is none.
func (s *Service) byID(ctx context.Context, id models.ID) (d models.Difference, found bool, err error) {
	err = s.DB.Gorm(ctx).Where("id = ?", id).Take(&d).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return d, false, nil
	}
	return d, err == nil, err
}
