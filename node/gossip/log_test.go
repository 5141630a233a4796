package gossip

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// What strangers bring about fills no log, unless one looks for trouble.
func TestPubsubIsQuiet(t *testing.T) {
	for level, heard := range map[slog.Level]bool{slog.LevelWarn: false, slog.LevelInfo: false, slog.LevelDebug: true} {
		var out bytes.Buffer
		log := slog.New(quieter{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})})
		log.With("peer", "p").WithGroup("g").Error("queue full")
		if got := strings.Contains(out.String(), "queue full"); got != heard {
			t.Errorf("at %s: %q", level, out.String())
		}
		if heard && !strings.Contains(out.String(), "DEBUG") {
			t.Errorf("at %s: %q", level, out.String())
		}
	}
}
