// Transcripts of nostr-tools' implementation (nip77.ts, client side) against
// itself; items are derived as the test derives them.
import { Negentropy, NegentropyStorageVector } from './package/lib/esm/nip77.js'
import { createHash } from 'node:crypto'
const id = (seed, i) => createHash('sha256').update(`${seed}/${i}`).digest('hex')
const store = (seed, n, step, skip) => {
  const s = new NegentropyStorageVector()
  for (let i = 0; i < n; i++) if (!skip(i)) s.insert(1700000000 + Math.floor(i / step), id(seed, i))
  s.seal()
  return s
}
const out = []
for (const c of [
  { seed: 'few', n: 20, step: 1, a: 7, b: 5 },
  { seed: 'many', n: 400, step: 3, a: 41, b: 97 },
  { seed: 'one-time', n: 200, step: 1000, a: 50, b: 61 },
  { seed: 'same', n: 300, step: 2, a: 1000, b: 1000 },
  { seed: 'all-missing', n: 100, step: 2, a: 1000, b: 1 },
]) {
  const A = store(c.seed, c.n, c.step, i => i % c.a === 3), B = store(c.seed, c.n, c.step, i => i % c.b === 0)
  const na = new Negentropy(A, 1e9), nb = new Negentropy(B, 1e9)
  const first = na.initiate(), have = [], need = []
  // What the other side says to a message of fingerprints is the same on both sides.
  const firstLists = c.n < 32
  const answer = firstLists ? null : nb.reconcile(first)
  const next = answer ? na.reconcile(answer, h => have.push(h), n => need.push(n)) : null
  out.push({ ...c, first, answer, next, have: have.sort(), need: need.sort() })
}
console.log(JSON.stringify(out, null, 1))
