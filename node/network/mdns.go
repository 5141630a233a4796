package network

import (
	"context"
	"io"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// mdnsService is the tag of the local discovery: nodes of other libp2p networks
// on the same LAN neither see nor are seen.
const mdnsService = "_parley-1._udp"

// maxFound is how many nodes found on the LAN are dialled at once. Those beyond
// are announced again.
const maxFound = 8

// finder dials the nodes that local discovery finds.
type finder struct {
	n     *Network
	slots chan struct{}
}

func startMDNS(n *Network) (io.Closer, error) {
	service := mdns.NewMdnsService(n.host, mdnsService, &finder{n: n, slots: make(chan struct{}, maxFound)})
	if err := service.Start(); err != nil {
		service.Close()
		return nil, err
	}
	return service, nil
}

// HandlePeerFound is called by the discovery in a goroutine of its own.
func (f *finder) HandlePeerFound(info peer.AddrInfo) {
	select {
	case f.slots <- struct{}{}:
	default:
		return
	}
	defer func() { <-f.slots }()
	if !isEd25519(info.ID) {
		return
	}
	f.n.NoteOrigin(info.ID, OriginLocal)
	ctx, cancel := context.WithTimeout(f.n.ctx, f.n.cfg.DialTimeout)
	defer cancel()
	// A node that can't be reached announces itself again; there is nobody to tell.
	_ = f.n.host.Connect(ctx, info)
}
