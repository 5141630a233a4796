package mailbox

import (
	"context"
	"encoding/binary"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/parley-protocol/parley/crypto"
	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// say sends raw bytes to a mailbox and returns all that comes back.
func say(t *testing.T, from, to host.Host, raw []byte, closeWrite bool) ([]byte, error) {
	t.Helper()
	if err := from.Connect(t.Context(), hostInfo(to)); err != nil {
		t.Fatal(err)
	}
	s, err := from.NewStream(t.Context(), to.ID(), protocol.ProtocolMailbox)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	if _, err := s.Write(raw); err != nil {
		return nil, err
	}
	if closeWrite {
		s.CloseWrite()
	}
	return io.ReadAll(s)
}

// ask sends one message and returns the code of the answer.
func ask(t *testing.T, from, to host.Host, raw []byte) protocol.Code {
	t.Helper()
	reply, err := say(t, from, to, framed(raw), true)
	if err != nil {
		t.Fatal(err)
	}
	_, n := binary.Uvarint(reply)
	if n <= 0 {
		t.Fatalf("no message: %x", reply)
	}
	body, err := parley.DecodeMap(reply[n:])
	if err != nil {
		t.Fatal(err)
	}
	code, _ := body["error"].(string)
	return protocol.Code(code)
}

func framed(raw []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(raw))), raw...)
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

func TestGarbageOnStreams(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], new(memory), Limits{})
		for name, raw := range map[string][]byte{
			"nothing":    {},
			"no message": {0},
			"cut":        append(binary.AppendUvarint(nil, 100), make([]byte, 99)...),
			"too long":   binary.AppendUvarint(nil, maxRequest+1),
			"huge":       {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		} {
			if reply, err := say(t, hosts[1], hosts[0], raw, true); err == nil || len(reply) != 0 {
				t.Errorf("%s: %x, %v; want a reset", name, reply, err)
			}
		}
		deposit := map[string]any{"op": "deposit", "token": make([]byte, 32), "envelope": []byte{1}}
		with := func(key string, value any) []byte {
			body := make(map[string]any)
			for k, v := range deposit {
				body[k] = v
			}
			body[key] = value
			return must(codec.Message().Encode(body))
		}
		without := func(key string) []byte {
			body := make(map[string]any)
			for k, v := range deposit {
				if k != key {
					body[k] = v
				}
			}
			return must(codec.Message().Encode(body))
		}
		for name, c := range map[string]struct {
			raw  []byte
			want protocol.Code
		}{
			"good":              {with("envelope", []byte{2}), ""},
			"no CBOR":           {[]byte{0xff}, protocol.CodeMalformed},
			"no map":            {[]byte{0x01}, protocol.CodeMalformed},
			"no operation":      {[]byte{0xa0}, protocol.CodeBadField},
			"unknown operation": {with("op", "peek"), protocol.CodeBadField},
			"unknown field":     {with("priority", int64(1)), protocol.CodeUnknownField},
			"short token":       {with("token", make([]byte, 31)), protocol.CodeBadField},
			"text for bytes":    {with("envelope", "text"), protocol.CodeBadField},
			"empty envelope":    {with("envelope", []byte{}), protocol.CodeBadField},
			"large envelope":    {with("envelope", make([]byte, protocol.MaxEnvelopeBytes+1)), protocol.CodeTooLarge},
			"no envelope":       {without("envelope"), protocol.CodeMissingField},
			"no token":          {without("token"), protocol.CodeMissingField},
		} {
			if got := ask(t, hosts[1], hosts[0], c.raw); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestHalfOpenStreamsAreCutOff(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], new(memory), Limits{Streams: 2})
		done := make(chan time.Duration, 2)
		for range 2 {
			go func() {
				began := time.Now()
				if _, err := say(t, hosts[1], hosts[0], []byte{50, 1, 2}, false); err == nil {
					t.Error("half a request was answered")
				}
				done <- time.Since(began)
			}()
		}
		time.Sleep(time.Second)
		// While those two are held, there is no room for a third.
		if _, err := say(t, hosts[1], hosts[0], []byte{50}, true); err == nil {
			t.Error("a third stream was served")
		}
		for range 2 {
			if took := <-done; took > requestTime+time.Second {
				t.Errorf("it took %s", took)
			}
		}
		c := NewClient(direct{hosts[1]}, nil, 0)
		if _, err := leave(t, c, []string{addr(hosts[0])}, Token{1}, letter(0)); err != nil {
			t.Errorf("after they were cut off: %v", err)
		}
	})
}

