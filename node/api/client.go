package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/parley-protocol/parley/protocol"
)

// Client speaks to a node over its socket.
type Client struct {
	http   *http.Client
	socket string
}

// NewClient speaks to the node that listens on the socket; nothing is opened
// before the first call.
func NewClient(socket string) *Client {
	dialer := &net.Dialer{}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// NewClientOver speaks to the node whose [Server.Handler] the transport leads to.
func NewClientOver(t http.RoundTripper) *Client {
	return &Client{socket: "none", http: &http.Client{Transport: t}}
}

// Path fills in the parts of a path, escaped.
func Path(format string, parts ...string) string {
	args := make([]any, len(parts))
	for i, p := range parts {
		args[i] = url.PathEscape(p)
	}
	return fmt.Sprintf(format, args...)
}

// Do sends in, nothing if nil, as JSON (or as it is, if it is []byte) and reads
// the answer into out: nil, a pointer, or an io.Writer. Refusals are
// [protocol.Error]s; no node on the socket is code not_running.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch to := out.(type) {
	case nil:
		return nil
	case io.Writer:
		if _, err := io.Copy(to, resp.Body); err != nil {
			return fmt.Errorf("the node's answer broke off: %w", err)
		}
		return nil
	default:
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return fmt.Errorf("the node's answer isn't understood: %w", err)
		}
		return nil
	}
}

// Stream reads JSON values of an endless answer until begun or each returns an
// error, or ctx ends, which is none. begun is called when the node has begun to
// answer.
func (c *Client) Stream(ctx context.Context, path string, begun func() error, each func(json.RawMessage) error) error {
	resp, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer resp.Body.Close()
	if err := begun(); err != nil {
		return err
	}
	dec := json.NewDecoder(resp.Body)
	for {
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return &protocol.Error{Code: protocol.CodeNotRunning, Detail: "the node stopped", Err: err}
		}
		if err := each(value); err != nil {
			return err
		}
	}
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var payload io.Reader
	contentType := "application/json"
	switch v := in.(type) {
	case nil:
	case []byte:
		payload, contentType = bytes.NewReader(v), "application/octet-stream"
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://parley"+path, payload)
	if err != nil {
		return nil, err
	}
	if payload != nil {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// explain tells a node that isn't there from other failures.
func (c *Client) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &protocol.Error{Code: protocol.CodeTimeout, Detail: "the node doesn't answer", Hint: "parley doctor", Err: err}
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &protocol.Error{Code: protocol.CodeNotRunning, Detail: "no node is running here (" + c.socket + ")", Hint: "parley up, or --home DIR for another node's folder", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &protocol.Error{Code: protocol.CodeNotPermitted, Detail: "this node belongs to somebody else (" + c.socket + ")", Hint: "--home DIR for one's own", Err: err}
	}
	return fmt.Errorf("the node doesn't answer: %w", err)
}

// refusal reads a problem.
func refusal(resp *http.Response) error {
	var p Problem
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || json.Unmarshal(text, &p) != nil || p.Code == "" {
		return fmt.Errorf("the node refused: %s", resp.Status)
	}
	return p.protocolError()
}
