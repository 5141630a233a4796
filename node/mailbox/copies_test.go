package mailbox

import (
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

// TestCopiesOfADelivery: two of the recipient's mailboxes get a copy, it comes out
// once, and neither keeps it.
//
//spec:shows BOX-14 BOX-21
func TestCopiesOfADelivery(t *testing.T) {
	simulate(t, 5, func(t *testing.T, hosts []host.Host) {
		var boxes []string
		var servers []*Server
		for _, h := range hosts[:3] {
			boxes = append(boxes, addr(h))
			servers = append(servers, serve(t, h, nil, Limits{}))
		}
		seed := crypto.NewSealingSeed()
		sender := NewClient(direct{hosts[3]}, nil, 0)
		kept, err := sender.Deposit(t.Context(), "p", boxes, token(seed), letter(0), 2)
		if err != nil || len(kept) != 2 {
			t.Fatalf("%+v, %v", kept, err)
		}
		have := func() (n int) {
			for _, s := range servers {
				page, err := s.Pickup(t.Context(), token(seed), nil, 10, 0)
				if err != nil {
					t.Fatal(err)
				}
				n += len(page.Envelopes)
			}
			return n
		}
		if n := have(); n != 2 {
			t.Errorf("%d copies lie there, want 2", n)
		}
		in := receive(t, NewClient(direct{hosts[4]}, nil, 0), seed, nil, boxes...)
		in.next(t, time.Minute)
		time.Sleep(10 * time.Second)
		if len(in.got) != 0 || have() != 0 {
			t.Errorf("%d more came, %d copies stay behind", len(in.got), have())
		}
		// A sender that hears nothing leaves it again: it must come again, to be
		// answered again.
		time.Sleep(time.Minute)
		if _, err := sender.Deposit(t.Context(), "p", boxes, token(seed), letter(0), 3); err != nil {
			t.Fatal(err)
		}
		in.next(t, time.Minute)
		time.Sleep(10 * time.Second)
		if len(in.got) != 0 || have() != 0 {
			t.Errorf("the second time: %d more came, %d copies stay behind", len(in.got), have())
		}
	})
}

// TestBadMailboxesAreSurvived: of three mailboxes two are bad, each in one way,
// and of the letters all come.
//
//spec:shows BOX-14
func TestBadMailboxesAreSurvived(t *testing.T) {
	const letters = 6
	full := protocol.Errorf(protocol.CodeMailboxFull, "", "full")
	for name, spoil := range map[string]func(t *testing.T, h host.Host){
		"vanished": func(*testing.T, host.Host) {},
		"full":     func(t *testing.T, h host.Host) { serve(t, h, &memory{fail: full}, Limits{}) },
		// It acknowledges as it should, and gives nothing out.
		"withholding": func(t *testing.T, h host.Host) { liar(t, h, func(*answer) *answer { return &answer{} }) },
		"corrupting": func(t *testing.T, h host.Host) {
			liar(t, h, func(a *answer) *answer {
				for i := range a.Envelopes {
					a.Envelopes[i].Bytes = append([]byte{1}, a.Envelopes[i].Bytes...)
				}
				return a
			})
		},
		"reordering": func(t *testing.T, h host.Host) {
			liar(t, h, func(a *answer) *answer {
				for i, j := 0, len(a.Envelopes)-1; i < j; i, j = i+1, j-1 {
					a.Envelopes[i], a.Envelopes[j] = a.Envelopes[j], a.Envelopes[i]
				}
				return a
			})
		},
		"replaying": func(t *testing.T, h host.Host) {
			var all []Envelope
			liar(t, h, func(a *answer) *answer {
				if all = append(all, a.Envelopes...); len(all) > 10 {
					all = all[len(all)-10:]
				}
				return &answer{Envelopes: all}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, 5, func(t *testing.T, hosts []host.Host) {
				spoil(t, hosts[0])
				spoil(t, hosts[1])
				serve(t, hosts[2], nil, Limits{})
				boxes := []string{addr(hosts[0]), addr(hosts[1]), addr(hosts[2])}
				seed := crypto.NewSealingSeed()
				sender, recipient := NewClient(direct{hosts[3]}, nil, 0), NewClient(direct{hosts[4]}, nil, 0)
				came, twice := map[ID]bool{}, 0
				in := receive(t, recipient, seed, nil, boxes...)
				// As the outbox does it: two copies, and one more each time that nobody
				// answers.
				sends := 0
				for i := range letters {
					for copies := 2; !came[IDOf(letter(i))]; copies++ {
						if copies > 4 {
							t.Fatalf("letter %d never came", i)
						}
						if _, err := sender.Deposit(t.Context(), "p", boxes, token(seed), letter(i), copies); err != nil {
							t.Fatal(err)
						}
						sends++
						wait := time.After(time.Minute)
					waiting:
						for {
							select {
							case e := <-in.got:
								if came[e.ID] {
									twice++
								}
								came[e.ID] = true
								if e.ID == IDOf(letter(i)) {
									break waiting
								}
							case <-wait:
								break waiting
							}
						}
					}
				}
				in.close()
				t.Logf("%d of %d letters came, by %d sends; %d were handed over again, to be thanked for again", len(came), letters, sends, twice)
				// Whoever deals with them sees it: the one who can't leave anything there, or
				// the one who can't read what comes.
				watch := map[string]*Client{"vanished": sender, "full": sender, "corrupting": recipient}[name]
				for i := range 2 {
					if watch != nil && !watch.HealthOf(hosts[i].ID()).Down() {
						t.Errorf("mailbox %d isn't known to be bad: %+v", i, watch.Health())
					}
				}
			})
		})
	}
}

// liar is an honest mailbox but for the pages that it gives out.
func liar(t *testing.T, h host.Host, spoil func(*answer) *answer) {
	t.Helper()
	server := serve(t, h, nil, Limits{})
	var asked atomic.Int64
	lie(h, &asked, func(r *request) []byte {
		a, err := server.do(t.Context(), r, origin{address: "a"})
		if err != nil {
			if errors.Is(err, t.Context().Err()) {
				return nil
			}
			a = refusal(err)
		} else if r.Op == opPickup {
			a = spoil(a)
		}
		return framed(must(a.encode(r.Op)))
	})
}

// TestPickupsKeepTheirOwnTime: of two addresses that are opened together, neither
// the first pick-ups nor the later ones come together, or at even times.
//
//spec:shows BOX-23
func TestPickupsKeepTheirOwnTime(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], new(memory), Limits{})
		times := map[Token][]time.Time{}
		var mu sync.Mutex
		var asked atomic.Int64
		lie(hosts[0], &asked, func(r *request) []byte {
			mu.Lock()
			key := Token(sha256.Sum256(r.Key))
			times[key] = append(times[key], time.Now())
			mu.Unlock()
			a, err := server.do(t.Context(), r, origin{address: "a"})
			if err != nil {
				a = refusal(err)
			}
			return framed(must(a.encode(r.Op)))
		})
		client := NewClient(direct{hosts[1]}, nil, 0)
		for range 4 {
			receive(t, client, crypto.NewSealingSeed(), nil, addr(hosts[0]))
		}
		time.Sleep(time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if len(times) != 4 {
			t.Fatalf("%d addresses were asked for", len(times))
		}
		together, all := 0, 0
		for one, at := range times {
			least, most := time.Hour, time.Duration(0)
			for i := range at[1:] {
				apart := at[i+1].Sub(at[i])
				least, most = min(least, apart), max(most, apart)
			}
			if len(at) < 50 || least > 45*time.Second || most < 52*time.Second {
				t.Errorf("%d pick-ups, %s to %s apart", len(at), least, most)
			}
			for other, at2 := range times {
				for _, a := range at {
					for _, b := range at2 {
						if apart := a.Sub(b); one != other && apart > -time.Second && apart < time.Second {
							together++
						}
					}
				}
				all += len(at)
			}
		}
		t.Logf("%d of %d pick-ups came within a second of another address's", together, all)
		if together > all/5 {
			t.Errorf("%d of %d pick-ups come together", together, all)
		}
	})
}