func TestProofs(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], new(memory), Limits{})
		serve(t, hosts[2], new(memory), Limits{})
		seed := crypto.NewSealingSeed()
		if _, err := server.Deposit(t.Context(), token(seed), letter(0)); err != nil {
			t.Fatal(err)
		}
		id := IDOf(letter(0))
		fresh := func(op string) *request {
			r := &request{Op: op, Max: 1}
			if op == opRemove {
				r.IDs = []ID{id}
			}
			r.prove(seed.PickupKey(), hosts[0].ID(), time.Now())
			return r
		}
		for name, c := range map[string]struct {
			spoil func(r *request)
			want  protocol.Code
		}{
			"good":            {func(*request) {}, ""},
			"flipped":         {func(r *request) { r.Proof[7] ^= 1 }, protocol.CodeProofFailed},
			"another key":     {func(r *request) { r.Key = crypto.NewSealingSeed().PickupKey().PublicKey() }, protocol.CodeProofFailed},
			"another time":    {func(r *request) { r.At++ }, protocol.CodeProofFailed},
			"another mailbox": {func(r *request) { r.prove(seed.PickupKey(), hosts[2].ID(), time.Now()) }, protocol.CodeProofFailed},
			"old":             {func(r *request) { r.prove(seed.PickupKey(), hosts[0].ID(), time.Now().Add(-proofSkew-time.Minute)) }, protocol.CodeClockSkew},
			"from tomorrow":   {func(r *request) { r.prove(seed.PickupKey(), hosts[0].ID(), time.Now().Add(proofSkew+time.Minute)) }, protocol.CodeClockSkew},
			"a bit off":       {func(r *request) { r.prove(seed.PickupKey(), hosts[0].ID(), time.Now().Add(proofSkew-time.Minute)) }, ""},
			"small-order key": {func(r *request) { r.Key = make([]byte, 32); r.Key[0] = 1 }, protocol.CodeProofFailed},
			"a pick-up's for a removal": {func(r *request) {
				p := fresh(opPickup)
				r.Op, r.IDs, r.Proof = opRemove, []ID{id}, p.Proof
			}, protocol.CodeProofFailed},
			"other IDs": {func(r *request) {
				p := fresh(opRemove)
				*r = *p
				r.IDs = []ID{{1}}
			}, protocol.CodeProofFailed},
		} {
			r := fresh(opPickup)
			c.spoil(r)
			if got := ask(t, hosts[1], hosts[0], must(r.encode())); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		if page, _ := server.Pickup(t.Context(), token(seed), nil, 1, 0); len(page.Envelopes) != 1 {
			t.Error("a forged removal has removed")
		}
	})
}

// TestClientWithAWrongClock: it is told the mailbox's time and uses it.
func TestClientWithAWrongClock(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		seed := crypto.NewSealingSeed()
		ahead := time.Now().Add(24 * time.Hour).Unix()
		times := make(chan int64, 4)
		hosts[0].SetStreamHandler(protocol.ProtocolMailbox, func(s network.Stream) {
			defer s.Close()
			raw, _, err := parley.ReadMessage(s, maxRequest)
			if err != nil {
				return
			}
			r, err := decodeRequest(raw)
			if err != nil {
				t.Error(err)
				return
			}
			times <- r.At
			a := &answer{Code: protocol.CodeClockSkew, Time: ahead}
			if r.At == ahead {
				if _, err := r.proven(hosts[0].ID(), time.Unix(ahead, 0)); err != nil {
					t.Error(err)
				}
				a = &answer{}
			}
			parley.WriteMessage(s, must(a.encode(r.Op)))
		})
		c := NewClient(direct{hosts[1]}, nil, 0)
		if _, err := c.Pickup(t.Context(), "p", addr(hosts[0]), seed, nil, 1, 0); err != nil {
			t.Error(err)
		}
		if len(times) != 2 {
			t.Errorf("%d requests, want 2", len(times))
		}
	})
}

// lie makes a host a mailbox that gives the same answer to everything.
func lie(h host.Host, asked *atomic.Int64, raw func(r *request) []byte) {
	h.SetStreamHandler(protocol.ProtocolMailbox, func(s network.Stream) {
		defer s.Close()
		in, _, err := parley.ReadMessage(s, maxRequest)
		if err != nil {
			return
		}
		r, err := decodeRequest(in)
		if err != nil {
			return
		}
		asked.Add(1)
		s.Write(raw(r))
	})
}

