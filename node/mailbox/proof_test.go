package mailbox

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
)

// TestProofOfTheSpecification is the example of spec/04-sealing-and-mailboxes.md.
func TestProofOfTheSpecification(t *testing.T) {
	const (
		mailbox = "002408011220cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa"
		at      = 1767225600
		message = "7061726c65792f312f7069636b7570" + "00" + mailbox + "000000006955b900" + "7069636b7570" + "00"
		proof   = "f6be7d779fce4bed2dd3be83764dec23d146acdb1f83aed14cd973666c70c88b" +
			"4914d8e8a0ee980575766dac5c1be4e639e35a9704e110d5f359a3cdeb30d409"
		token = "6741804bcd4339558631925b7e24e9a551008f7a8d383a75634a3c801840ace1"
	)
	var seed crypto.SealingSeed
	for i := range seed {
		seed[i] = 0x40 + byte(i)
	}
	id, err := hex.DecodeString(mailbox)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(proofMessage(peer.ID(id), at, opPickup, nil)); got != message {
		t.Errorf("signed bytes\n%s, want\n%s", got, message)
	}
	r := &request{Op: opPickup}
	r.prove(seed.PickupKey(), peer.ID(id), time.Unix(at, 0))
	if got := hex.EncodeToString(r.Proof); got != proof {
		t.Errorf("proof %s, want %s", got, proof)
	}
	opened, err := r.proven(peer.ID(id), time.Unix(at, 0))
	if err != nil || hex.EncodeToString(opened[:]) != token {
		t.Errorf("token %x, %v; want %s", opened, err, token)
	}
}
