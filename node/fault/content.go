package fault

import (
	"bytes"
	"slices"
)

// content is the bytes of a file. It never changes once made, and what two
// contents have in common lies in memory once: a disk is copied, torn and cut
// thousands of times in a test.
type content struct {
	size  int64
	pages []*page // nil for a page of zeros
}

type page [pageSize]byte

// pageSize is also a unit in which a disk spoils what it was writing.
const pageSize = 4096

var zeros page

func contentOf(b []byte) content { return content{}.write(0, b) }

// bytes is a copy of the content.
func (c content) bytes() []byte {
	b := make([]byte, c.size)
	c.read(b, 0)
	return b
}

// read fills b from an offset on and returns how much there was.
func (c content) read(b []byte, offset int64) (n int) {
	if offset >= c.size {
		return 0
	}
	b = b[:min(int64(len(b)), c.size-offset)]
	for n < len(b) {
		at := offset + int64(n)
		from := c.pages[at/pageSize]
		if from == nil {
			from = &zeros
		}
		n += copy(b[n:], from[at%pageSize:])
	}
	return n
}

// write returns the content with data at an offset; a hole before it is zeros.
func (c content) write(offset int64, data []byte) content {
	if len(data) == 0 {
		return c
	}
	c = c.room(max(c.size, offset+int64(len(data))))
	for len(data) > 0 {
		i, within := offset/pageSize, int(offset%pageSize)
		n := min(pageSize-within, len(data))
		if old := c.pages[i]; old != nil || !bytes.Equal(data[:n], zeros[:n]) {
			p := zeros
			if old != nil && n < pageSize {
				p = *old
			}
			copy(p[within:], data[:n])
			c.pages[i] = &p
		}
		data, offset = data[n:], offset+int64(n)
	}
	return c
}

// overlay returns the content with a part of another one at the place where that
// part would lie if the other began at offset.
func (c content) overlay(offset int64, from content, start, end int64) content {
	if start >= end {
		return c
	}
	c = c.room(max(c.size, offset+end))
	var buf page
	for start < end {
		at := offset + start
		n := min(pageSize-at%pageSize, end-start)
		if at%pageSize == 0 && start%pageSize == 0 && (n == pageSize || at+n == c.size) {
			c.pages[at/pageSize] = from.pages[start/pageSize]
			if n < pageSize && n < from.size-start {
				c.pages[at/pageSize] = from.resize(start + n).pages[start/pageSize]
			}
		} else {
			from.read(buf[:n], start)
			c = c.write(at, buf[:n])
		}
		start += n
	}
	return c
}

// resize returns the content cut off, or filled up with zeros.
func (c content) resize(size int64) content {
	if size >= c.size {
		return c.room(size)
	}
	c = content{size: size, pages: slices.Clone(c.pages[:pagesFor(size)])}
	if within := size % pageSize; within > 0 && c.pages[len(c.pages)-1] != nil {
		p := *c.pages[len(c.pages)-1]
		clear(p[within:])
		c.pages[len(c.pages)-1] = &p
	}
	return c
}

// room is the content at a size that is no smaller, with a list of pages of its
// own.
func (c content) room(size int64) content {
	pages := make([]*page, pagesFor(size))
	copy(pages, c.pages)
	return content{size: size, pages: pages}
}

func pagesFor(size int64) int64 { return (size + pageSize - 1) / pageSize }
