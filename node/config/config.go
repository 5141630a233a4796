// Package config is what a person can set: one strict TOML file, mirrored by
// PARLEY_* variables and by flags. What isn't in the file is at its default, so
// that a better default of a later version takes effect.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Config is the node's settings. Keys never stand here.
type Config struct {
	// Listen are the multiaddrs that the node listens on, TCP and QUIC.
	Listen []string `toml:"listen" json:"listen" env:"PARLEY_LISTEN" comment:"Addresses to listen on (multiaddrs, TCP and QUIC)."`
	// Announce are further addresses at which others reach this node.
	Announce []string `toml:"announce,omitempty" json:"announce" env:"PARLEY_ANNOUNCE" comment:"Further addresses at which others reach this node, such as a forwarded port."`
	// Peers are nodes to stay connected to.
	Peers []string `toml:"peers,omitempty" json:"peers" env:"PARLEY_PEERS" comment:"Nodes to stay connected to (multiaddrs that end in /p2p/PEER)."`
	// Bootstrap are nodes to ask for others.
	Bootstrap []string `toml:"bootstrap,omitempty" json:"bootstrap" env:"PARLEY_BOOTSTRAP" comment:"Nodes to ask for others (multiaddrs that end in /p2p/NODE), beside those of peers and those met before."`
	// Discovery says whether nodes of one's markets are looked for beyond these.
	Discovery string `toml:"discovery" json:"discovery" env:"PARLEY_DISCOVERY" comment:"Find nodes of one's markets by asking others: auto, client (ask only), server (answer too) or off."`
	// Traversal gets this node through a router that stands before it.
	Traversal bool `toml:"traversal" json:"traversal" env:"PARLEY_TRAVERSAL" comment:"Get through a router: find out whether others reach this node, be reached through relays when they don't, and go over to direct connections where the router allows it."`
	// PortMapping asks the router for a port.
	PortMapping bool `toml:"port_mapping" json:"port_mapping" env:"PARLEY_PORT_MAPPING" comment:"Ask the router for a port, by UPnP or NAT-PMP (with traversal)."`
	// Relays are the only ones to be reached through.
	Relays []string `toml:"relays,omitempty" json:"relays" env:"PARLEY_RELAYS" comment:"Nodes to be reached through (multiaddrs that end in /p2p/NODE). None: those met that relay."`
	// ServeRelay relays for others.
	ServeRelay bool `toml:"serve_relay,omitempty" json:"serve_relay" env:"PARLEY_SERVE_RELAY" comment:"Relay for nodes that others can't reach, within narrow limits. For nodes that others can reach."`
	// Mailboxes are where others leave replies; none: see FindMailboxes, and else
	// at this node itself.
	Mailboxes []string `toml:"mailboxes,omitempty" json:"mailboxes" env:"PARLEY_MAILBOXES" comment:"Mailboxes where others leave replies. Without any: at this node itself, which shows them its address."`
	// FindMailboxes names mailboxes of connected nodes in requests.
	FindMailboxes bool `toml:"find_mailboxes" json:"find_mailboxes" env:"PARLEY_FIND_MAILBOXES" comment:"Have replies to requests left at connected nodes that serve everybody too, where fewer than two mailboxes are named above."`
	// ServeMailbox keeps envelopes for others.
	ServeMailbox bool `toml:"serve_mailbox,omitempty" json:"serve_mailbox" env:"PARLEY_SERVE_MAILBOX" comment:"Keep sealed envelopes for others too."`
	// MarketSpace bounds what is kept of others' public records, in MiB.
	MarketSpace int `toml:"market_space,omitempty" json:"market_space" env:"PARLEY_MARKET_SPACE" comment:"How many MiB of others' public records are kept; what is oldest goes first. 256 when not set."`
	// MDNS finds nodes on the local network.
	MDNS bool `toml:"mdns" json:"mdns" env:"PARLEY_MDNS" comment:"Find nodes on the local network."`
	// Stem sends own requests along a few other nodes before their market sees them.
	Stem bool `toml:"stem" json:"stem" env:"PARLEY_STEM" comment:"Send own requests along a few other nodes first, so that it is hard to tell whose they are, and pass on others'."`
	// Flood sends own records to every known peer of a market.
	Flood bool `toml:"flood,omitempty" json:"flood" env:"PARLEY_FLOOD" comment:"Send own records to every known node of a market: surer, and easier to trace. For sellers."`
	// TestNetwork lifts the limits per IP address.
	TestNetwork bool `toml:"test_network,omitempty" json:"test_network" env:"PARLEY_TEST_NETWORK" comment:"Lift the limits per IP address, for test networks on one machine."`
	// PassphraseFile has the passphrase of the keys, which never stands here.
	PassphraseFile string `toml:"passphrase_file,omitempty" json:"passphrase_file" env:"PARLEY_PASSPHRASE_FILE" comment:"File with the passphrase that the keys are under, for a node that starts by itself. Not the passphrase."`
	// LogLevel is debug, info, warn or error.
	LogLevel string `toml:"log_level" json:"log_level" env:"PARLEY_LOG_LEVEL" comment:"debug, info, warn or error."`
}

