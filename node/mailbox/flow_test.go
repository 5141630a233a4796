package mailbox

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

var errNotFound = protocol.Errorf(protocol.CodeNotFound, "", "no such blob")

//spec:shows BOX-3 BOX-10
func TestDepositPickupRemove(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{})
		sender, recipient := NewClient(direct{hosts[1]}, nil, 0), NewClient(direct{hosts[2]}, nil, 0)
		seed := crypto.NewSealingSeed()
		var ids []ID
		for i := range 3 {
			receipt, err := leave(t, sender, []string{addr(hosts[0])}, token(seed), letter(i))
			if err != nil {
				t.Fatal(err)
			}
			if receipt.ID != IDOf(letter(i)) || receipt.Mailbox != hosts[0].ID() {
				t.Errorf("receipt %+v", receipt)
			}
			if left := time.Until(receipt.Until); left < retention-time.Minute || left > retention {
				t.Errorf("it is kept for %s", left)
			}
			ids = append(ids, receipt.ID)
		}
		page, err := recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 2, 0)
		if err != nil || len(page.Envelopes) != 2 || !page.More || page.Envelopes[0].ID != ids[0] {
			t.Fatalf("first page %+v, %v", page, err)
		}
		page, err = recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, ids[1][:], 2, 0)
		if err != nil || len(page.Envelopes) != 1 || page.More || !bytes.Equal(page.Envelopes[0].Bytes, letter(2)) {
			t.Fatalf("second page %+v, %v", page, err)
		}
		n, err := recipient.Remove(t.Context(), "p", addr(hosts[0]), seed, ids[0], ids[2], IDOf([]byte("never there")))
		if err != nil || n != 2 {
			t.Errorf("removed %d, %v; want 2", n, err)
		}
		page, err = recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 10, 0)
		if err != nil || len(page.Envelopes) != 1 || page.Envelopes[0].ID != ids[1] {
			t.Errorf("what is left: %+v, %v", page, err)
		}
		// Nobody else's key opens it.
		page, err = recipient.Pickup(t.Context(), "p", addr(hosts[0]), crypto.NewSealingSeed(), nil, 10, 0)
		if err != nil || len(page.Envelopes) != 0 {
			t.Errorf("another key gets %+v, %v", page, err)
		}
	})
}

//spec:shows BOX-4
func TestDepositTwiceKeepsTheFirst(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], nil, Limits{})
		c := NewClient(direct{hosts[1]}, nil, 0)
		seed := crypto.NewSealingSeed()
		first, err := leave(t, c, []string{addr(hosts[0])}, token(seed), letter(0))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		second, err := leave(t, c, []string{addr(hosts[0])}, token(seed), letter(0))
		if err != nil || !second.Until.Equal(first.Until) {
			t.Errorf("second receipt %+v, %v; want the first one's %s", second, err, first.Until)
		}
		page, err := server.Pickup(t.Context(), token(seed), nil, 10, 0)
		if err != nil || len(page.Envelopes) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestWaitingPickupIsWoken(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{})
		sender, recipient := NewClient(direct{hosts[1]}, nil, 0), NewClient(direct{hosts[2]}, nil, 0)
		seed := crypto.NewSealingSeed()
		go func() {
			time.Sleep(20 * time.Second)
			if _, err := leave(t, sender, []string{addr(hosts[0])}, token(seed), letter(0)); err != nil {
				t.Error(err)
			}
		}()
		began := time.Now()
		page, err := recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 10, time.Minute)
		if err != nil || len(page.Envelopes) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if took := time.Since(began); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("it took %s", took)
		}
		began = time.Now()
		page, err = recipient.Pickup(t.Context(), "p", addr(hosts[0]), crypto.NewSealingSeed(), nil, 10, 30*time.Second)
		if err != nil || len(page.Envelopes) != 0 {
			t.Errorf("%+v, %v", page, err)
		}
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("an empty mailbox answered after %s", took)
		}
	})
}

// TestServedBeforeDurable: who waits has the envelope while the disk still
// works, and the depositor has no receipt until it is done.
func TestServedBeforeDurable(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		store := &memory{gate: make(chan struct{})}
		serve(t, hosts[0], store, Limits{})
		sender, recipient := NewClient(direct{hosts[1]}, nil, 0), NewClient(direct{hosts[2]}, nil, 0)
		seed := crypto.NewSealingSeed()
		deposited := make(chan error, 1)
		go func() {
			_, err := leave(t, sender, []string{addr(hosts[0])}, token(seed), letter(0))
			deposited <- err
		}()
		page, err := recipient.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 10, time.Minute)
		if err != nil || len(page.Envelopes) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		if n, err := recipient.Remove(t.Context(), "p", addr(hosts[0]), seed, page.Envelopes[0].ID); n != 1 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
		select {
		case err := <-deposited:
			t.Errorf("a receipt before it was durable: %v", err)
		default:
		}
		close(store.gate)
		if err := <-deposited; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if left := store.Bucket(token(seed).bucket()); len(left) != 0 {
			t.Errorf("%d envelopes came back after they were removed", len(left))
		}
	})
}

