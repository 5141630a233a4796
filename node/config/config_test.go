package config_test

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/protocol"
)

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	missing, err := config.Load(filepath.Join(t.TempDir(), "none"), env(nil))
	if err != nil || !missing.MDNS || missing.LogLevel != "warn" || len(missing.Listen) == 0 {
		t.Errorf("without a file: %+v, %v", missing, err)
	}
	path := write(t, "listen = ['/ip4/127.0.0.1/tcp/4100']\nmdns = false\n")
	c, err := config.Load(path, env(map[string]string{"PARLEY_MDNS": "true", "PARLEY_LOG_LEVEL": "debug"}))
	if err != nil || !c.MDNS || c.LogLevel != "debug" || !slices.Equal(c.Listen, []string{"/ip4/127.0.0.1/tcp/4100"}) {
		t.Errorf("a variable goes over the file: %+v, %v", c, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	const peer = "/ip4/127.0.0.1/tcp/4100/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	for name, c := range map[string]struct {
		text string
		env  map[string]string
		says string
	}{
		"a setting that doesn't exist": {text: "lissten = []", says: "lissten"},
		"no TOML":                      {text: "listen = [", says: "listen"},
		"a wrong type":                 {text: "mdns = 'yes'", says: "mdns"},
		"a level":                      {text: "log_level = 'loud'", says: "loud"},
		"an address":                   {text: "listen = ['here']", says: "here"},
		"an address of a node":         {text: "listen = ['" + peer + "']", says: "/p2p/"},
		"a peer without its ID":        {text: "peers = ['/ip4/127.0.0.1/tcp/4100']", says: "/p2p/"},
		"a mailbox without its ID":     {text: "mailboxes = ['/ip4/127.0.0.1/tcp/4100']", says: "/p2p/"},
		"a relay without its ID":       {text: "relays = ['/ip4/127.0.0.1/tcp/4100']", says: "/p2p/"},
		"a relay behind a relay":       {env: map[string]string{"PARLEY_RELAYS": peer + "/p2p-circuit/p2p/12D3KooWNvSZnPi3RrhrTwEY4LuuBeB6K6facKUCJcyWG1aoDd2p"}, says: "directly"},
		"a truth":                      {env: map[string]string{"PARLEY_MDNS": "perhaps"}, says: "perhaps"},
		"a number":                     {env: map[string]string{"PARLEY_MARKET_SPACE": "much"}, says: "much"},
		"a number too small":           {text: "market_space = -1", says: "market_space"},
		"a list":                       {env: map[string]string{"PARLEY_LISTEN": "x,y"}, says: "x"},
	} {
		_, err := config.Load(write(t, c.text), env(c.env))
		if protocol.CodeOf(err) != protocol.CodeUsage || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextReadsBack(t *testing.T) {
	c := config.Default()
	c.Listen, c.ServeMailbox, c.MDNS = []string{"/ip4/127.0.0.1/tcp/4100"}, true, false
	text, err := c.Text()
	if err != nil {
		t.Fatal(err)
	}
	back, err := config.Load(write(t, string(text)), env(nil))
	if err != nil || !slices.Equal(back.Listen, c.Listen) || !back.ServeMailbox || back.MDNS {
		t.Errorf("%+v, %v from\n%s", back, err, text)
	}
}

func TestPinPorts(t *testing.T) {
	c := config.Default()
	c.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/4100"}
	if err := c.PinPorts(); err != nil {
		t.Fatal(err)
	}
	port := strings.Split(c.Listen[0], "/")[4]
	if n, err := strconv.Atoi(port); err != nil || n < 1024 {
		t.Fatalf("port %q", port)
	}
	if want := []string{"/ip4/127.0.0.1/tcp/" + port, "/ip4/127.0.0.1/udp/" + port + "/quic-v1", "/ip4/127.0.0.1/tcp/4100"}; !slices.Equal(c.Listen, want) {
		t.Errorf("%q, want %q", c.Listen, want)
	}
}

func TestBusy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := "/ip4/127.0.0.1/tcp/" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	c := config.Default()
	c.Listen = []string{taken, "/ip4/127.0.0.1/tcp/0"}
	if got := c.Busy(); !slices.Equal(got, []string{taken}) {
		t.Errorf("%q", got)
	}
}

// Whoever mistyped a setting is led to its line.
func TestUnknownSettingNamesItsLine(t *testing.T) {
	_, err := config.Load(write(t, "mdns = false\n\nlissten = ['/ip4/127.0.0.1/tcp/4100']\n"), env(nil))
	if err == nil || !strings.Contains(err.Error(), "3| lissten") {
		t.Errorf("%v", err)
	}
}

// A variable that is set to nothing is not set.
func TestEmptyVariable(t *testing.T) {
	c, err := config.Load(write(t, "log_level = 'error'\nserve_mailbox = true\n"), func(string) string { return "" })
	if err != nil || c.LogLevel != "error" || !c.ServeMailbox {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestMarketSpace(t *testing.T) {
	c, err := config.Load(write(t, "market_space = 5\n"), env(map[string]string{"PARLEY_MARKET_SPACE": "7"}))
	if err != nil || c.MarketSpace != 7 || c.MarketBytes() != 7<<20 {
		t.Errorf("%+v, %v", c, err)
	}
	if n := config.Default().MarketBytes(); n != 256<<20 {
		t.Errorf("%d bytes unless told otherwise", n)
	}
}

// Every setting has a variable and a sentence.
func TestEverySettingIsDescribed(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		name := "PARLEY_" + strings.ToUpper(strings.Split(f.Tag.Get("toml"), ",")[0])
		if f.Tag.Get("env") != name || f.Tag.Get("comment") == "" {
			t.Errorf("%s: variable %q, want %q; comment %q", f.Name, f.Tag.Get("env"), name, f.Tag.Get("comment"))
		}
	}
}
