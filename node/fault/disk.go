// Package fault is a disk in memory that loses power, for tests of the rooms
// that promise durability. It keeps what the file layer's rules let it keep
// (node/ledger/disk) and no more:
//
//   - a write or a truncation may be lost, or arrive in part, until the file is
//     synced; a page that was being written may be spoilt as a whole;
//   - a name that was created, renamed or removed may be as it was before until
//     its folder is synced;
//   - after a sync of a file that failed, what it was for is lost although
//     reading still shows it, and a later sync doesn't bring it back.
//
// Killing a process can't show a missing fsync, because the page cache outlives
// the process; [Disk.PowerCut] can. Every call of Sync and SyncDir is known by
// its place in the source ([Disk.SyncSites]), and [Disk.IgnoreSync] makes one of
// them do nothing: a test that still passes then doesn't test that sync.
package fault

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/ledger/disk"
)

// ErrOff is what every operation gives once the machine is off or the process
// dead.
var ErrOff = errors.New("fault: the machine is off")

// Kind is what an operation does.
type Kind string

// The operations that change something or make it durable.
const (
	Create   Kind = "create"
	Mkdir    Kind = "mkdir"
	Write    Kind = "write"
	Truncate Kind = "truncate"
	Sync     Kind = "sync"
	SyncDir  Kind = "syncdir"
	Rename   Kind = "rename"
	Remove   Kind = "remove"
)

// Op is one operation.
type Op struct {
	Kind Kind
	Path string // slash-separated; the new one for Rename
	Site string // for Sync and SyncDir: where it was called
}

// Disk is one boot of a machine, or the life of one process on it. It
// implements [disk.FS].
type Disk struct {
	media *media

	// Guarded by media.mu.
	off     bool
	left    int // operations until it goes off; negative: never
	ops     int
	hook    func(Op) error
	ignored string
	sites   map[string]bool
}

// media is what the bytes lie on, in two states: what programs see, and what is
// left after a power cut.
type media struct {
	mu   sync.Mutex
	root *node
}

// New returns an empty disk.
func New() *Disk {
	return boot(&media{root: newDir(0o755)})
}

func boot(m *media) *Disk { return &Disk{media: m, left: -1, sites: map[string]bool{}} }

var _ disk.FS = (*Disk)(nil)

// StopAfter turns the machine off in the middle of the operation after the next
// n that change something or sync it.
func (d *Disk) StopAfter(n int) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	d.left = n
}

// Ops counts the operations that changed something or synced it.
func (d *Disk) Ops() int {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	return d.ops
}

// Hook is called before every operation that changes something or syncs it; an
// error makes the operation fail with it. A write that fails so has written the
// first half of its bytes. The hook must not use the disk.
func (d *Disk) Hook(hook func(Op) error) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	d.hook = hook
}

// IgnoreSync makes the syncs called at a site report success and do nothing.
func (d *Disk) IgnoreSync(site string) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	d.ignored = site
}

// SyncSites lists the places that have called Sync or SyncDir.
func (d *Disk) SyncSites() []string {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	return slices.Sorted(maps.Keys(d.sites))
}

// Kill ends the process: the old Disk and its files are off, and the new one
// sees everything that was written, synced or not.
func (d *Disk) Kill() *Disk {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	d.off = true
	return boot(d.media)
}

// Copy returns a machine of its own with everything that programs see on this
// one, all of it durable. It takes next to no memory.
func (d *Disk) Copy() *Disk {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	return boot(&media{root: d.media.root.copy(map[*node]*node{})})
}

// Content is the bytes of a file as programs see them.
func (d *Disk) Content(name string) ([]byte, error) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	n, err := d.find("read", name)
	if err != nil {
		return nil, err
	}
	return n.live.bytes(), nil
}

// SetContent replaces the bytes of a file behind everybody's back, durably: it
// is how a test damages a disk.
func (d *Disk) SetContent(name string, data []byte) error {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	n, err := d.find("write", name)
	if err != nil {
		return err
	}
	n.live, n.pending, n.lost = contentOf(data), nil, false
	n.durable = n.live
	return nil
}

