package ledger

import (
	"errors"
	"io"
)

// readAhead is how many bytes a scanner asks the file for at a time.
const readAhead = 256 << 10

// scanner reads frames one after the other, each verified against the one
// before it.
type scanner struct {
	src   io.ReaderAt
	limit int64  // where the bytes end
	at    cursor // the next frame
	buf   []byte // bytes from at.offset on that were read already
	room  []byte // memory that buf lies in
}

func newScanner(src io.ReaderAt, at cursor, limit int64) *scanner {
	return &scanner{src: src, at: at, limit: limit}
}

// next decodes the frame at the scanner's position and goes past it. It
// returns [io.EOF] at the limit, one of the frame errors for bytes that don't
// verify, and anything else for a file that can't be read. The frame's payload
// is valid until the next call.
func (s *scanner) next() (frame, error) {
	if s.at.offset >= s.limit {
		return frame{}, io.EOF
	}
	if err := s.fill(frameHeaderSize); err != nil {
		return frame{}, err
	}
	size, err := frameLen(s.buf)
	if err != nil {
		return frame{}, err
	}
	if err := s.fill(size); err != nil {
		return frame{}, err
	}
	f, err := decodeFrame(s.buf, s.at)
	if err != nil {
		return frame{}, err
	}
	s.buf = s.buf[size:]
	s.at = f.next
	return f, nil
}

// fill sees to it that buf holds n bytes. It returns errShort when the limit
// comes first.
func (s *scanner) fill(n int) error {
	if len(s.buf) >= n {
		return nil
	}
	left := s.limit - s.at.offset
	if left < int64(n) {
		return errShort
	}
	want := int(min(left, max(readAhead, int64(n))))
	if cap(s.room) < want {
		s.room = make([]byte, want)
	}
	have := copy(s.room[:want], s.buf)
	got, err := s.src.ReadAt(s.room[have:want], s.at.offset+int64(have))
	s.buf = s.room[:have+got]
	if len(s.buf) < n {
		if err == nil || errors.Is(err, io.EOF) {
			return errShort // the file became shorter than it was
		}
		return err
	}
	return nil
}

// isFrameError tells bytes that don't verify from a file that can't be read.
func isFrameError(err error) bool {
	for _, e := range []error{errShort, errMagic, errReserved, errLength, errSeq, errChain, errSum} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// patched is the log as the mark knows it: the bytes of the file, and over them
// those of the mark's copy.
type patched struct {
	file io.ReaderAt
	size int64 // of the file
	mark mark
}

// len is the length of what can be read.
func (p patched) len() int64 { return max(p.size, p.mark.end.offset) }

// ReadAt implements [io.ReaderAt].
func (p patched) ReadAt(b []byte, offset int64) (int, error) {
	n, err := p.file.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	// Lay the copy over what was read; the two overlap in [from, to).
	from := max(offset, p.mark.copyFrom)
	to := min(offset+int64(len(b)), p.mark.end.offset)
	if from < to {
		copy(b[from-offset:to-offset], p.mark.copied[from-p.mark.copyFrom:])
		n = max(n, int(to-offset))
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
