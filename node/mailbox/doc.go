// Package mailbox takes sealed envelopes in for those who aren't there to
// receive them, and brings one's own from the mailboxes of others.
// Specification: spec/04-sealing-and-mailboxes.md.
//
// A mailbox knows tokens, not people: whoever knows a token may leave envelopes
// under it, and whoever has the key that the token is the hash of may pick them
// up and remove them. It can't open them and doesn't know who wrote them. It
// does see IP addresses.
package mailbox
