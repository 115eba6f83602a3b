package database

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// ErrCommitUnknown says that the connection was lost while COMMIT was under way: the transaction may or may not stand.
// The caller looks its idempotency key up, on a new connection, and never blindly does the work again.
var ErrCommitUnknown = errors.New("database: the connection was lost during COMMIT, its outcome is unknown")

// IsCommitUnknown reports ErrCommitUnknown.
func IsCommitUnknown(err error) bool { return errors.Is(err, ErrCommitUnknown) }

// IsDuplicate reports that a unique or primary key already has the value. The transaction goes on.
func IsDuplicate(err error) bool {
	my, lite := codes(err)
	return my == 1062 || lite == 1555 || lite == 2067
}

// IsRetryable reports a conflict with another transaction: deadlock, lock wait, write conflict. InTx has then already
// tried several times; the caller's client may try again later.
func IsRetryable(err error) bool { return isRetryable(err) }

// IsUnavailable reports that the database could not be reached or is not ready to serve.
func IsUnavailable(err error) bool { return isUnavailable(err) }

// codes takes the number out of a driver's error: MySQL's, or SQLite's extended result code; 0 where there is none.
func codes(err error) (my uint16, lite int) {
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return m.Number, 0
	}
	if l, ok := errors.AsType[*sqlite.Error](err); ok {
		return 0, l.Code()
	}
	return 0, 0
}

// isRetryable follows the table of engines.md 2d.
func isRetryable(err error) bool {
	my, lite := codes(err)
	switch my {
	case 1213, // deadlock; Galera also at COMMIT
		1205,                   // lock wait; the transaction is still open, InTx rolls it back
		1020,                   // MariaDB snapshot isolation
		3572,                   // NOWAIT on MySQL and TiDB
		8002, 8022, 8028, 9007, // TiDB: conflict, retry the whole transaction
		8005, 8147, 8229: // TiDB: write conflict, lazy unique check, transaction aborted
		return true
	case 1105: // TiDB's "unknown error", of which only this one passes by itself
		return strings.Contains(err.Error(), "Information schema is changed")
	}
	switch lite {
	case 5, 517, 261: // BUSY, BUSY_SNAPSHOT, BUSY_RECOVERY
		return true
	}
	return false
}

func isUnavailable(err error) bool {
	if err == nil {
		return false
	}
	my, _ := codes(err)
	switch my {
	case 9001, 9002, 9003, 9004, 9005, 9008, 8027, // TiDB: storage, placement or schema not ready
		1047,             // Galera: this node is not in the primary component
		1040, 1203, 1053, // too many connections, of this user, shutdown in progress
		1927, 4031: // connection killed (MariaDB), closed as idle (MySQL)
		return true
	case 0:
		return isLost(err)
	}
	return false
}

// isLost reports a broken connection.
func isLost(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	_, isNet := errors.AsType[net.Error](err)
	return isNet
}

// isStaleStatement reports that the server no longer knows a prepared statement (failover behind a proxy).
func isStaleStatement(err error) bool {
	if err == nil {
		return false
	}
	my, _ := codes(err)
	return my == 1243 || my == 1615
}

// brokenError is the answer of COMMIT in a transaction that had already failed: nothing was committed.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return e.cause.Error() }
func (e *brokenError) Unwrap() error { return e.cause }

// commitError tells what a failed COMMIT means. A conflict was refused and can be retried; a lost connection, or a
// server that could not finish (TiDB 8501 and storage errors, 1053 at shutdown), leaves the outcome open.
func commitError(err error) error {
	if _, ok := errors.AsType[*brokenError](err); ok {
		return err
	}
	my, _ := codes(err)
	if isUnavailable(err) || my == 8501 {
		return errors.Join(ErrCommitUnknown, err)
	}
	return err
}