// Bounds of MarketSpace, in MiB.
const (
	usualMarketSpace = 256
	maxMarketSpace   = 1 << 20
)

// MarketBytes is MarketSpace in bytes, with its default.
func (c Config) MarketBytes() int64 {
	if c.MarketSpace == 0 {
		return usualMarketSpace << 20
	}
	return int64(c.MarketSpace) << 20
}

// Default suits a laptop.
func Default() Config {
	return Config{Listen: network.DefaultConfig().ListenAddrs, MDNS: true, FindMailboxes: true, Stem: true, Discovery: "auto", Traversal: true, PortMapping: true, LogLevel: "warn"}
}

// Load reads the file, which need not be there, then the variables of the
// environment that getenv knows.
func Load(path string, getenv func(string) string) (Config, error) {
	c := Default()
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return c, home.Explain(err, path)
	default:
		if err := c.parse(path, text); err != nil {
			return c, err
		}
	}
	if err := c.fromEnv(getenv); err != nil {
		return c, err
	}
	return c, c.Validate()
}

func (c *Config) parse(path string, text []byte) error {
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := dec.Decode(c)
	if err == nil {
		return nil
	}
	detail := err.Error()
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		detail = "a setting that doesn't exist:\n" + strict.String()
	} else if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
		detail = syntax.String()
	}
	return &protocol.Error{Code: protocol.CodeUsage, Field: path, Detail: detail, Hint: "mend or remove the line; parley doctor lists the settings", Err: err}
}

func (c *Config) fromEnv(getenv func(string) string) error {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("env")
		text := getenv(name)
		if text == "" {
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.Slice:
			f.Set(reflect.ValueOf(strings.Split(text, ",")))
		case reflect.Bool:
			b, err := strconv.ParseBool(text)
			if err != nil {
				return protocol.Errorf(protocol.CodeUsage, name, "%q is neither true nor false", text)
			}
			f.SetBool(b)
		case reflect.Int:
			n, err := strconv.Atoi(text)
			if err != nil {
				return protocol.Errorf(protocol.CodeUsage, name, "%q is not a whole number", text)
			}
			f.SetInt(int64(n))
		default:
			f.SetString(text)
		}
	}
	return nil
}

// Validate tells the first setting that can't be.
func (c Config) Validate() error {
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		return protocol.Errorf(protocol.CodeUsage, "log_level", "%q is none of debug, info, warn, error", c.LogLevel)
	}
	switch c.Discovery {
	case "auto", "client", "server", "off":
	default:
		return protocol.Errorf(protocol.CodeUsage, "discovery", "%q is none of auto, client, server, off", c.Discovery)
	}
	if c.MarketSpace < 0 || c.MarketSpace > maxMarketSpace {
		return protocol.Errorf(protocol.CodeUsage, "market_space", "%d MiB; 1 to %d", c.MarketSpace, maxMarketSpace)
	}
	attach := network.DefaultConfig()
	attach.Seed = [32]byte{1} // the keyring has the real one
	attach.ListenAddrs, attach.AnnounceAddrs, attach.StaticPeers, attach.Relays = c.Listen, c.Announce, c.Peers, c.Relays
	if err := attach.Validate(); err != nil {
		return badSetting("peers", err)
	}
	if _, err := network.ParsePeers(c.Bootstrap); err != nil {
		return badSetting("bootstrap", err)
	}
	if _, err := network.ParsePeers(c.Mailboxes); err != nil {
		return badSetting("mailboxes", err)
	}
	if n := len(c.Mailboxes); n > protocol.MaxMailboxes {
		return protocol.Errorf(protocol.CodeUsage, "mailboxes", "%d mailboxes; at most %d", n, protocol.MaxMailboxes)
	}
	return nil
}

// badSetting makes an error of an address one of the settings.
func badSetting(field string, err error) error {
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok || e.Code == protocol.CodeUsage {
		return err
	}
	return &protocol.Error{Code: protocol.CodeUsage, Field: field, Detail: e.Detail, Hint: "write it as parley id shows it there: /ip4/ADDRESS/tcp/PORT/p2p/NODE", Err: err}
}

// Text is the file that holds these settings.
func (c Config) Text() ([]byte, error) {
	text, err := toml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return text, nil
}
