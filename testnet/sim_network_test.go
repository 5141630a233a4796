package testnet_test

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"
)

// wires is a simulated network inside one synctest bubble: every machine has an
// IP address of its own, packets take a while, and a partition lets none across.
// Nothing of it is lost on the way otherwise, and nothing is limited in rate.
type wires struct {
	router simnet.VariableLatencyRouter
	closed chan struct{}
	work   sync.WaitGroup

	mu    sync.Mutex
	sides map[netip.Addr]int // of a partition; nil: none
	dark  map[netip.Addr]bool
}

// newWires makes a network in which a packet takes as long as delay says.
func newWires(delay func(from, to net.Addr) time.Duration) *wires {
	w := &wires{closed: make(chan struct{}), dark: map[netip.Addr]bool{}}
	w.router.LatencyFunc = func(p *simnet.Packet) time.Duration { return delay(p.From, p.To) }
	w.router.CloseSignal = w.closed
	w.router.Start(&w.work)
	return w
}

func (w *wires) close() {
	close(w.closed)
	w.work.Wait()
}

// RecvPacket is [simnet.PacketReceiver]: what a machine sends.
func (w *wires) RecvPacket(p *simnet.Packet) {
	from, to := addressOf(p.From), addressOf(p.To)
	p.To = udpAddr(to, p.To.(*net.UDPAddr).Port) // the router knows the short form only
	w.mu.Lock()
	cut := w.dark[from] || w.dark[to] || w.sides != nil && w.sides[from] != w.sides[to]
	w.mu.Unlock()
	if !cut {
		w.router.RecvPacket(p)
	}
}

func addressOf(a net.Addr) netip.Addr { return a.(*net.UDPAddr).AddrPort().Addr().Unmap() }

func udpAddr(ip netip.Addr, port int) *net.UDPAddr {
	return &net.UDPAddr{IP: net.IP(ip.AsSlice()), Port: port}
}

// partition parts the machines by the side that each is on, until heal.
func (w *wires) partition(sides map[netip.Addr]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sides = sides
}

func (w *wires) heal() { w.partition(nil) }

// darken pulls one machine's plug, or puts it in again.
func (w *wires) darken(ip netip.Addr, dark bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dark[ip] = dark
}

// machine is one end of the network: an IP address and what it has open there.
type machine struct {
	w  *wires
	ip netip.Addr

	mu   sync.Mutex
	port int
	open map[*socket]bool
	past simnet.ConnStats // of the sockets that are closed
}

// socket is one UDP socket of a machine.
type socket struct {
	*simnet.SimConn
	m *machine
}

// machine makes the i-th machine. No two are in the same /16: nodes trust a
// neighbourhood no further than a single machine.
func (w *wires) machine(i int) *machine {
	ip := netip.AddrFrom4([4]byte{byte(60 + i%40), byte(i / 40), 7, 1})
	return &machine{w: w, ip: ip, port: 20000, open: map[*socket]bool{}}
}

// listen opens a socket; whichever IP address is asked for, it is the machine's,
// and port 0 is a free one.
func (m *machine) listen(_ string, at *net.UDPAddr) (net.PacketConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	port := at.Port
	if port == 0 {
		m.port++
		port = m.port
	}
	addr := udpAddr(m.ip, port)
	s := &socket{SimConn: simnet.NewSimConn(addr), m: m}
	s.SetUpPacketReceiver(m.w)
	m.w.router.AddNode(addr, s.SimConn)
	m.open[s] = true
	return s, nil
}

// Close takes the socket off the network.
func (s *socket) Close() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.open[s] {
		s.m.w.router.RemoveNode(s.UnicastAddr())
		add(&s.m.past, s.Stats())
		delete(s.m.open, s)
	}
	return s.SimConn.Close()
}

// traffic is what the machine has sent and received so far, in UDP payloads.
func (m *machine) traffic() simnet.ConnStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.past
	for s := range m.open {
		add(&all, s.Stats())
	}
	return all
}

func add(to *simnet.ConnStats, s simnet.ConnStats) {
	to.BytesSent += s.BytesSent
	to.BytesRcvd += s.BytesRcvd
	to.PacketsSent += s.PacketsSent
	to.PacketsRcvd += s.PacketsRcvd
}

// PreferredSourceIPForDestination is [quicreuse.SourceIPSelector].
func (m *machine) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) {
	return net.IP(m.ip.AsSlice()), nil
}

// options put libp2p hosts on the machine. Nothing of the real network is used.
func (m *machine) options() []libp2p.Option {
	reuse := []quicreuse.Option{
		quicreuse.OverrideListenUDP(m.listen),
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return m, nil }),
	}
	return []libp2p.Option{
		// Asking others for one's own address stalls in a bubble.
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.QUICReuse(func(l fx.Lifecycle, reset quic.StatelessResetKey, token quic.TokenGeneratorKey, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
			cm, err := quicreuse.NewConnManager(reset, token, opts...)
			if err == nil { // one that a host was given it doesn't close by itself
				l.Append(fx.StopHook(cm.Close))
			}
			return cm, err
		}, reuse...),
	}
}
