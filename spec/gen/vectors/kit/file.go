package kit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// File is a file of vectors.
type File struct {
	Path        string // below the folder of vectors
	Description string
	Kind        string
	Cases       []Case
}

// Case is one vector.
type Case struct {
	Name         string   `json:"name"`
	Musts        []string `json:"musts"`
	Note         string   `json:"note,omitempty"`
	In           Values   `json:"in"`
	Out          Values   `json:"out,omitempty"`
	Error        any      `json:"error,omitempty"` // a code or several
	Permutations bool     `json:"permutations,omitempty"`
}

// Values is an in or an out. Byte strings and IDs in it become text.
type Values map[string]any

// Add appends a case with an out.
func (f *File) Add(name string, musts []string, in, out Values) *Case {
	f.Cases = append(f.Cases, Case{Name: name, Musts: musts, In: in, Out: out})
	return &f.Cases[len(f.Cases)-1]
}

// Fail appends a case with an error: a code, or several of which any will do.
func (f *File) Fail(name string, musts []string, in Values, codes ...string) *Case {
	c := Case{Name: name, Musts: musts, In: in, Error: codes[0]}
	if len(codes) > 1 {
		c.Error = codes
	}
	f.Cases = append(f.Cases, c)
	return &f.Cases[len(f.Cases)-1]
}

// Musts is a list of requirements, for short.
func Musts(ids ...string) []string { return ids }

// MarshalJSON writes bytes as hex and IDs as text.
func (v Values) MarshalJSON() ([]byte, error) {
	return marshal(plain(map[string]any(v)))
}

func plain(value any) any {
	switch v := value.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case Block:
		return hex.EncodeToString(v)
	case ID:
		return v.String()
	case *ID:
		if v == nil {
			return nil
		}
		return v.String()
	case Values:
		return plain(map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, entry := range v {
			out[key] = plain(entry)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, entry := range v {
			out[i] = plain(entry)
		}
		return out
	case List:
		return plain([]any(v))
	default:
		return v
	}
}

// marshal is JSON without HTML's escapes.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// render is the file's text, a line for each case. It refuses what the format forbids.
func (f *File) render() ([]byte, error) {
	names := map[string]bool{}
	for _, c := range f.Cases {
		if names[c.Name] || c.Name == "" {
			return nil, fmt.Errorf("%s: the name %q is there twice", f.Path, c.Name)
		}
		names[c.Name] = true
		if len(c.Musts) == 0 {
			return nil, fmt.Errorf("%s: %s is about no requirement", f.Path, c.Name)
		}
		if (c.Out == nil) == (c.Error == nil) {
			return nil, fmt.Errorf("%s: %s has not just one of out and error", f.Path, c.Name)
		}
	}
	description, err := marshal(f.Description)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n\"description\": %s,\n\"kind\": %q,\n\"cases\": [", description, f.Kind)
	for i, c := range f.Cases {
		line, err := marshal(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", f.Path, c.Name, err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
	}
	out.WriteString("\n]\n}\n")
	return out.Bytes(), nil
}

// folder is where the vectors are, as seen from a generator's own folder.
var folder = filepath.Join("..", "..", "..", "vectors")

// Main writes a generator's files and ends the program.
func Main(files []File) {
	if err := write(files); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func write(files []File) error {
	for _, f := range files {
		text, err := f.render()
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Stale is nil if the files in the folder of vectors are those that the
// generator gives, and the chapters' folders have no others.
func Stale(files []File, chapters ...string) error {
	var problems []error
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
		want, err := f.render()
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(got, want) {
			problems = append(problems, fmt.Errorf("%s is not what its generator gives; run go generate", f.Path))
		}
	}
	for _, chapter := range chapters {
		found, err := fs.Glob(os.DirFS(folder), chapter+"/*")
		if err != nil {
			return err
		}
		for _, path := range found {
			if !slices.Contains(paths, path) {
				problems = append(problems, fmt.Errorf("%s has no generator", path))
			}
		}
	}
	return errors.Join(problems...)
}
