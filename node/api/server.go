package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/home"
)

// Server is the local interface of one node.
type Server struct {
	node    *node.Node
	version string
	now     func() int64
	http    *http.Server
	api     huma.API
	done    chan struct{}
	cancel  context.CancelFunc
}

// MaxBody is the largest request that is read: an archive, for an import.
const MaxBody = 80 << 20

// NewServer makes the interface of a node that has been started.
func NewServer(n *node.Node, version string) *Server {
	s := &Server{node: n, version: version, now: func() int64 { return time.Now().Unix() }, done: make(chan struct{})}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Parley", "1")
	config.Info.Description = "The local interface of a Parley node."
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema links in the answers
	config.Transformers = append(config.Transformers, problems)
	s.api = humago.New(mux, config)
	s.routes()
	// What the HTTP layer itself refuses is made a problem, too.
	schemas := s.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	base, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	return s
}

// OpenAPI is the description of the interface, as YAML.
func (s *Server) OpenAPI() ([]byte, error) { return s.api.OpenAPI().YAML() }

// Handler answers the same without a socket, for a program that has the node in
// its own process: see [NewClientOver].
func (s *Server) Handler() http.Handler { return s.http.Handler }

func (s *Server) desk() *desk.Desk { return s.node.Desk }

// Start listens on the home's socket, which only its owner can open.
func (s *Server) Start(ctx context.Context) error {
	path := s.node.Home().Socket()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return home.Explain(err, filepath.Dir(path))
	}
	// The home is locked, so a socket that is there is a dead node's.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return home.Explain(err, path)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("the socket %s: %w", path, home.Explain(err, path))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(home.Explain(err, path), l.Close())
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // ends with Close, always with an error
	}()
	return nil
}

// Close lets requests under way end, for a few seconds.
func (s *Server) Close() error {
	s.cancel() // streams of events end now
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	<-s.done
	return err
}

// handle registers one operation; its errors become problems.
func handle[I, O any](s *Server, method, path, id, summary string, f func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, s.operation(method, path, id, summary, ""), func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// handleFile registers an operation whose answer is a file.
func handleFile(s *Server, path, id, summary, contentType string, f func(context.Context, *byID) (*blob, error)) {
	huma.Register(s.api, s.operation(http.MethodGet, path, id, summary, contentType), func(ctx context.Context, in *byID) (*blob, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// handleStream registers an operation that writes its answer bit by bit.
func handleStream(s *Server, path, id, summary, contentType string, f func(huma.Context)) {
	huma.Register(s.api, s.operation(http.MethodGet, path, id, summary, contentType), func(context.Context, *none) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: f}, nil
	})
}

// operation describes an operation; contentType is that of an answer that isn't
// JSON.
func (s *Server) operation(method, path, id, summary, contentType string) huma.Operation {
	problem := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: MaxBody, Responses: map[string]*huma.Response{
		"default": {Description: "A refusal or failure", Content: map[string]*huma.MediaType{problemType: {Schema: problem}}},
	}}
	if contentType != "" {
		op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	return op
}

// The shapes that huma wants around inputs and outputs.
type (
	none struct{}
	byID struct {
		ID string `path:"id"`
	}
	with[B any] struct{ Body B }
	blob        struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
)

func body[B any](b B) *with[B] { return &with[B]{b} }

// list is what lists are wrapped in, so that they can gain keys.
type list[T any] struct {
	Items  []T    `json:"items"`
	Cursor string `json:"cursor,omitempty" doc:"Give it back to go on after the last item"`
}

func items[T any](in []T) *with[list[T]] {
	if in == nil {
		in = []T{}
	}
	return body(list[T]{Items: in})
}