func TestLyingMailboxes(t *testing.T) {
	other := &answer{Stored: IDOf(letter(9)), Until: 1, Receipt: make([]byte, 64)}
	wrongID := &answer{Envelopes: []Envelope{{ID: ID{1}, Bytes: letter(0)}}}
	for name, reply := range map[string]func(r *request) []byte{
		"acknowledges another": func(r *request) []byte { return framed(must(other.encode(opDeposit))) },
		"nothing":              func(*request) []byte { return nil },
		"garbage":              func(*request) []byte { return framed([]byte{0xff, 0xff}) },
		"no end":               func(*request) []byte { return binary.AppendUvarint(nil, maxAnswer+1) },
		"cut":                  func(*request) []byte { return append(binary.AppendUvarint(nil, 1000), 1, 2, 3) },
		"another's answer":     func(r *request) []byte { return framed(must((&answer{Removed: 1}).encode(opRemove))) },
		"wrong hash":           func(r *request) []byte { return framed(must(wrongID.encode(opPickup))) },
		"unknown error":        func(*request) []byte { return framed(must((&answer{Code: "gremlins"}).encode(""))) },
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, 2, func(t *testing.T, hosts []host.Host) {
				var asked atomic.Int64
				lie(hosts[0], &asked, reply)
				c := NewClient(direct{hosts[1]}, nil, 0)
				if r, err := leave(t, c, []string{addr(hosts[0])}, Token{1}, letter(0)); err == nil {
					t.Errorf("deposit: %+v", r)
				}
				if name == "another's answer" || name == "acknowledges another" {
					return // for a pick-up they are malformed just the same
				}
				if p, err := c.Pickup(t.Context(), "p", addr(hosts[0]), crypto.NewSealingSeed(), nil, 1, 0); err == nil {
					t.Errorf("pick-up: %+v", p)
				}
			})
		})
	}
}

// TestMailboxesThatWasteTime: whatever a mailbox answers, the node that receives
// from it isn't kept busy.
func TestMailboxesThatWasteTime(t *testing.T) {
	same := []Envelope{{ID: IDOf(letter(0)), Bytes: letter(0)}}
	for name, pickup := range map[string]*answer{
		"never waits":          {},
		"promises more":        {More: true},
		"gives the same again": {Envelopes: same, More: true},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, 2, func(t *testing.T, hosts []host.Host) {
				var asked atomic.Int64
				lie(hosts[0], &asked, func(r *request) []byte {
					if r.Op == opPickup {
						return framed(must(pickup.encode(opPickup)))
					}
					return framed(must((&answer{Removed: 1}).encode(opRemove)))
				})
				in := receive(t, NewClient(direct{hosts[1]}, nil, 0), crypto.NewSealingSeed(), nil, addr(hosts[0]))
				time.Sleep(time.Hour)
				in.close()
				if n := asked.Load(); n < 5 || n > 100 {
					t.Errorf("asked %d times in an hour", n)
				}
			})
		})
	}
}

func TestSilentMailboxTimesOut(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		release := make(chan struct{})
		hosts[0].SetStreamHandler(protocol.ProtocolMailbox, func(s network.Stream) {
			<-release
			s.Reset()
		})
		c := NewClient(direct{hosts[1]}, nil, 0)
		began := time.Now()
		if _, err := leave(t, c, []string{addr(hosts[0])}, Token{1}, letter(0)); err == nil {
			t.Error("a deposit with nobody")
		}
		if took := time.Since(began); took > 2*requestTime+time.Second {
			t.Errorf("it took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if _, err := c.Pickup(ctx, "p", addr(hosts[0]), crypto.NewSealingSeed(), nil, 1, time.Minute); err == nil {
			t.Error("a pick-up with nobody")
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("ctx ended and it took %s", took)
		}
		close(release)
	})
}