// Poke writes over bytes of a file behind everybody's back, durably.
func (d *Disk) Poke(name string, offset int64, data []byte) error {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	n, err := d.find("write", name)
	if err != nil {
		return err
	}
	c := change{offset: offset, data: contentOf(data)}
	n.live, n.durable = c.apply(n.live), c.apply(n.durable)
	return nil
}

// begin admits an operation that changes or syncs something. It returns whether
// the operation has its effect, and the error that it gives. The caller holds
// the media's lock.
func (d *Disk) begin(op Op) (effect bool, err error) {
	if d.off {
		return false, ErrOff
	}
	d.ops++
	if d.left == 0 {
		d.off = true
		// What is being written when the power goes may get there; a sync that
		// is under way has promised nothing.
		return op.Kind != Sync && op.Kind != SyncDir, ErrOff
	}
	if d.left > 0 {
		d.left--
	}
	if d.hook != nil {
		if err := d.hook(op); err != nil {
			return false, err
		}
	}
	return true, nil
}

// split cuts a path into its elements.
func split(name string) []string {
	name = path.Clean("/" + filepath.ToSlash(strings.TrimPrefix(name, filepath.VolumeName(name))))
	if name == "/" {
		return nil
	}
	return strings.Split(name[1:], "/")
}

func slashed(name string) string { return "/" + strings.Join(split(name), "/") }

