package httpapi

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync/atomic"
)

const (
	// inMemory is the largest file that is kept in memory, in bytes.
	inMemory = 1 << 20
	// spoolMemory is what all files in memory may take together; beyond it small ones become temporary files too.
	spoolMemory = 32 << 20
)

var (
	errFileTooLarge = errors.New("httpapi: a file is too large")
	errSpoolFull    = errors.New("httpapi: too much is being uploaded")
	errNotKept      = errors.New("httpapi: a temporary file could not be written")
)

// spool holds the files of the requests that run now, within bounds for all of them together. Temporary files lie in TMPDIR and have
// no name: whatever becomes of the process, nothing is left behind.
type spool struct{ memory, total room }

func newSpool(total int) *spool {
	s := &spool{}
	s.memory.left.Store(spoolMemory)
	s.total.left.Store(int64(total))
	return s
}

// room is a number of bytes that many take from.
type room struct{ left atomic.Int64 }

func (r *room) take(n int) bool {
	if r.left.Add(int64(-n)) >= 0 {
		return true
	}
	r.give(n)
	return false
}

func (r *room) give(n int) { r.left.Add(int64(n)) }

// file is one received file. It has to be removed.
type file struct {
	spool  *spool
	size   int
	sum    hash.Hash
	memory []byte // while the file is small
	disk   *os.File
	name   string // of disk, where the system does not let an open file lose it
}

// receive reads a file of at most limit bytes. Errors: errFileTooLarge, errSpoolFull, errNotKept, those of r; f is to be removed all the
// same.
func (s *spool) receive(r io.Reader, limit int) (f *file, err error) {
	f = &file{spool: s, sum: sha256.New()}
	b := getBuffer()
	defer putBuffer(b)
	b.Grow(32 << 10)
	chunk := b.AvailableBuffer()[:32<<10]
	for {
		n, err := r.Read(chunk)
		if n > 0 {
			if bad := f.take(chunk[:n], limit); bad != nil {
				return f, bad
			}
		}
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, err
		}
	}
}

func (f *file) take(data []byte, limit int) error {
	if f.size+len(data) > limit {
		return errFileTooLarge
	}
	if !f.spool.total.take(len(data)) {
		return errSpoolFull
	}
	f.size += len(data)
	f.sum.Write(data)
	if f.disk == nil && f.remember(data) {
		return nil
	}
	if err := f.write(data); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	return nil
}

// remember keeps data in memory, if there is room.
func (f *file) remember(data []byte) bool {
	if need := len(f.memory) + len(data); need > cap(f.memory) {
		grown := max(need, min(2*cap(f.memory), inMemory))
		if grown > inMemory || !f.spool.memory.take(grown) {
			return false
		}
		memory := append(make([]byte, 0, grown), f.memory...)
		f.forget()
		f.memory = memory
	}
	f.memory = append(f.memory, data...)
	return true
}

func (f *file) forget() {
	f.spool.memory.give(cap(f.memory))
	f.memory = nil
}

func (f *file) write(data []byte) (err error) {
	if f.disk == nil {
		if f.disk, err = os.CreateTemp("", "paydesk-upload-*"); err != nil {
			return err
		}
		if os.Remove(f.disk.Name()) != nil {
			f.name = f.disk.Name()
		}
		if _, err = f.disk.Write(f.memory); err != nil {
			return err
		}
		f.forget()
	}
	_, err = f.disk.Write(data)
	return err
}

// remove gives back what the file takes. Nobody reads it afterwards.
func (f *file) remove() {
	f.spool.total.give(f.size)
	f.forget()
	if f.disk == nil {
		return
	}
	_ = f.disk.Close()
	if f.name != "" {
		_ = os.Remove(f.name)
	}
}

// content reads the file from its beginning, apart from all other readers, and knows its hash.
type content struct {
	*io.SectionReader
	sum [sha256.Size]byte
}

// Sum256 saves whoever wants the hash from reading the file once more.
func (c content) Sum256() [sha256.Size]byte { return c.sum }

func (f *file) open() content {
	var at io.ReaderAt = f.disk
	if f.disk == nil {
		at = bytes.NewReader(f.memory)
	}
	c := content{SectionReader: io.NewSectionReader(at, 0, int64(f.size))}
	f.sum.Sum(c.sum[:0])
	return c
}
