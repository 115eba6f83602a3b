// Package blob keeps files: documents we make and receipts that customers send. They lie in the database, outside every web root,
// so that all instances have them, a backup holds them and they are written in the transaction of what they belong to. Whoever
// holds a signed link reads one (contract §3); links are made only for those who may see the file.
package blob

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"io"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// partSize is how many bytes of a file lie in one row.
const partSize = 1 << 20

// Store keeps files. Safe for concurrent use.
type Store struct{ db *database.DB }

// New makes a store on a database.
func New(db *database.DB) *Store { return &Store{db} }

// Put keeps a file of f.Size bytes under f.AccountID and f.ID, in the transaction of ctx if there is one. It returns the row as
// written, with the content's hash. The content is read more than once where a transaction is run again.
func (s *Store) Put(ctx context.Context, f models.File, content io.ReaderAt) (models.File, error) {
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		hash, buffer := sha256.New(), make([]byte, min(f.Size, partSize))
		for part := int64(0); part*partSize < f.Size; part++ {
			piece := buffer[:min(f.Size-part*partSize, partSize)]
			if _, err := io.ReadFull(io.NewSectionReader(content, part*partSize, int64(len(piece))), piece); err != nil {
				return err
			}
			_, _ = hash.Write(piece) // never fails (hash.Hash)
			if _, err := s.db.Exec(ctx, "INSERT INTO file_parts (account_id, file_id, part, content) VALUES (?,?,?,?)", f.AccountID, f.ID, part, piece); err != nil {
				return err
			}
		}
		f.Hash = hash.Sum(nil)
		_, err := s.db.Exec(ctx, "INSERT INTO files (account_id, id, name, content_type, size, hash, expires_at, created_at) VALUES (?,?,?,?,?,?,?,?)",
			f.AccountID, f.ID, f.Name, f.ContentType, f.Size, f.Hash, f.ExpiresAt, f.CreatedAt)
		return err
	})
	return f, err
}

// ByID reads what is known of a file; false where the account has none with this id.
func (s *Store) ByID(ctx context.Context, account, id models.ID) (f models.File, found bool, err error) {
	f.AccountID, f.ID = account, id
	found, err = s.db.QueryRow(ctx, []any{&f.Name, &f.ContentType, &f.Size, &f.Hash, &f.ExpiresAt, &f.CreatedAt},
		"SELECT name, content_type, size, hash, expires_at, created_at FROM files WHERE account_id = ? AND id = ?", account, id)
	return f, found, err
}

// Open reads a file's content piece by piece, in whatever order it is sought.
func (s *Store) Open(ctx context.Context, f models.File) io.ReadSeeker {
	return io.NewSectionReader(&parts{ctx: ctx, db: s.db, file: f, at: -1}, 0, f.Size)
}

// parts reads from the one row that holds the wanted bytes, and keeps it for the next read. Not safe for concurrent use.
type parts struct {
	ctx  context.Context //nolint:containedctx // an io.ReaderAt has no other way to it
	db   *database.DB
	file models.File
	at   int64 // which part is kept
	kept []byte
}

func (p *parts) ReadAt(into []byte, off int64) (n int, err error) {
	for n < len(into) && off < p.file.Size {
		if err := p.load(off / partSize); err != nil {
			return n, err
		}
		copied := copy(into[n:], p.kept[min(off%partSize, int64(len(p.kept))):])
		if copied == 0 { // the part is shorter than its place: the file was cut
			return n, io.ErrUnexpectedEOF
		}
		n, off = n+copied, off+int64(copied)
	}
	if n < len(into) {
		err = io.EOF
	}
	return n, err
}

func (p *parts) load(part int64) error {
	if part == p.at {
		return nil
	}
	p.at, p.kept = -1, nil
	found, err := p.db.QueryRow(p.ctx, []any{&p.kept}, "SELECT content FROM file_parts WHERE account_id = ? AND file_id = ? AND part = ?", p.file.AccountID, p.file.ID, part)
	if err == nil && !found { // swept away meanwhile
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		p.at = part
	}
	return err
}

// Sweep removes at most limit files whose time is over, the oldest first, and tells how many those were.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	over, err := s.over(ctx, now, limit)
	for i, f := range over {
		err = s.db.InTx(ctx, func(ctx context.Context) error {
			if _, err := s.db.Exec(ctx, "DELETE FROM files WHERE account_id = ? AND id = ?", f.AccountID, f.ID); err != nil {
				return err
			}
			_, err := s.db.Exec(ctx, "DELETE FROM file_parts WHERE account_id = ? AND file_id = ?", f.AccountID, f.ID)
			return err
		})
		if err != nil {
			return i, err
		}
	}
	return len(over), err
}

// over finds files whose time is over.
func (s *Store) over(ctx context.Context, now time.Time, limit int) (out []models.File, err error) {
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var f models.File
		err := rows.Scan(&f.AccountID, &f.ID)
		out = append(out, f)
		return err
	}, "SELECT account_id, id FROM files WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", now, limit)
	return out, err
}
