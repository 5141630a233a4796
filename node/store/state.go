package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// schema is the version of keys and rows. A change that an older program would
// misread raises it.
const schema = 2

// stateFile tells, before Badger touches the folder, what is in it.
const stateFile = "view.json"

// state is the content of the state file.
type state struct {
	Schema int  `json:"schema"`
	Open   bool `json:"open"` // set while a process has the folder open: still set means that it didn't close
}

// readState reads the state of a folder; found is false for an empty one.
func readState(dir string) (st state, found bool, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Join(dir, "MANIFEST")); err == nil {
			return st, false, &RebuildError{Dir: dir, Reason: FolderDamaged, Err: fmt.Errorf("%s is missing", stateFile)}
		}
		return st, false, nil
	case err != nil:
		return st, false, fmt.Errorf("store: read the state: %w", err)
	}
	// The file is small and has no checksum: it is as it was written, or damaged.
	err = json.Unmarshal(raw, &st)
	if again, _ := json.Marshal(st); err != nil || st.Schema < 1 || st.Schema <= schema && string(raw) != string(again)+"\n" {
		return st, false, &RebuildError{Dir: dir, Reason: FolderDamaged, Err: fmt.Errorf("%s is not readable", stateFile)}
	}
	switch {
	case st.Schema > schema:
		return st, false, &NewerSchemaError{Dir: dir, Found: st.Schema, Known: schema}
	case st.Schema < schema:
		return st, false, &RebuildError{Dir: dir, Reason: SchemaOlder}
	}
	return st, true, nil
}

// writeState replaces the state file. It is synced: a folder that wasn't closed
// must not look as if it were.
func writeState(dir string, st state) (err error) {
	raw, err := json.Marshal(st)
	if err != nil {
		return err
	}
	temp := filepath.Join(dir, stateFile+".new")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("store: write the state: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, stateFile))
	}
	if err != nil {
		return fmt.Errorf("store: write the state: %w", err)
	}
	return nil
}

// Drop removes the view's files in dir and leaves all others. It is for a
// folder that [Open] has refused with a [*RebuildError], and gives the code
// "locked" if a process has it open.
func Drop(dir string) error {
	lock, err := lockFolder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	for _, pattern := range []string{
		// The state goes last: without it a half-removed folder is refused.
		"*.sst", "*.mem", "*.vlog", "DISCARD", "KEYREGISTRY", "REWRITE-KEYREGISTRY", "LOCK",
		"MANIFEST-REWRITE", "MANIFEST", stateFile + ".new", stateFile,
	} {
		names, err := filepath.Glob(filepath.Join(escapeGlob(dir), pattern))
		if err != nil {
			return fmt.Errorf("store: drop: %w", err)
		}
		for _, name := range names {
			if err := os.Remove(name); err != nil {
				return fmt.Errorf("store: drop: %w", err)
			}
		}
	}
	return nil
}