//spec:shows BOX-3
func TestNoReceiptWhenTheDiskFails(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], &memory{fail: protocol.Errorf(protocol.CodeDiskFull, "", "full")}, Limits{})
		c := NewClient(direct{hosts[1]}, nil, 0)
		_, err := leave(t, c, []string{addr(hosts[0])}, Token{1}, letter(0))
		if protocol.CodeOf(err) != protocol.CodeDiskFull {
			t.Errorf("%v, want disk_full", err)
		}
	})
}

//spec:shows BOX-14
func TestDepositTriesTheNextMailbox(t *testing.T) {
	simulate(t, 4, func(t *testing.T, hosts []host.Host) {
		// The first doesn't answer at this protocol, the second is full.
		serve(t, hosts[1], &memory{fail: protocol.Errorf(protocol.CodeMailboxFull, "", "full")}, Limits{})
		serve(t, hosts[2], nil, Limits{})
		boxes := []string{"nonsense", addr(hosts[0]), addr(hosts[1]), addr(hosts[2])}
		receipt, err := leave(t, NewClient(direct{hosts[3]}, nil, 0), boxes, Token{1}, letter(0))
		if err != nil || receipt.Mailbox != hosts[2].ID() {
			t.Errorf("%+v, %v", receipt, err)
		}
		own := serve(t, hosts[3], nil, Limits{})
		receipt, err = leave(t, NewClient(direct{hosts[3]}, own, 0), append(boxes[:3:3], addr(hosts[3])), Token{1}, letter(0))
		if err != nil || receipt.Mailbox != hosts[3].ID() {
			t.Errorf("the own mailbox doesn't take it: %+v, %v", receipt, err)
		}
		_, err = leave(t, NewClient(direct{hosts[3]}, nil, 0), boxes[:3], Token{1}, letter(0))
		if protocol.CodeOf(err) != protocol.CodeBadField || !strings.Contains(err.Error(), "mailbox_full") {
			t.Errorf("nobody has it: %v; want what each of them said", err)
		}
		if _, err := leave(t, NewClient(direct{hosts[3]}, nil, 0), nil, Token{1}, letter(0)); protocol.CodeOf(err) != protocol.CodeMissingField {
			t.Errorf("no mailbox: %v", err)
		}
	})
}

//spec:shows BOX-12
func TestReceive(t *testing.T) {
	simulate(t, 4, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{})
		own := serve(t, hosts[2], nil, Limits{})
		sender := NewClient(direct{hosts[1]}, nil, 0)
		recipient := NewClient(direct{hosts[2]}, own, 0)
		seed := crypto.NewSealingSeed()
		in := receive(t, recipient, seed, nil, addr(hosts[0]), addr(hosts[2]))
		for i, box := range []host.Host{hosts[0], hosts[2], hosts[0], hosts[2]} {
			time.Sleep(3 * time.Minute)
			began := time.Now()
			if _, err := leave(t, sender, []string{addr(box)}, token(seed), letter(i)); err != nil {
				t.Fatal(err)
			}
			e := in.next(t, time.Minute)
			if !bytes.Equal(e.Bytes, letter(i)) {
				t.Errorf("%q, want %q", e.Bytes, letter(i))
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("letter %d took %s", i, took)
			}
		}
		time.Sleep(time.Minute)
		for _, h := range []host.Host{hosts[0], hosts[2]} {
			page, err := recipient.Pickup(t.Context(), "p", addr(h), seed, nil, 10, 0)
			if err != nil || len(page.Envelopes) != 0 {
				t.Errorf("what was taken is still there: %+v, %v", page, err)
			}
		}
	})
}

