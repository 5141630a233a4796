package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Profile is how Badger is opened here, for measurements that open a folder
// themselves: for a person's machine, with small tables, small caches and no
// statistics. Badger's defaults take gigabytes of sparse files.
func Profile(dir string, o Options) badger.Options {
	p := badger.DefaultOptions(dir).
		WithLogger(badgerLog{o.Logger}).
		WithMemTableSize(8 << 20).
		WithNumMemtables(2).
		WithValueLogFileSize(32 << 20).
		WithValueThreshold(1 << 20). // values stay in the LSM tree: see the package's comment
		WithNumCompactors(2).
		WithNumGoroutines(2).
		WithMetricsEnabled(false).
		WithDetectConflicts(false). // there is one writer at a time
		WithCompression(options.Snappy).
		WithBlockCacheSize(8 << 20).
		WithIndexCacheSize(0). // indexes are mapped
		WithChecksumVerificationMode(options.OnBlockRead)
	if o.Key != nil {
		// Badger keeps the indexes of encrypted tables in this cache only: it is
		// to hold all of them, at about 20 bytes for each block of 4 KiB.
		p = p.WithEncryptionKey(o.Key[:]).WithIndexCacheSize(8 << 20)
	}
	if o.InMemory {
		p = p.WithInMemory(true).WithDir("").WithValueDir("")
	}
	return p
}

// badgerLog hands Badger's messages on, each a level lower than Badger thinks:
// its news are for those who look for trouble.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(f string, a ...any)   { l.write(slog.LevelError, f, a) }
func (l badgerLog) Warningf(f string, a ...any) { l.write(slog.LevelInfo, f, a) }
func (l badgerLog) Infof(f string, a ...any)    { l.write(slog.LevelDebug, f, a) }
func (l badgerLog) Debugf(f string, a ...any)   { l.write(slog.LevelDebug-4, f, a) }

func (l badgerLog) write(level slog.Level, format string, args []any) {
	if l.log == nil {
		return
	}
	l.log.Log(context.Background(), level, "badger", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
}
