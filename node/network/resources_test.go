package network

import (
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

// A person has a connection for each deal with the mailbox that many share, and
// nobody else's mail waits for that.
func TestConnectionsOfOneAddress(t *testing.T) {
	const perAddress = 64
	mailbox, err := newResources(128<<20, 512, perAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer mailbox.Close()
	courier, err := newCourierResources(perAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer courier.Close()
	open := func(m network.ResourceManager, dir network.Direction, from string) error {
		scope, err := m.OpenConnection(dir, false, ma.StringCast(from))
		if err == nil {
			t.Cleanup(scope.Done)
		}
		return err
	}
	at := func(ip string, i int) string { return fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", ip, 2000+i) }
	for i := range perAddress {
		if err := open(mailbox, network.DirInbound, at("61.7.7.1", i)); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if err := open(courier, network.DirOutbound, at("62.7.7.1", 0)); err != nil {
			t.Fatalf("host %d: %v", i, err)
		}
	}
	if open(mailbox, network.DirInbound, at("61.7.7.1", perAddress)) == nil {
		t.Error("there is no end to one address's connections")
	}
	if err := open(mailbox, network.DirInbound, at("61.7.7.2", 0)); err != nil {
		t.Errorf("another address: %v", err)
	}
	if err := open(mailbox, network.DirInbound, "/ip6/2a00:1:2:3::1/udp/2000/quic-v1"); err != nil {
		t.Errorf("an IPv6 address: %v", err)
	}
}
