package gossip

import (
	"context"
	"time"
)

// meshPoll is how often AwaitMesh looks. A mesh forms within a heartbeat.
const meshPoll = 50 * time.Millisecond

// AwaitMesh waits until there is somebody in the market to whom full frames go,
// or until ctx ends, and tells which. A frame that is published before is seen
// by nobody and, as its hash is remembered, can't be published again within
// [SeenFor]; others then have it only by asking.
func (g *Gossip) AwaitMesh(ctx context.Context, name string) bool {
	topic := topicOf(name)
	ticker := time.NewTicker(meshPoll)
	defer ticker.Stop()
	for g.tracer.meshSize(topic) == 0 {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}
