package config

// Busy are the listen addresses on whose port another program listens. It tells
// nothing of use while the node itself runs.
func (c Config) Busy() []string {
	var out []string
	for _, a := range c.Listen {
		if withPort(a, 1) == a && !isFree(a) {
			out = append(out, a)
		}
	}
	return out
}
