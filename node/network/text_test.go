package network

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

const (
	ed25519Peer   = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
	relayPeer     = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	thirdPeer     = "12D3KooWNvSZnPi3RrhrTwEY4LuuBeB6K6facKUCJcyWG1aoDd2p"
	secp256k1Peer = "16Uiu2HAmKtTtRJXFBLi3WCZTmA8FXmBbsvSRHrYwGXnKyx4ccjeV"
	rsaPeer       = "QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"
)

func TestParsePeer(t *testing.T) {
	for _, text := range []string{
		"/ip4/192.0.2.1/tcp/4001/p2p/" + ed25519Peer,
		"/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + ed25519Peer,
		"/ip6/2001:db8::1/udp/4001/quic-v1/p2p/" + ed25519Peer,
		"/ip6zone/eth0/ip6/fe80::1/tcp/4001/p2p/" + ed25519Peer,
		"/dns/node.example/tcp/4001/p2p/" + ed25519Peer,
		"/ip4/192.0.2.1/tcp/4001/p2p/" + relayPeer + "/p2p-circuit/p2p/" + ed25519Peer,
		"/dns/relay.example/udp/4001/quic-v1/p2p/" + relayPeer + "/p2p-circuit/p2p/" + ed25519Peer,
		"/ip4/10.0.0.7/tcp/4001/p2p/" + ed25519Peer,
	} {
		info, err := ParsePeer(text)
		if err != nil || info.ID.String() != ed25519Peer || len(info.Addrs) != 1 {
			t.Errorf("%s: %v, %v", text, info, err)
		}
	}
	for name, text := range map[string]string{
		"empty":            "",
		"no peer":          "/ip4/192.0.2.1/tcp/4001",
		"no address":       "/p2p/" + ed25519Peer,
		"no transport":     "/ip4/192.0.2.1/p2p/" + ed25519Peer,
		"plain UDP":        "/ip4/192.0.2.1/udp/4001/p2p/" + ed25519Peer,
		"websocket":        "/ip4/192.0.2.1/tcp/443/ws/p2p/" + ed25519Peer,
		"webtransport":     "/ip4/192.0.2.1/udp/443/quic-v1/webtransport/p2p/" + ed25519Peer,
		"its own relay":    "/ip4/192.0.2.1/tcp/4001/p2p/" + ed25519Peer + "/p2p-circuit/p2p/" + ed25519Peer,
		"no relay":         "/p2p-circuit/p2p/" + ed25519Peer,
		"relay unknown":    "/ip4/192.0.2.1/tcp/4001/p2p-circuit/p2p/" + ed25519Peer,
		"relay nowhere":    "/p2p/" + relayPeer + "/p2p-circuit/p2p/" + ed25519Peer,
		"relay of relay":   "/ip4/192.0.2.1/tcp/1/p2p/" + relayPeer + "/p2p-circuit/p2p/" + thirdPeer + "/p2p-circuit/p2p/" + ed25519Peer,
		"relay with RSA":   "/ip4/192.0.2.1/tcp/1/p2p/" + rsaPeer + "/p2p-circuit/p2p/" + ed25519Peer,
		"no peer behind":   "/ip4/192.0.2.1/tcp/1/p2p/" + relayPeer + "/p2p-circuit",
		"behind a circuit": "/ip4/192.0.2.1/tcp/1/p2p/" + relayPeer + "/p2p-circuit/ip4/192.0.2.2/tcp/1/p2p/" + ed25519Peer,
		"dnsaddr":          "/dnsaddr/node.example/p2p/" + ed25519Peer,
		"unix":             "/unix/tmp/x/p2p/" + ed25519Peer,
		"secp256k1":        "/ip4/192.0.2.1/tcp/4001/p2p/" + secp256k1Peer,
		"RSA":              "/ip4/192.0.2.1/tcp/4001/p2p/" + rsaPeer,
		"something after":  "/ip4/192.0.2.1/tcp/4001/p2p/" + ed25519Peer + "/tcp/1",
		"too long":         "/dns/" + strings.Repeat("a", 250) + "/tcp/4001/p2p/" + ed25519Peer,
	} {
		if info, err := ParsePeer(text); protocol.CodeOf(err) != protocol.CodeBadField {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestParsePeersGroups(t *testing.T) {
	infos, err := ParsePeers([]string{
		"/ip4/192.0.2.1/tcp/1/p2p/" + ed25519Peer,
		"/ip4/192.0.2.1/udp/1/quic-v1/p2p/" + ed25519Peer,
		"/ip4/192.0.2.1/tcp/1/p2p/" + ed25519Peer,
	})
	if err != nil || len(infos) != 1 || len(infos[0].Addrs) != 2 {
		t.Errorf("%v, %v", infos, err)
	}
}

func TestValidMarket(t *testing.T) {
	for _, name := range []string{"a", "home", "sport-hobby", "home/berlin", "a1-b2-c3/d4", strings.Repeat("a", 64)} {
		if !ValidMarket(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "-", "/", "a-", "-a", "a--b", "a/", "/a", "a//b", "a/b/c", "a-/b", "a/-b", "A", "ä", "a b", "a_b", strings.Repeat("a", 65)} {
		if ValidMarket(name) {
			t.Errorf("%q is taken", name)
		}
	}
}

func sampleInvite() Invite {
	return Invite{
		Addrs:   []string{"/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + ed25519Peer, "/dns/node.example/tcp/4001/p2p/" + ed25519Peer},
		Markets: []string{"home", "food/berlin"},
		Name:    "Ada's node",
	}
}

func TestInviteComesBack(t *testing.T) {
	for _, invite := range []Invite{sampleInvite(), {Addrs: sampleInvite().Addrs[:1]}} {
		link, err := EncodeInvite(invite)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeInvite(" " + link + "\n")
		if err != nil || !reflect.DeepEqual(got, invite) {
			t.Errorf("%+v, %v; want %+v", got, err, invite)
		}
	}
}

func TestInviteRefusesTypos(t *testing.T) {
	link, err := EncodeInvite(sampleInvite())
	if err != nil {
		t.Fatal(err)
	}
	for i := len(inviteScheme); i < len(link); i++ {
		c := byte('A')
		if link[i] == c {
			c = 'B'
		}
		if _, err := DecodeInvite(link[:i] + string(c) + link[i+1:]); err == nil {
			t.Errorf("a typo at %d passes", i)
		}
		if _, err := DecodeInvite(link[:i]); err == nil {
			t.Errorf("a link cut at %d passes", i)
		}
	}
	for _, bad := range []string{"", "parley://join/", "https://example.com/", link + "=", link[:40] + "\n" + link[40:], link + strings.Repeat("A", MaxInvite)} {
		if _, err := DecodeInvite(bad); err == nil {
			t.Errorf("%.60q passes", bad)
		}
	}
}

func TestInviteRefusesContents(t *testing.T) {
	for name, spoil := range map[string]func(*Invite){
		"no address":      func(i *Invite) { i.Addrs = nil },
		"many addresses":  func(i *Invite) { i.Addrs = make([]string, MaxInviteAddrs+1) },
		"address no peer": func(i *Invite) { i.Addrs = []string{"/ip4/192.0.2.1/tcp/1"} },
		"bad market":      func(i *Invite) { i.Markets = []string{"Home"} },
		"many markets":    func(i *Invite) { i.Markets = make([]string, MaxInviteMarkets+1) },
		"long name":       func(i *Invite) { i.Name = strings.Repeat("a", MaxInviteName+1) },
		"escape in name":  func(i *Invite) { i.Name = "\x1b[2J" },
	} {
		invite := sampleInvite()
		spoil(&invite)
		if _, err := EncodeInvite(invite); err == nil {
			t.Errorf("%s: encodes", name)
		}
		// Somebody else's program may write it all the same.
		body := map[string]any{"addrs": texts(invite.Addrs), "markets": texts(invite.Markets), "name": invite.Name}
		block, err := codec.Encode(body)
		if err != nil {
			t.Fatal(err)
		}
		link := inviteScheme + base64.RawURLEncoding.EncodeToString(append(block, checksum(block)...))
		if _, err := DecodeInvite(link); err == nil {
			t.Errorf("%s: decodes", name)
		}
	}
}

func FuzzParsePeer(f *testing.F) {
	fuzzing.Each(f, "name", func(in struct{ Form, Text string }) {
		if in.Form == "address" {
			f.Add(in.Text)
		}
	})
	f.Fuzz(func(t *testing.T, text string) {
		var info peer.AddrInfo
		var err error
		fuzzing.Bounded(t, len(text), func() { info, err = ParsePeer(text) })
		if err != nil {
			if protocol.CodeOf(err) != protocol.CodeBadField {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again := info.Addrs[0].String() + "/p2p/" + info.ID.String()
		if back, err := ParsePeer(again); err != nil || back.ID != info.ID || !back.Addrs[0].Equal(info.Addrs[0]) {
			t.Fatalf("%q was read and written as %q, which is %v, %v", text, again, back, err)
		}
	})
}

func FuzzDecodeInvite(f *testing.F) {
	link, err := EncodeInvite(sampleInvite())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(link)
	f.Add("parley://join/oWVhZGRyc4A")
	fuzzing.Each(f, "invite", func(in struct{ Link string }) { f.Add(in.Link) })
	f.Fuzz(func(t *testing.T, link string) {
		var invite Invite
		var err error
		fuzzing.Bounded(t, len(link), func() { invite, err = DecodeInvite(link) })
		if err != nil {
			return
		}
		again, err := EncodeInvite(invite)
		if err != nil {
			t.Fatalf("%+v was read and can't be written: %v", invite, err)
		}
		if back, err := DecodeInvite(again); err != nil || !reflect.DeepEqual(back, invite) {
			t.Fatalf("%+v came back as %+v, %v", invite, back, err)
		}
	})
}
