package mailbox

import (
	"time"

	"github.com/parley-protocol/parley/protocol"
)

// Limits hold strangers to a rate and bound what the server has in memory. Zero
// fields mean the defaults. Quotas per token and in all are the store's: see
// [SpoolLimits].
type Limits struct {
	For                   func(Token) bool // whose mail is kept; nil: everybody's
	DepositBytesPerSecond float64          // of one depositor: peer, and address; default 64 KiB
	DepositBurst          float64          // bytes; default 8 MiB
	DepositsPerDay        float64          // bytes that one address may leave here in a day; default 64 MiB
	TokenShare            float64          // of them for one token; default 2 MiB, half of what a token may have
	RequestsPerSecond     float64          // pick-ups and removals of one address; default 4
	RequestBurst          float64          // default 240
	Waits                 int              // pick-ups that wait at once; default 512
	WaitsPerToken         int              // default 4
	ArrivingBytes         int              // envelopes on their way to the disk; default 16 MiB
	Streams               int              // requests at once; default 1,024
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		value *float64
		usual float64
	}{
		{&l.DepositBytesPerSecond, 64 << 10},
		{&l.DepositBurst, 8 << 20},
		{&l.DepositsPerDay, 64 << 20},
		{&l.TokenShare, protocol.MaxTokenBytes / 2},
		{&l.RequestsPerSecond, 4},
		{&l.RequestBurst, 240},
	} {
		if *f.value <= 0 {
			*f.value = f.usual
		}
	}
	for _, f := range []struct {
		value *int
		usual int
	}{
		{&l.Waits, 512},
		{&l.WaitsPerToken, 4},
		{&l.ArrivingBytes, 16 << 20},
		{&l.Streams, 1024},
	} {
		if *f.value <= 0 {
			*f.value = f.usual
		}
	}
	return l
}

const (
	requestTime = 30 * time.Second // to send a request, and again to take the answer
	sweepEvery  = time.Hour
	pagesAtOnce = 16   // pages that are read from the disk at once, 1 MiB each
	rateKeys    = 8192 // depositors that a rate is remembered for

	// leastDeposit is what the smallest envelope counts for in a rate.
	leastDeposit = 4 << 10
)