// TestReceiveGoesOnBehindWhatIsKept: one envelope that can't be dealt with now
// holds nothing up, and comes again.
//
//spec:shows BOX-12
func TestReceiveGoesOnBehindWhatIsKept(t *testing.T) {
	for _, where := range []string{"own", "another's"} {
		t.Run(where, func(t *testing.T) {
			simulate(t, 2, func(t *testing.T, hosts []host.Host) {
				server := serve(t, hosts[0], nil, Limits{})
				client := NewClient(direct{hosts[1]}, nil, 0)
				if where == "own" {
					client = NewClient(nil, server, 0)
				}
				seed := crypto.NewSealingSeed()
				kept := 0
				refuse := func(e Envelope) error {
					if bytes.Equal(e.Bytes, letter(0)) && kept < 3 {
						kept++
						return errors.New("not now")
					}
					return nil
				}
				deposit := func(i int) {
					if _, err := server.Deposit(t.Context(), token(seed), letter(i)); err != nil {
						t.Fatal(err)
					}
				}
				deposit(0)
				deposit(1)
				in := receive(t, client, seed, refuse, addr(hosts[0]))
				want := func(i int, within time.Duration) {
					t.Helper()
					if e := in.next(t, within); !bytes.Equal(e.Bytes, letter(i)) {
						t.Errorf("%q, want %q", e.Bytes, letter(i))
					}
				}
				want(0, pollApart+time.Second)
				want(1, time.Second)
				want(0, 5*time.Second)
				deposit(2)
				want(2, time.Second)
				want(0, 10*time.Second)
				want(0, 20*time.Second) // taken at last
				time.Sleep(5 * time.Minute)
				if len(in.got) != 0 {
					t.Errorf("%d more came", len(in.got))
				}
				if page, _ := server.Pickup(t.Context(), token(seed), nil, 10, 0); len(page.Envelopes) != 0 {
					t.Errorf("left: %+v", page)
				}
			})
		})
	}
}

func TestReceiveOutlastsTheMailbox(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		store := new(memory)
		first := serve(t, hosts[0], store, Limits{})
		client := NewClient(direct{hosts[1]}, nil, 0)
		seed := crypto.NewSealingSeed()
		in := receive(t, client, seed, nil, addr(hosts[0]))
		time.Sleep(time.Minute)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		again := serve(t, hosts[0], store, Limits{})
		if _, err := again.Deposit(t.Context(), token(seed), letter(0)); err != nil {
			t.Fatal(err)
		}
		if e := in.next(t, backoffHigh+time.Minute+backoffHigh/4); !bytes.Equal(e.Bytes, letter(0)) {
			t.Errorf("%q", e.Bytes)
		}
	})
}

// TestManyReceiversShareTheirTurns: more purposes than places to wait in.
func TestManyReceiversShareTheirTurns(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], new(memory), Limits{RequestBurst: 10_000, RequestsPerSecond: 1000})
		const polls = 16
		const receivers = 3 * polls
		client := NewClient(direct{hosts[1]}, nil, polls)
		var seeds []crypto.SealingSeed
		var inboxes []*inbox
		for range receivers {
			seed := crypto.NewSealingSeed()
			seeds = append(seeds, seed)
			inboxes = append(inboxes, receive(t, client, seed, nil, addr(hosts[0])))
		}
		time.Sleep(5 * time.Minute)
		for i, seed := range seeds {
			if _, err := server.Deposit(t.Context(), token(seed), letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		for i, in := range inboxes {
			if e := in.next(t, 2*quietHigh); !bytes.Equal(e.Bytes, letter(i)) {
				t.Errorf("receiver %d got %q", i, e.Bytes)
			}
		}
	})
}

func TestWatch(t *testing.T) {
	simulate(t, 1, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], new(memory), Limits{})
		woken := make(chan struct{}, 8)
		stop := server.Watch(Token{1}, func() { woken <- struct{}{} })
		deposit := func(token Token, i int) {
			if _, err := server.Deposit(t.Context(), token, letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		deposit(Token{1}, 0)
		deposit(Token{2}, 1)
		stop()
		stop()
		deposit(Token{1}, 2)
		if len(woken) != 1 {
			t.Errorf("woken %d times, want 1", len(woken))
		}
		if len(server.boxes) != 0 {
			t.Errorf("%d boxes stay behind", len(server.boxes))
		}
	})
}

func TestCloseEndsTheWaits(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], new(memory), Limits{})
		done := make(chan error, 2)
		go func() {
			_, err := server.Pickup(t.Context(), Token{1}, nil, 1, time.Hour)
			done <- err
		}()
		go func() {
			_, err := NewClient(direct{hosts[1]}, nil, 0).Pickup(t.Context(), "p", addr(hosts[0]), crypto.NewSealingSeed(), nil, 1, time.Minute)
			done <- err
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-done; err == nil {
				t.Error("a pick-up of a closed mailbox succeeded")
			}
		}
		if _, err := server.Deposit(context.Background(), Token{1}, letter(0)); protocol.CodeOf(err) != protocol.CodeNotRunning {
			t.Errorf("a deposit: %v", err)
		}
	})
}
