// Package spec carries the specification of Parley: its documents, its
// schemas and its registries, as they were when the program was built. It
// holds no code of the protocol and imports nothing of the project, so that
// anybody may embed it, in a verifier of their own for instance.
package spec

import "embed"

//go:generate go run ./gen

// FS holds the documents (*.md), the schemas (*.cddl) and the registries
// (registry/*.csv), under the paths that they have in this folder.
//
//go:embed *.md *.cddl registry/*.csv
var FS embed.FS
