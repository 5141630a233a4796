package fault

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// node is a file or a folder.
type node struct {
	mode fs.FileMode

	// A file: what programs see, what is durable, and the changes from the one
	// to the other. Changes that a failed sync was for are in none of the lists.
	live    []byte
	durable []byte
	pending []change

	// A folder, likewise.
	names   map[string]*node
	kept    map[string]*node
	renames []rename
}

func newDir(perm fs.FileMode) *node {
	return &node{mode: perm | fs.ModeDir, names: map[string]*node{}, kept: map[string]*node{}}
}

func (n *node) isDir() bool { return n.mode.IsDir() }

// change is a write or a truncation.
type change struct {
	offset   int64
	data     []byte
	truncate bool
}

// apply returns the content after the change. It may reuse b.
func (c change) apply(b []byte) []byte {
	end := int(c.offset) + len(c.data)
	if c.truncate && end < len(b) {
		return b[:end]
	}
	if end > len(b) {
		old := len(b)
		b = slices.Grow(b, end-old)[:end]
		clear(b[old:])
	}
	copy(b[c.offset:], c.data)
	return b
}

// rename is a change of names: from nothing (create), to nothing (remove), or
// from one to another, in one step.
type rename struct {
	from, to string
	node     *node
}

func (r rename) apply(names map[string]*node) {
	if r.from != "" && names[r.from] == r.node {
		delete(names, r.from)
	}
	if r.to != "" {
		names[r.to] = r.node
	}
}

// do changes a file as programs see it.
func (n *node) do(c change) {
	n.live = c.apply(n.live)
	n.pending = append(n.pending, c)
}

// settle makes everything durable.
func (n *node) settle() {
	for _, c := range n.pending {
		n.durable = c.apply(n.durable)
	}
	for _, r := range n.renames {
		r.apply(n.kept)
	}
	n.pending, n.renames = nil, nil
}

// The units in which a disk loses what it was writing.
const (
	sectorSize = 512
	pageSize   = 4096
)

// PowerCut turns the machine off and returns it as it is after the next boot.
// What was synced is there. Of the rest, rng decides what is: every change of a
// name, every truncation and every sector of a write may be there or not, and
// now and then a page that was being written is spoilt altogether. Without rng
// nothing of it is there.
func (d *Disk) PowerCut(rng *rand.Rand) *Disk {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	d.off = true
	left := map[*node]*node{}
	return boot(&media{root: d.media.root.survive(rng, left)})
}

// survive returns what is left of a node. Nodes under several names are one
// node afterwards, too.
func (n *node) survive(rng *rand.Rand, left map[*node]*node) *node {
	if s := left[n]; s != nil {
		return s
	}
	s := &node{mode: n.mode}
	left[n] = s
	if n.isDir() {
		names := maps.Clone(n.kept)
		for _, r := range n.renames {
			if rng != nil && rng.IntN(2) == 0 {
				r.apply(names)
			}
		}
		s.names, s.kept = map[string]*node{}, map[string]*node{}
		for _, base := range slices.Sorted(maps.Keys(names)) { // in order: rng must give the same again
			s.names[base] = names[base].survive(rng, left)
			s.kept[base] = s.names[base]
		}
		return s
	}
	s.durable = slices.Clone(n.durable)
	if rng != nil {
		s.durable = tear(rng, s.durable, n.pending)
	}
	s.live = slices.Clone(s.durable)
	return s
}

// tear applies a random part of the changes.
func tear(rng *rand.Rand, b []byte, pending []change) []byte {
	all := rng.IntN(4) // 0: everything arrives; 1: nothing; else: in part
	for _, c := range pending {
		if c.truncate {
			if all == 0 || all > 1 && rng.IntN(2) == 0 {
				b = c.apply(b)
			}
			continue
		}
		for start := c.offset; start < c.offset+int64(len(c.data)); {
			end := min(start-start%sectorSize+sectorSize, c.offset+int64(len(c.data)))
			if all == 0 || all > 1 && rng.IntN(2) == 0 {
				b = change{offset: start, data: c.data[start-c.offset : end-c.offset]}.apply(b)
			}
			start = end
		}
	}
	if all > 1 && len(pending) > 0 && rng.IntN(4) == 0 {
		spoil(rng, b, pending[rng.IntN(len(pending))])
	}
	return b
}

// spoil fills one page that a write was for with noise.
func spoil(rng *rand.Rand, b []byte, c change) {
	if len(c.data) == 0 {
		return
	}
	at := c.offset + rng.Int64N(int64(len(c.data)))
	start := min(at-at%pageSize, int64(len(b)))
	page := b[start:min(start+pageSize, int64(len(b)))]
	for i := range page {
		page[i] = byte(rng.Uint32())
	}
}

// callSite names the place that called Sync or SyncDir: the functions and lines
// from there up to the first one outside the file layer's helpers, and the one
// that called that.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	var site []string
	for left := 2; left > 0; {
		f, more := frames.Next()
		name := f.Function[strings.LastIndex(f.Function, "/")+1:]
		site = append(site, name+":"+strconv.Itoa(f.Line))
		if !strings.HasPrefix(name, "disk.") {
			left--
		}
		if !more {
			break
		}
	}
	return strings.Join(site, " < ")
}
