package unionpay

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"paydesk/internal/channel"
)

// noFile is the file transfer's word for a file that is not there.
const noFile = "98"

// late is how long after a day's end its file is there for certain, if there is one.
const late = 36 * time.Hour

// The most that is read of a day's file: bytes when it is unpacked, of all its parts together, and parts.
const (
	maxFile  = 64 << 20
	maxParts = 100
)

// StatementDay is UnionPay's clearing day: from 23:00 of the day before to 23:00, in Beijing.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) {
	from, to = day.In(channel.Beijing)
	return from.Add(-time.Hour), to.Add(-time.Hour)
}

// Statement is the file of a clearing day (txnType 76): that of the merchant, of which the lines of this kind of bank are taken.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	f := a.request("76", "01", "000000", stamp(time.Now()))
	f["settleDate"], f["fileType"] = day.Format("0102"), "00"
	answer, err := a.call(ctx, a.files, "/", f)
	if err != nil {
		return channel.Statement{}, err
	}
	switch code := answer["respCode"]; {
	case code == noFile:
		return a.none(day, time.Now())
	case code != accepted:
		return channel.Statement{}, askError(code)
	case answer["settleDate"] != f["settleDate"] || answer["fileName"] != "" && !strings.Contains(answer["fileName"], day.Format("20060102")):
		return channel.Statement{}, fmt.Errorf("%w: unionpay gave the file of another day", channel.ErrUnknown) // settleDate has no year
	}
	file, err := unpack(answer["fileContent"])
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: unionpay's file of %s: %w", channel.ErrUnknown, day, err)
	}
	sum := sha256.Sum256(file)
	s := channel.Statement{Day: day, Hash: hex.EncodeToString(sum[:])}
	if s.Lines, err = a.lines(file, day, answer["fileName"] != ""); err != nil {
		return channel.Statement{}, fmt.Errorf("%w: unionpay's file of %s: %w", channel.ErrUnknown, day, err)
	}
	return s, nil
}

// none judges noFile, which may be said of a day without trades as well: a day after the day it is that.
func (a *Adapter) none(day channel.Day, now time.Time) (channel.Statement, error) {
	if _, end := a.StatementDay(day); now.Before(end.Add(late)) {
		return channel.Statement{}, fmt.Errorf("%w: unionpay, %s", channel.ErrNoStatement, day)
	}
	return channel.Statement{Day: day}, nil
}

// unpack opens fileContent: base64 of a zlib stream.
func unpack(content string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, errors.New("not base64")
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errors.New("not deflated")
	}
	return bounded(r, maxFile)
}

// bounded reads all of it, but never too much.
func bounded(r io.Reader, most int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, errors.New("damaged")
	}
	if len(b) > most {
		return nil, errors.New("too long")
	}
	return b, nil
}

// tradesName is how a file of trades is called: INN, the clearing day, a number, ZM_ and the merchant.
var tradesName = regexp.MustCompile(`INN([0-9]{6})[0-9]{2}ZM_`)

// lines reads the merchant's trades: of a zip the file INN…ZM_…, or the text itself. Files beside it (ZME: errors and disputes) are left. A
// day with its year has to stand somewhere, in the file's name (dated) or within; where it stands twice, twice the same.
func (a *Adapter) lines(file []byte, day channel.Day, dated bool) ([]channel.Line, error) {
	if !bytes.HasPrefix(file, []byte("PK")) {
		if !dated {
			return nil, errors.New("no name, so no year")
		}
		return a.parse(file, day)
	}
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, errors.New("not a zip")
	}
	if len(z.File) > maxParts {
		return nil, errors.New("too many files in the zip")
	}
	var all []channel.Line
	found, left := false, maxFile
	for _, entry := range z.File {
		if !strings.Contains(entry.Name, "ZM_") {
			continue
		}
		if name := tradesName.FindStringSubmatch(entry.Name); name != nil && name[1] != day.Format("060102") || name == nil && !dated {
			return nil, fmt.Errorf("another day in it, or none: %.80q", entry.Name)
		}
		r, err := entry.Open()
		if err != nil {
			return nil, errors.New("not a zip")
		}
		text, err := bounded(r, left)
		r.Close()
		if err != nil {
			return nil, err
		}
		left -= len(text)
		some, err := a.parse(text, day)
		if err != nil {
			return nil, err
		}
		all, found = append(all, some...), true
	}
	if !found {
		return nil, errors.New("no ZM file in the zip")
	}
	return all, nil
}
