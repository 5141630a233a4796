// Package vectors carries the test vectors of the specification, as they were
// when the program was built, and reads their files. README.md in its folder
// has the format. It imports nothing of the project, so that any program can be
// tested with it.
package vectors

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
)

// FS holds the files, <chapter>/<name>.json.
//
//go:embed */*.json
var FS embed.FS

// File is one file of vectors.
type File struct {
	Path        string `json:"-"`
	Description string `json:"description"`
	Kind        string `json:"kind"`
	Cases       []Case `json:"cases"`
}

// Case is one vector: what is given, and what must come of it.
type Case struct {
	Name         string          `json:"name"`
	Musts        []string        `json:"musts"` // requirements that it is about
	Note         string          `json:"note"`
	In           json.RawMessage `json:"in"`
	Out          json.RawMessage `json:"out"`   // nil where it must fail
	Error        Codes           `json:"error"` // empty where it must not
	Permutations bool            `json:"permutations"`
}

// Codes is the codes of which a failure may have any.
type Codes []string

// UnmarshalJSON reads one code or an array of them.
func (c *Codes) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*c = Codes{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(c))
}

// Hex is bytes that are hex in JSON.
type Hex []byte

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// MarshalText writes hex.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// All is every file, sorted by path.
func All() ([]File, error) {
	paths, err := fs.Glob(FS, "*/*.json")
	if err != nil {
		return nil, err
	}
	files := make([]File, len(paths))
	for i, path := range paths {
		text, err := fs.ReadFile(FS, path)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &files[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files[i].Path = path
	}
	return files, nil
}

// Of is the files of a kind.
func Of(kind string) ([]File, error) {
	all, err := All()
	var files []File
	for _, f := range all {
		if f.Kind == kind {
			files = append(files, f)
		}
	}
	return files, err
}

// Expected is the case's out as JSON has it.
func (c Case) Expected() (out map[string]any, err error) {
	if c.Out == nil {
		return map[string]any{}, nil
	}
	return out, json.Unmarshal(c.Out, &out)
}
