package discovery

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// The messages of the exchange of peers, DAG-CBOR maps with a varint length
// before them:
//
//	request {market: text, limit: 1..16}
//	answer  {addrs: [text]}   multiaddrs that end in /p2p/PEER, at most 64
//	     or {error: code, hint?: text}
const (
	maxNamed = 16 // peers of an answer
	maxAddrs = 64 // addresses of an answer

	maxRequest = 512      // bytes
	maxAnswer  = 32 << 10 // bytes
	maxText    = parley.MaxAddr
)

type request struct {
	market string
	limit  int
}

func (r request) encode() ([]byte, error) {
	return codec.Message().Encode(map[string]any{"market": r.market, "limit": int64(r.limit)})
}

func decodeRequest(raw []byte) (request, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return request{}, err
	}
	var r request
	for key, value := range body {
		ok := false
		switch key {
		case "market":
			r.market, ok = value.(string)
			ok = ok && parley.ValidMarket(r.market)
		case "limit":
			var n int64
			n, ok = value.(int64)
			ok = ok && n >= 1 && n <= maxNamed
			r.limit = int(n)
		}
		if !ok {
			return request{}, protocol.Errorf(protocol.CodeBadField, key, "not what a request may say")
		}
	}
	if r.market == "" || r.limit == 0 {
		return request{}, protocol.Errorf(protocol.CodeMissingField, "", "a request has a market and a limit")
	}
	return r, nil
}

// answer names peers. One with a code has nothing else.
type answer struct {
	addrs []string
	code  protocol.Code
	hint  string
}

func (a answer) encode() ([]byte, error) {
	if a.code != "" {
		return parley.EncodeRefusal(a.code, a.hint)
	}
	addrs := make([]any, len(a.addrs))
	for i, text := range a.addrs {
		addrs[i] = text
	}
	return codec.Message().Encode(map[string]any{"addrs": addrs})
}

// decodeAnswer reads an answer. Keys that this version doesn't know are ignored.
func decodeAnswer(raw []byte) (answer, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return answer{}, err
	}
	if code, failed := body["error"].(string); failed {
		return answer{code: protocol.Code(code)}, nil
	}
	list, ok := body["addrs"].([]any)
	if !ok || len(list) > maxAddrs {
		return answer{}, protocol.Errorf(protocol.CodeMalformed, "addrs", "no list of at most %d", maxAddrs)
	}
	var a answer
	for _, item := range list {
		text, ok := item.(string)
		if !ok || text == "" || len(text) > maxText {
			return answer{}, protocol.Errorf(protocol.CodeMalformed, "addrs", "not addresses of at most %d bytes", maxText)
		}
		a.addrs = append(a.addrs, text)
	}
	return a, nil
}

// infos are the peers named, at most as many as may be. An address that this node
// can't dial is passed over: the other may know kinds that this one doesn't.
func (a answer) infos() []peer.AddrInfo {
	var out []peer.AddrInfo
	for _, text := range a.addrs {
		info, err := parley.ParsePeer(text)
		if err != nil {
			continue
		}
		at := slices.IndexFunc(out, func(p peer.AddrInfo) bool { return p.ID == info.ID })
		switch {
		case at >= 0:
			out[at].Addrs = ma.Unique(append(out[at].Addrs, info.Addrs...))
		case len(out) < maxNamed:
			out = append(out, info)
		}
	}
	return out
}
