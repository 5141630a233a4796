package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/outbox"
)

// post is source and depositor: it seals anew each time, and notes what it gets.
type post struct {
	mu     sync.Mutex
	sealed int
	due    error
	fail   func(to string) error
	wait   func(ctx context.Context, to string)
	box    string
	sent   []sending
	heard  []outbox.Status
}

type sending struct {
	at       time.Time
	to       string
	envelope string
	copies   int
}

func (p *post) Due(_ context.Context, d book.Delivery) (outbox.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sealed++
	return outbox.Message{Mailboxes: []string{p.box + string(d.To)}, Envelope: fmt.Append(nil, "sealed ", p.sealed)}, p.due
}

func (p *post) Deposit(ctx context.Context, m outbox.Message) ([]outbox.Custody, error) {
	mailboxes, envelope := m.Mailboxes, m.Envelope
	p.mu.Lock()
	p.sent = append(p.sent, sending{time.Now(), mailboxes[0], string(envelope), m.Copies})
	fail, wait := p.fail, p.wait
	p.mu.Unlock()
	if wait != nil {
		wait(ctx, mailboxes[0])
	}
	if fail != nil {
		return nil, fail(mailboxes[0])
	}
	return nil, nil
}

func (p *post) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *post) sends() []sending {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]sending(nil), p.sent...)
}

func start(t *testing.T, p *post) *outbox.Outbox {
	o := outbox.New(p, p, func(s outbox.Status) { p.set(func() { p.heard = append(p.heard, s) }) })
	if err := o.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func to(did string) book.Delivery { return book.Delivery{To: crypto.DID(did)} }

// between checks the pauses between sendings, in order.
func between(t *testing.T, sent []sending, want ...time.Duration) {
	t.Helper()
	if len(sent) <= len(want) {
		t.Fatalf("%d sendings for %d pauses", len(sent), len(want))
	}
	for i, d := range want {
		if got := sent[i+1].at.Sub(sent[i].at); got < d*3/4 || got > d*5/4 {
			t.Errorf("pause %d is %s, want about %s", i, got, d)
		}
	}
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{fail: func(string) error { return errors.New("nobody there") }}
		o := start(t, p)
		o.Put(to("a"))
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		s := time.Second
		between(t, p.sends(), s/2, s, 2*s, 4*s, 8*s, 16*s, 32*s, 64*s, 128*s, 256*s, 300*s)
		st, ok := o.Status(to("a"))
		if !ok || st.Err == nil || !st.Stored.IsZero() || st.Attempts != len(p.sends()) || len(p.heard) != st.Attempts {
			t.Errorf("status %+v, heard %d times", st, len(p.heard))
		}
		// A mailbox that comes back takes it, and gets a pause for the recipient.
		p.set(func() { p.fail = nil })
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		if st, _ := o.Status(to("a")); st.Err != nil || st.Stored.IsZero() {
			t.Errorf("status %+v", st)
		}
	})
}

// A mailbox that has it already gets the very same bytes again, until the
// recipient says that it has them, or wants its mail elsewhere.
func TestCustodyResendsTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{}
		o := start(t, p)
		o.Put(to("a"))
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		sent := p.sends()
		m := time.Minute
		between(t, sent, m, 2*m, 4*m, 8*m)
		for _, s := range sent {
			if s.envelope != sent[0].envelope {
				t.Errorf("%q after %q", s.envelope, sent[0].envelope)
			}
		}
		p.set(func() { p.box = "moved/" })
		o.Put(to("a"))
		synctest.Wait()
		if last := p.sends()[len(sent)]; last.envelope == sent[0].envelope || last.to != "moved/a" {
			t.Errorf("sent %+v to the new address", last)
		}
		o.Done(to("a"))
		n := len(p.sends())
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if len(p.sends()) != n || len(o.Pending()) != 0 {
			t.Error("it goes on after the receipt")
		}
	})
}

func TestPausesHaveAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{}
		o := start(t, p)
		o.Put(to("a"))
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		sent := p.sends()
		if n := len(sent); n < 30 || n > 55 {
			t.Errorf("%d sendings in 30 days", n)
		}
		between(t, sent[len(sent)-4:], 24*time.Hour, 24*time.Hour, 24*time.Hour)
	})
}

func TestPutDuringATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		p := &post{wait: func(context.Context, string) { <-gate }}
		o := start(t, p)
		o.Put(to("a"))
		synctest.Wait()
		o.Put(to("a")) // something has changed: the address, perhaps
		synctest.Wait()
		if n := len(p.sends()); n != 1 {
			t.Fatalf("%d tries of one record at once", n)
		}
		gate <- struct{}{}
		synctest.Wait()
		if n := len(p.sends()); n != 2 {
			t.Fatalf("%d tries: the second Put is lost", n)
		}
		close(gate)
		synctest.Wait()
		if n := len(p.sends()); n != 2 {
			t.Errorf("%d tries", n)
		}
	})
}

func TestDoneDuringATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		p := &post{wait: func(context.Context, string) { <-gate }}
		o := start(t, p)
		o.Put(to("a"))
		synctest.Wait()
		o.Done(to("a"))
		close(gate)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(p.sends()) != 1 || len(p.heard) != 0 {
			t.Errorf("%d tries, %d notices", len(p.sends()), len(p.heard))
		}
	})
}

func TestNothingDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{due: outbox.ErrNothingDue}
		o := start(t, p)
		o.Put(to("a"))
		synctest.Wait()
		if len(o.Pending()) != 0 || len(p.sends()) != 0 || len(p.heard) != 0 {
			t.Errorf("%d pending, %d sent", len(o.Pending()), len(p.sends()))
		}
		p.set(func() { p.due = errors.New("no address yet") })
		o.Put(to("a"))
		synctest.Wait()
		if st, ok := o.Status(to("a")); !ok || st.Err == nil || len(p.sends()) != 0 {
			t.Errorf("status %+v", st)
		}
	})
}

// Mailboxes that never answer must not keep the mail of others waiting for the
// whole of their time, time after time.
func TestTheSilentDontHoldUpTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{
			wait: func(ctx context.Context, to string) {
				if to != "good" {
					<-ctx.Done()
				}
			},
			fail: func(to string) error {
				if to != "good" {
					return errors.New("silence")
				}
				return nil
			},
		}
		o := start(t, p)
		for i := range 200 {
			o.Put(to(fmt.Sprint("silent ", i)))
		}
		time.Sleep(time.Hour)
		began := time.Now()
		o.Put(to("good"))
		time.Sleep(91 * time.Second)
		synctest.Wait()
		if st, _ := o.Status(to("good")); st.Stored.IsZero() || st.Stored.Sub(began) > 91*time.Second {
			t.Errorf("stored after %s", st.Stored.Sub(began))
		}
	})
}

func TestCloseEndsATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{wait: func(ctx context.Context, _ string) { <-ctx.Done() }}
		o := start(t, p)
		for i := range 40 {
			o.Put(to(fmt.Sprint(i)))
		}
		synctest.Wait()
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(o.Pending()); n != 40 {
			t.Errorf("%d are still owed", n)
		}
		o.Put(to("late")) // nobody takes it up, and nobody waits
	})
	if err := outbox.New(nil, nil, nil).Close(); err != nil {
		t.Errorf("never started: %v", err)
	}
}