//spec:shows BOX-5 ERR-4 NET-5
func TestQuotas(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		serve(t, hosts[0], nil, Limits{DepositBurst: 20 * leastDeposit, DepositBytesPerSecond: leastDeposit})
		c := NewClient(direct{hosts[1]}, nil, 0)
		box := []string{addr(hosts[0])}
		for i := range 20 {
			if _, err := leave(t, c, box, Token{1}, letter(i)); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		for i := 20; i < 30 && err == nil; i++ {
			_, err = leave(t, c, box, Token{1}, letter(i))
		}
		if protocol.CodeOf(err) != protocol.CodeOverQuota {
			t.Errorf("beyond the rate: %v", err)
		}
		// Another depositor has a rate of its own.
		if _, err := leave(t, NewClient(direct{hosts[2]}, nil, 0), box, Token{1}, letter(40)); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if _, err := leave(t, c, box, Token{1}, letter(41)); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

//spec:shows BOX-5
func TestTokenIsFull(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		server := serve(t, hosts[0], nil, Limits{})
		big := make([]byte, protocol.MaxEnvelopeBytes)
		stored := 0
		var err error
		for i := range 40 {
			big[0] = byte(i)
			if _, err = server.Deposit(t.Context(), Token{1}, big); err != nil {
				break
			}
			stored++
		}
		if protocol.CodeOf(err) != protocol.CodeMailboxFull || stored != protocol.MaxTokenBytes/protocol.MaxEnvelopeBytes {
			t.Errorf("%d stored, then %v", stored, err)
		}
		// However much there is, a page fits its message.
		for _, page := range []int{1, 10, maxPage} {
			p, err := server.Pickup(t.Context(), Token{1}, nil, page, 0)
			if err != nil || len(p.Envelopes) == 0 || !p.More {
				t.Errorf("%d envelopes, %v", len(p.Envelopes), err)
			}
			a := &answer{Envelopes: p.Envelopes, More: p.More}
			raw := must(a.encode(opPickup))
			if len(raw) > maxAnswer || len(raw) > a.size() {
				t.Errorf("an answer of %d bytes, estimated %d", len(raw), a.size())
			}
		}
	})
}

func FuzzDecodeRequest(f *testing.F) {
	key := crypto.NewSigner([32]byte{1})
	for _, r := range []*request{
		{Op: opDeposit, Token: Token{1}, Envelope: []byte{1, 2}},
		{Op: opDeposit, Token: Token{1}, Envelope: []byte{1, 2}, Stamp: make([]byte, 8)},
		{Op: opPickup, Max: 3, Wait: time.Minute, After: []byte{9}},
		{Op: opRemove, IDs: []ID{{1}, {2}}},
	} {
		if r.Op != opDeposit {
			r.prove(key, "mailbox", time.Unix(1_700_000_000, 0))
		}
		f.Add(must(r.encode()))
	}
	fuzzing.Each(f, "mailbox-message", func(in message) {
		if in.Direction == "request" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r *request
		var err error
		fuzzing.Bounded(t, len(raw), func() { r, err = decodeRequest(raw) })
		if err != nil {
			return
		}
		if again := must(r.encode()); string(again) != string(raw) {
			t.Fatalf("%x was read and written as %x", raw, again)
		}
	})
}

// message is a vector of the protocol: a whole stream.
type message struct {
	Direction, Op string
	Stream        vectors.Hex
}

// content is the message without its length, whether that is right or not.
func (m message) content() []byte {
	_, n := binary.Uvarint(m.Stream)
	return m.Stream[max(n, 0):]
}

func FuzzDecodeAnswer(f *testing.F) {
	for op, a := range map[string]*answer{
		opDeposit: {Stored: ID{1}, Until: 5, Receipt: make([]byte, 64)},
		opPickup:  {Envelopes: []Envelope{{ID: IDOf([]byte{1}), Bytes: []byte{1}}}, More: true},
		opRemove:  {Removed: 3},
	} {
		f.Add(op, must(a.encode(op)))
	}
	f.Add(opPickup, must((&answer{Code: protocol.CodeClockSkew, Time: 7, Hint: "x"}).encode("")))
	fuzzing.Each(f, "mailbox-message", func(in message) {
		if in.Direction == "response" {
			f.Add(in.Op, in.content())
		}
	})
	f.Fuzz(func(t *testing.T, op string, raw []byte) {
		var a *answer
		var err error
		fuzzing.Bounded(t, len(raw), func() { a, err = decodeAnswer(op, raw) })
		if err == nil && (a == nil || a.Code != "") {
			t.Fatalf("%x: %+v without an error", raw, a)
		}
		if a != nil && len(a.Envelopes) > maxPage {
			t.Fatalf("%d envelopes", len(a.Envelopes))
		}
	})
}
