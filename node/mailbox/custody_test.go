package mailbox

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfReceipts(t *testing.T) {
	type receiptIn struct {
		Peer, Token, ID, Receipt vectors.Hex
		Until                    int64
	}
	vectorstest.Run(t, "custody-receipt", func(t *testing.T, c vectors.Case, in receiptIn) (any, string) {
		r := Receipt{Mailbox: peer.ID(in.Peer), ID: ID(in.ID), Until: time.Unix(in.Until, 0), Proof: in.Receipt}
		if err := r.Verify(Token(in.Token)); err != nil {
			return nil, string(protocol.CodeOf(err))
		}
		return map[string]any{"message": vectors.Hex(custodyMessage(Token(in.Token), ID(in.ID), in.Until))}, ""
	})
}

func TestVectorsOfStamps(t *testing.T) {
	type stampIn struct{ Peer, Token, ID, Stamp vectors.Hex }
	vectorstest.Run(t, "deposit-stamp", func(t *testing.T, c vectors.Case, in stampIn) (any, string) {
		return map[string]any{"bits": stampBits(peer.ID(in.Peer), Token(in.Token), ID(in.ID), in.Stamp)}, ""
	})
}

// TestReceiptsProveCustody: what the client returns convinces anybody who has the
// mailbox's peer ID; a mailbox that signs something else has stored nothing.
//
//spec:shows BOX-17
func TestReceiptsProveCustody(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{})
		seed := crypto.NewSealingSeed()
		client := NewClient(direct{hosts[1]}, nil, 0)
		receipt, err := leave(t, client, []string{addr(hosts[0])}, token(seed), letter(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := receipt.Verify(token(seed)); err != nil {
			t.Error(err)
		}
		if err := receipt.Verify(Token{1}); protocol.CodeOf(err) != protocol.CodeProofFailed {
			t.Errorf("for another token: %v", err)
		}
		for name, spoil := range map[string]func(r *request) Receipt{
			"of another token": func(r *request) Receipt {
				return Receipt{ID: IDOf(r.Envelope), Until: receipt.Until, Proof: receipt.Proof}
			},
			"of another time": func(r *request) Receipt {
				return Receipt{ID: IDOf(r.Envelope), Until: receipt.Until.Add(1e9), Proof: receipt.Proof}
			},
			"of another mailbox": func(r *request) Receipt { return receipt },
			"without a signature": func(r *request) Receipt {
				return Receipt{ID: IDOf(r.Envelope), Until: receipt.Until, Proof: make([]byte, 64)}
			},
		} {
			var asked atomic.Int64
			lie(hosts[2], &asked, func(r *request) []byte {
				a := spoil(r)
				return framed(must((&answer{Stored: a.ID, Until: a.Until.Unix(), Receipt: a.Proof}).encode(opDeposit)))
			})
			if r, err := leave(t, client, []string{addr(hosts[2])}, token(seed), letter(0)); protocol.CodeOf(err) != protocol.CodeProofFailed {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	})
}

// TestFloodedTokenAsksForWork: the owner is away, and others fill its box. Who has
// little to say gets through; what a flood gets costs more and more.
//
//spec:shows BOX-18 BOX-19
func TestFloodedTokenAsksForWork(t *testing.T) {
	const flooders = 4
	simulate(t, flooders+3, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], nil, Limits{DepositBurst: 1 << 30})
		seed := crypto.NewSealingSeed()
		lazy := func(h host.Host, i int) protocol.Code { // does no work
			return ask(t, h, hosts[0], must((&request{Op: opDeposit, Token: token(seed), Envelope: letter(i)}).encode()))
		}
		free, refused := 0, map[protocol.Code]int{}
		for i := range 2 * protocol.MaxTokenEnvelopes {
			if code := lazy(hosts[3+i%flooders], i); code == "" {
				free++
			} else {
				refused[code]++
			}
		}
		t.Logf("of a flood of %d from %d addresses, %d are kept without work; refused: %v", 2*protocol.MaxTokenEnvelopes, flooders, free, refused)
		if free != protocol.MaxTokenEnvelopes/4 || refused[protocol.CodeStampTooWeak] == 0 {
			t.Errorf("%d kept, refused %v", free, refused)
		}
		honest := 0
		for i := range 5 {
			if _, err := leave(t, NewClient(direct{hosts[1]}, nil, 0), []string{addr(hosts[0])}, token(seed), letter(1000+i)); err == nil {
				honest++
			}
		}
		t.Logf("of 5 honest deposits behind it, %d are kept", honest)
		if honest != 5 {
			t.Errorf("%d of 5 honest deposits", honest)
		}
		// What is there already needs no work: a retry costs nothing.
		if code := lazy(hosts[1], 1000); code != "" {
			t.Errorf("again: %s", code)
		}
		// The owner comes back and finds room at once.
		page, err := server.Pickup(t.Context(), token(seed), nil, 256, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Envelopes {
			if _, err := server.Remove(t.Context(), token(seed), e.ID); err != nil {
				t.Fatal(err)
			}
		}
		if code := lazy(hosts[2], 2000); code != "" {
			t.Errorf("when it is empty again: %s", code)
		}
	})
}

