package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/keyring"
)

// typeBackup is the content type of an age file.
const typeBackup = "application/vnd.age"

func (s *Server) backupRoutes() {
	op := s.operation(http.MethodPost, "/v1/backup", "backup", "Everything that can't be rebuilt, in one encrypted file", typeBackup)
	huma.Register(s.api, op, s.backup)
	handle(s, http.MethodGet, "/v1/persona", "persona", "The key that this node's seller is known by", s.getPersona)
	handle(s, http.MethodPost, "/v1/persona/rotate", "rotatePersona", "Make the seller's next key today's", s.rotatePersona)
}

// NewBackup says to whom a backup is encrypted: to the holder of the 24 words and
// to the recipients, or under the passphrase alone.
type NewBackup struct {
	Recipients []string `json:"recipients,omitempty" doc:"Further recipients, in age's form"`
	Passphrase string   `json:"passphrase,omitempty"`
}

func (s *Server) backup(_ context.Context, in *with[NewBackup]) (*huma.StreamResponse, error) {
	to, err := backup.Recipients(s.node.Home(), in.Body.Recipients, in.Body.Passphrase)
	if err != nil {
		return nil, problemOf(err)
	}
	b := s.desk().Book()
	now := time.Unix(s.now(), 0)
	src := backup.Source{Keys: s.node.Keys, Book: b, InUse: func() []keyring.KeyID { return desk.SeedsInUse(b, now.Unix()) }, Now: now}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", typeBackup)
		if err := backup.Write(ctx.Context(), ctx.BodyWriter(), src, to...); err != nil {
			panic(http.ErrAbortHandler) // an answer that breaks off isn't taken for a whole one
		}
	}}, nil
}

// Rotation is the seller's next key. It is derived where the phrase is typed, so
// that the phrase itself goes nowhere.
type Rotation struct {
	Key []byte `json:"key" doc:"Secret: what keyring.Succession.Bytes writes"`
}

func (s *Server) rotatePersona(ctx context.Context, in *with[Rotation]) (*with[Persona], error) {
	next, err := keyring.ParseSuccession(in.Body.Key)
	clear(in.Body.Key)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().RotatePersona(ctx, next)
	if err != nil {
		return nil, err
	}
	v := PersonaOf(s.node.Keys.Identity())
	if rec != nil {
		v.Profile = rec.ID().String()
	}
	return body(v), nil
}

// Persona is the seller's name, through its rotations.
type Persona struct {
	DID     string   `json:"did"`
	Device  uint32   `json:"device" doc:"Number of the device"`
	Number  uint32   `json:"number" doc:"How often the key was rotated"`
	Before  []string `json:"before" doc:"The keys of before, oldest first"`
	Profile string   `json:"profile,omitempty" doc:"The record that says so to others; none if the seller hasn't presented itself"`
}

// PersonaOf tells what everybody may know of an identity.
func PersonaOf(id *keyring.Identity) Persona {
	v := Persona{DID: string(id.Persona().DID()), Device: id.Device(), Number: id.PersonaNumber(), Before: []string{}}
	for _, did := range id.Personas() {
		if string(did) != v.DID {
			v.Before = append(v.Before, string(did))
		}
	}
	return v
}

func (s *Server) getPersona(context.Context, *none) (*with[Persona], error) {
	return body(PersonaOf(s.node.Keys.Identity())), nil
}