// find walks to a node. The caller holds the media's lock.
func (d *Disk) find(op, name string) (*node, error) {
	if d.off {
		return nil, &fs.PathError{Op: op, Path: name, Err: ErrOff}
	}
	n := d.media.root
	for _, element := range split(name) {
		if n = n.names[element]; n == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// parent finds the folder of a path and the last element.
func (d *Disk) parent(op, name string) (dir *node, base string, err error) {
	elements := split(name)
	if len(elements) == 0 {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	dir, err = d.find(op, path.Dir(slashed(name)))
	if err == nil && !dir.isDir() {
		err = &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return dir, elements[len(elements)-1], err
}

// OpenFile implements [disk.FS].
func (d *Disk) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, base, err := d.parent("open", name)
	if err != nil {
		return nil, err
	}
	n := dir.names[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case n != nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case n != nil && n.isDir():
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case n == nil:
		n = &node{mode: perm}
		if err := d.change(Create, name, dir, rename{to: base, node: n}); err != nil {
			return nil, err
		}
	}
	f := &file{disk: d, node: n, name: slashed(name), writable: flag&(os.O_WRONLY|os.O_RDWR) != 0}
	if flag&os.O_TRUNC != 0 && n.live.size > 0 {
		if err := f.truncate(0); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// change admits and does a change of names.
func (d *Disk) change(kind Kind, name string, dir *node, r rename) error {
	effect, err := d.begin(Op{Kind: kind, Path: slashed(name)})
	if effect {
		r.apply(dir.names)
		dir.renames = append(dir.renames, r)
	}
	if err != nil {
		return &fs.PathError{Op: string(kind), Path: name, Err: err}
	}
	return nil
}

// Mkdir implements [disk.FS].
func (d *Disk) Mkdir(name string, perm fs.FileMode) error {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, base, err := d.parent("mkdir", name)
	if err != nil {
		return err
	}
	if dir.names[base] != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	return d.change(Mkdir, name, dir, rename{to: base, node: newDir(perm)})
}

// ReadDir implements [disk.FS].
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, 0, len(dir.names))
	for _, base := range slices.Sorted(maps.Keys(dir.names)) {
		entries = append(entries, fs.FileInfoToDirEntry(dir.names[base].info(base)))
	}
	return entries, nil
}

// Stat implements [disk.FS].
func (d *Disk) Stat(name string) (fs.FileInfo, error) {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	n, err := d.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(slashed(name))), nil
}

// Rename implements [disk.FS], within one folder.
func (d *Disk) Rename(oldName, newName string) error {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, from, err := d.parent("rename", oldName)
	if err != nil {
		return err
	}
	other, to, err := d.parent("rename", newName)
	if err != nil {
		return err
	}
	n := dir.names[from]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	if dir != other {
		return &fs.PathError{Op: "rename", Path: newName, Err: errors.ErrUnsupported}
	}
	return d.change(Rename, newName, dir, rename{from: from, to: to, node: n})
}

// Remove implements [disk.FS].
func (d *Disk) Remove(name string) error {
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, base, err := d.parent("remove", name)
	if err != nil {
		return err
	}
	n := dir.names[base]
	if n == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	return d.change(Remove, name, dir, rename{from: base, node: n})
}

// SyncDir implements [disk.FS].
func (d *Disk) SyncDir(name string) error {
	site := callSite()
	d.media.mu.Lock()
	defer d.media.mu.Unlock()
	dir, err := d.find("sync", name)
	if err != nil {
		return err
	}
	return d.sync(Op{Kind: SyncDir, Path: slashed(name), Site: site}, dir)
}

// sync admits and does a sync of a file or folder.
func (d *Disk) sync(op Op, n *node) error {
	d.sites[op.Site] = true
	effect, err := d.begin(op)
	switch {
	case effect && op.Site != d.ignored:
		n.settle()
	case err != nil && !errors.Is(err, ErrOff):
		n.pending, n.lost = nil, n.lost || len(n.pending) > 0 // names are journalled, and aren't forgotten so silently
	}
	if err != nil {
		return &fs.PathError{Op: string(op.Kind), Path: op.Path, Err: err}
	}
	return nil
}

// file is an open file.
type file struct {
	disk     *Disk
	node     *node
	name     string
	writable bool
	closed   bool
}

// usable is why a file can't be used. The caller holds the media's lock.
func (f *file) usable(write bool) error {
	switch {
	case f.disk.off:
		return ErrOff
	case f.closed:
		return fs.ErrClosed
	case write && !f.writable:
		return fs.ErrPermission
	}
	return nil
}

// ReadAt implements [disk.File].
func (f *file) ReadAt(b []byte, offset int64) (int, error) {
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
	}
	n := f.node.live.read(b, offset)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements [disk.File].
func (f *file) WriteAt(b []byte, offset int64) (int, error) {
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if err := f.usable(true); err != nil {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	effect, err := f.disk.begin(Op{Kind: Write, Path: f.name})
	if err != nil && !errors.Is(err, ErrOff) {
		b, effect = b[:len(b)/2], true
	}
	if effect {
		f.node.do(change{offset: offset, data: contentOf(b)})
	}
	if err != nil {
		return len(b), &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	return len(b), nil
}

// Truncate implements [disk.File].
func (f *file) Truncate(size int64) error {
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if err := f.usable(true); err != nil {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: err}
	}
	return f.truncate(size)
}

func (f *file) truncate(size int64) error {
	effect, err := f.disk.begin(Op{Kind: Truncate, Path: f.name})
	if effect && size != f.node.live.size {
		f.node.do(change{offset: size, truncate: true})
	}
	if err != nil {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: err}
	}
	return nil
}

// Size implements [disk.File].
func (f *file) Size() (int64, error) {
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: f.name, Err: err}
	}
	return f.node.live.size, nil
}

// Sync implements [disk.File].
func (f *file) Sync() error {
	site := callSite()
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if err := f.usable(false); err != nil {
		return &fs.PathError{Op: "sync", Path: f.name, Err: err}
	}
	return f.disk.sync(Op{Kind: Sync, Path: f.name, Site: site}, f.node)
}

// Close implements [disk.File].
func (f *file) Close() error {
	f.disk.media.mu.Lock()
	defer f.disk.media.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return nil
}

// info describes a node.
func (n *node) info(name string) fs.FileInfo { return nodeInfo{name, n.mode, n.live.size} }

type nodeInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return time.Time{} }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return nil }
