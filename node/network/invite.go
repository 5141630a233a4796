package network

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// Bounds of an invite.
const (
	MaxInvite        = 4096 // bytes of the link
	MaxInviteAddrs   = 8
	MaxInviteMarkets = 32
	MaxInviteName    = 200 // bytes
)

const (
	inviteScheme   = "parley://join/"
	inviteChecksum = 4 // bytes
	inviteLabel    = "parley/1/invite\x00"
)

// Invite is what one node tells another so that the two become a network.
type Invite struct {
	Addrs   []string // full multiaddrs, see [ParsePeer]
	Markets []string // markets that the inviter is in; may be empty
	Name    string   // what the inviter calls itself, for a person to read; may be empty
}

// EncodeInvite writes the link parley://join/TEXT. TEXT is unpadded base64url
// of the DAG-CBOR map {addrs, markets?, name?} and a checksum: the first 4
// bytes of SHA-256 over "parley/1/invite", a zero byte and the map.
func EncodeInvite(invite Invite) (string, error) {
	if err := invite.validate(); err != nil {
		return "", err
	}
	body := map[string]any{"addrs": texts(invite.Addrs)}
	if len(invite.Markets) > 0 {
		body["markets"] = texts(invite.Markets)
	}
	if invite.Name != "" {
		body["name"] = invite.Name
	}
	block, err := codec.Encode(body)
	if err != nil {
		return "", err
	}
	link := inviteScheme + base64.RawURLEncoding.EncodeToString(append(block, checksum(block)...))
	if len(link) > MaxInvite {
		return "", protocol.Errorf(protocol.CodeTooLarge, "", "an invite of %d bytes; at most %d", len(link), MaxInvite)
	}
	return link, nil
}

// DecodeInvite reads a link of [EncodeInvite]; space around it is ignored, as
// it comes from a clipboard. A mistyped or cut link is refused by its checksum.
// The errors are of code malformed, too_large or bad_field.
func DecodeInvite(link string) (Invite, error) {
	link = strings.TrimSpace(link)
	if len(link) > MaxInvite {
		return Invite{}, protocol.Errorf(protocol.CodeTooLarge, "", "an invite of %d bytes; at most %d", len(link), MaxInvite)
	}
	text, ok := strings.CutPrefix(link, inviteScheme)
	if !ok {
		return Invite{}, malformedInvite("doesn't start with %s", inviteScheme)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips line breaks, which no invite has.
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return Invite{}, malformedInvite("has characters that no invite has")
	}
	if len(raw) <= inviteChecksum {
		return Invite{}, malformedInvite("is too short")
	}
	block, sum := raw[:len(raw)-inviteChecksum], raw[len(raw)-inviteChecksum:]
	if !bytes.Equal(checksum(block), sum) {
		return Invite{}, malformedInvite("was mistyped or cut: its checksum doesn't fit")
	}
	value, err := codec.Decode(block)
	if err != nil {
		return Invite{}, err
	}
	invite, err := inviteOf(value)
	if err != nil {
		return Invite{}, err
	}
	return invite, invite.validate()
}

// inviteOf reads the invite's map. Unknown keys are ignored: an invite binds
// nobody, and a newer program may say more in it.
func inviteOf(value any) (Invite, error) {
	body, ok := value.(map[string]any)
	if !ok {
		return Invite{}, malformedInvite("isn't a map")
	}
	var invite Invite
	if invite.Addrs, ok = textList(body["addrs"]); !ok {
		return Invite{}, malformedInvite("has no list of addresses")
	}
	if markets, has := body["markets"]; has {
		if invite.Markets, ok = textList(markets); !ok || len(invite.Markets) == 0 {
			return Invite{}, malformedInvite("has no list of markets")
		}
	}
	if name, has := body["name"]; has {
		if invite.Name, ok = name.(string); !ok || invite.Name == "" {
			return Invite{}, malformedInvite("has a name that isn't text")
		}
	}
	return invite, nil
}

func (i Invite) validate() error {
	switch {
	case len(i.Addrs) == 0 || len(i.Addrs) > MaxInviteAddrs:
		return badInvite("addrs", "%d addresses; 1 to %d", len(i.Addrs), MaxInviteAddrs)
	case len(i.Markets) > MaxInviteMarkets:
		return badInvite("markets", "%d markets; at most %d", len(i.Markets), MaxInviteMarkets)
	case len(i.Name) > MaxInviteName:
		return badInvite("name", "%d bytes; at most %d", len(i.Name), MaxInviteName)
	case strings.ContainsFunc(i.Name, isControl):
		return badInvite("name", "has control characters")
	}
	for _, market := range i.Markets {
		if !ValidMarket(market) {
			return badInvite("markets", "%q is not a market's name", market)
		}
	}
	_, err := ParsePeers(i.Addrs)
	return err
}

func checksum(block []byte) []byte {
	sum := sha256.Sum256(append([]byte(inviteLabel), block...))
	return sum[:inviteChecksum]
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

func texts(list []string) []any {
	values := make([]any, len(list))
	for i, text := range list {
		values[i] = text
	}
	return values
}

func textList(value any) ([]string, bool) {
	values, ok := value.([]any)
	if !ok {
		return nil, false
	}
	list := make([]string, len(values))
	for i, v := range values {
		if list[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return list, true
}

func malformedInvite(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeMalformed, "invite", format, args...)
}

func badInvite(field, format string, args ...any) error {
	return protocol.Errorf(protocol.CodeBadField, field, format, args...)
}
