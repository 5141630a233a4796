package protocol

// ProtocolName is the name that a stream protocol has in
// spec/registry/protocols.csv; of one that this version doesn't know it is empty.
func ProtocolName(id string) string {
	switch id {
	case ProtocolCatchup:
		return "catchup"
	case ProtocolGossip:
		return "gossip"
	case ProtocolMailbox:
		return "mailbox"
	case ProtocolPeers:
		return "peers"
	case ProtocolStem:
		return "stem"
	}
	return ""
}
