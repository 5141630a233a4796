package config

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/parley-protocol/parley/protocol"
)

// Ports are looked for below the range that systems take for outgoing
// connections, so that the one that was free stays free between runs.
const (
	firstPort  = 10000
	portRange  = 22000
	portProbes = 200
)

// PinPorts replaces port 0 of the listen addresses by one port that is free for
// all of them, TCP and UDP alike: a node that is found at the same address after
// a restart. Addresses that don't exist here are left for the start to tell.
func (c *Config) PinPorts() error {
	zero := false
	for _, a := range c.Listen {
		zero = zero || withPort(a, 1) != a
	}
	if !zero {
		return nil
	}
	for range portProbes {
		port := firstPort + rand.IntN(portRange)
		pinned := make([]string, len(c.Listen))
		free := true
		for i, a := range c.Listen {
			pinned[i] = withPort(a, port)
			free = free && (pinned[i] == a || isFree(pinned[i]))
		}
		if free {
			c.Listen = pinned
			return nil
		}
	}
	return &protocol.Error{Code: protocol.CodeUsage, Field: "listen", Detail: "no free port was found", Hint: "name one: --listen /ip4/0.0.0.0/tcp/PORT"}
}

// withPort sets the port of a multiaddr if it is 0.
func withPort(addr string, port int) string {
	parts := strings.Split(addr, "/")
	for i := 1; i < len(parts); i++ {
		if (parts[i-1] == "tcp" || parts[i-1] == "udp") && parts[i] == "0" {
			parts[i] = strconv.Itoa(port)
		}
	}
	return strings.Join(parts, "/")
}

// isFree tells whether nobody else listens on /ip4|ip6/HOST/tcp|udp/PORT….
func isFree(addr string) bool {
	parts := strings.Split(addr, "/")
	if len(parts) < 5 {
		return true
	}
	at := net.JoinHostPort(parts[2], parts[4])
	var err error
	if parts[3] == "udp" {
		var conn net.PacketConn
		if conn, err = net.ListenPacket("udp", at); err == nil {
			err = conn.Close()
		}
	} else {
		var l net.Listener
		if l, err = net.Listen("tcp", at); err == nil {
			err = l.Close()
		}
	}
	return !errors.Is(err, syscall.EADDRINUSE)
}
