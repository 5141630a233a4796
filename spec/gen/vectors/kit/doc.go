// Package kit is what the generators of test vectors have in common: CBOR put
// together byte by byte, right or wrong; keys, IDs and signatures; example
// bodies; and the files' form.
//
// It shares no code with the implementation in this repository, so that a
// vector can't be wrong in the way the implementation is. What a case must give
// is written down by hand in the generators, from the documents.
package kit
