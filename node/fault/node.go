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
	// to the other, but for those that were lost in a sync that failed.
	live    content
	durable content
	pending []change
	lost    bool

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
	data     content
	truncate bool
}

// apply returns the content after the change.
func (c change) apply(to content) content {
	if c.truncate {
		return to.resize(c.offset)
	}
	return to.overlay(c.offset, c.data, 0, c.data.size)
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
	if !n.lost {
		n.durable = n.live
	} else {
		for _, c := range n.pending {
			n.durable = c.apply(n.durable)
		}
	}
	for _, r := range n.renames {
		r.apply(n.kept)
	}
	n.pending, n.renames = nil, nil
}

// sectorSize is the unit in which a disk loses what it was writing.
const sectorSize = 512

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
	s.durable = n.durable
	if rng != nil {
		s.durable = tear(rng, s.durable, n.pending)
	}
	s.live = s.durable
	return s
}

// copy returns a node like this one as programs see it, durable.
func (n *node) copy(made map[*node]*node) *node {
	c := made[n]
	if c != nil {
		return c
	}
	c = &node{mode: n.mode, live: n.live, durable: n.live}
	made[n] = c
	if n.isDir() {
		c.names, c.kept = map[string]*node{}, map[string]*node{}
		for base, child := range n.names {
			c.names[base] = child.copy(made)
			c.kept[base] = c.names[base]
		}
	}
	return c
}

// tear applies a random part of the changes.
func tear(rng *rand.Rand, to content, pending []change) content {
	all := rng.IntN(4) // 0: everything arrives; 1: nothing; else: in part
	arrives := func() bool { return all == 0 || all > 1 && rng.IntN(2) == 0 }
	for _, c := range pending {
		if c.truncate || all == 0 {
			if arrives() {
				to = c.apply(to)
			}
			continue
		}
		end := c.offset + c.data.size
		for start := c.offset; start < end; {
			// As many sectors in a row as arrive.
			stop := start
			for stop < end && arrives() {
				stop = min(stop-stop%sectorSize+sectorSize, end)
			}
			to = to.overlay(c.offset, c.data, start-c.offset, stop-c.offset)
			start = min(stop-stop%sectorSize+sectorSize, end) // and one that doesn't
		}
	}
	if all > 1 && len(pending) > 0 && rng.IntN(4) == 0 {
		to = spoil(rng, to, pending[rng.IntN(len(pending))])
	}
	return to
}

// spoil fills one page that a write was for with noise.
func spoil(rng *rand.Rand, to content, c change) content {
	if c.data.size == 0 {
		return to
	}
	at := c.offset + rng.Int64N(c.data.size)
	start := min(at-at%pageSize, to.size)
	noise := make([]byte, min(pageSize, to.size-start))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	return to.write(start, noise)
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