// TestOneDepositorsShare: however much work one address does, half of a token's
// room is left for others.
//
//spec:shows BOX-18
func TestOneDepositorsShare(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{DepositBurst: 1 << 30})
		kept := 0
		var err error
		for i := range 40 {
			big := make([]byte, protocol.MaxEnvelopeBytes)
			big[0] = byte(i)
			if _, err = leave(t, NewClient(direct{hosts[1]}, nil, 0), []string{addr(hosts[0])}, Token{1}, big); err != nil {
				break
			}
			kept++
		}
		if share := protocol.MaxTokenBytes / 2 / protocol.MaxEnvelopeBytes; kept != share || protocol.CodeOf(err) != protocol.CodeMailboxFull {
			t.Errorf("%d kept of at most %d, then %v", kept, share, err)
		}
		if _, err := leave(t, NewClient(direct{hosts[2]}, nil, 0), []string{addr(hosts[0])}, Token{1}, letter(0)); err != nil {
			t.Errorf("another depositor: %v", err)
		}
	})
}

// TestScarceRoomIsForOwners: a flood of made-up tokens takes three quarters of a
// mailbox and not the rest.
//
//spec:shows BOX-18
func TestScarceRoomIsForOwners(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		store := new(memory)
		serve(t, hosts[0], store, Limits{})
		seed := crypto.NewSealingSeed()
		recipient := NewClient(direct{hosts[2]}, nil, 0)
		if _, err := recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 1, 0); err != nil {
			t.Fatal(err)
		}
		sender := NewClient(direct{hosts[1]}, nil, 0)
		store.fill = 0.74
		if _, err := leave(t, sender, []string{addr(hosts[0])}, Token{1}, letter(0)); err != nil {
			t.Errorf("while there is room: %v", err)
		}
		store.fill = 0.76
		if _, err := leave(t, sender, []string{addr(hosts[0])}, Token{2}, letter(0)); protocol.CodeOf(err) != protocol.CodeOverQuota {
			t.Errorf("for nobody: %v", err)
		}
		if _, err := leave(t, sender, []string{addr(hosts[0])}, token(seed), letter(0)); err != nil {
			t.Errorf("for somebody who picks up: %v", err)
		}
	})
}

// TestClientDoesSoMuchWorkAndNoMore: a mailbox can't keep a sender's processor
// busy.
//
//spec:shows BOX-19
func TestClientDoesSoMuchWorkAndNoMore(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		for bits, want := range map[int]int{8: 2, protocol.MaxDepositStampBits + 1: 1, 0: 1} {
			var stamps [][]byte
			var asked atomic.Int64
			lie(hosts[0], &asked, func(r *request) []byte {
				stamps = append(stamps, r.Stamp)
				return framed(must((&answer{Code: protocol.CodeStampTooWeak, Bits: bits}).encode(opDeposit)))
			})
			if _, err := leave(t, NewClient(direct{hosts[1]}, nil, 0), []string{addr(hosts[0])}, Token{1}, letter(0)); protocol.CodeOf(err) != protocol.CodeStampTooWeak {
				t.Errorf("%d bits: %v", bits, err)
			}
			if int(asked.Load()) != want {
				t.Errorf("%d bits: asked %d times, want %d", bits, asked.Load(), want)
			}
			if last := stamps[len(stamps)-1]; want == 2 && stampBits(hosts[0].ID(), Token{1}, IDOf(letter(0)), last) < bits {
				t.Errorf("the stamp %x has less than %d bits", last, bits)
			}
		}
	})
}

//spec:shows BOX-20
func TestOpenMailboxesSaySo(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{})
		serve(t, hosts[1], nil, Limits{For: func(Token) bool { return false }})
		for i, want := range []bool{true, false} {
			s, err := func() (network.Stream, error) {
				if err := hosts[2].Connect(t.Context(), hostInfo(hosts[i])); err != nil {
					return nil, err
				}
				return hosts[2].NewStream(t.Context(), hosts[i].ID(), protocol.ProtocolMailboxOpen)
			}()
			if err == nil { // the answer is awaited lazily
				err = parley.WriteMessage(s, must((&request{Op: opDeposit, Token: Token{1}, Envelope: letter(0)}).encode()))
				if err == nil {
					_, _, err = parley.ReadMessage(s, maxAnswer)
				}
				s.Reset()
			}
			if (err == nil) != want {
				t.Errorf("mailbox %d: %v", i, err)
			}
		}
	})
}
