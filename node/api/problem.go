package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-protocol/parley/protocol"
)

// problemOf makes an error into what is sent.
func problemOf(err error) *Problem {
	p := &Problem{Code: string(protocol.CodeOf(err)), Detail: err.Error()}
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		p.Field, p.Detail, p.Hint = e.Field, e.Detail, e.Hint
	}
	if p.Hint == "" {
		p.Hint = protocol.Code(p.Code).Hint()
	}
	p.Status = statusOf(protocol.Code(p.Code))
	p.Title = protocol.Code(p.Code).Summary()
	return p
}

// Error reads as the detail does.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// problems makes what the HTTP layer refuses, such as a field of the wrong type,
// a problem like all others.
func problems(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Status: m.Status, Title: m.Title, Code: string(protocol.CodeUsage), Detail: m.Detail}
	switch m.Status {
	case http.StatusNotFound:
		p.Code = string(protocol.CodeNotFound)
	case http.StatusRequestEntityTooLarge:
		p.Code = string(protocol.CodeTooLarge)
	case http.StatusInternalServerError:
		p.Code = string(protocol.CodeInternal)
	}
	var details []string
	for _, e := range m.Errors {
		where := strings.TrimPrefix(strings.TrimPrefix(e.Location, "body."), "query.")
		details = append(details, where+": "+e.Message)
	}
	if len(details) > 0 {
		p.Detail = strings.Join(details, "; ")
	}
	return p, nil
}

func statusOf(code protocol.Code) int {
	switch code {
	case protocol.CodeNotFound:
		return http.StatusNotFound
	case protocol.CodeNotPermitted:
		return http.StatusForbidden
	case protocol.CodeAmbiguous, protocol.CodeAlreadyAccepted, protocol.CodeAwardsExhausted, protocol.CodeDealClosed,
		protocol.CodeConflict, protocol.CodeDuplicate, protocol.CodeRecovering, protocol.CodeUnlawfulVoid, protocol.CodeLocked:
		return http.StatusConflict
	case protocol.CodeExpired, protocol.CodeOfferExpired, protocol.CodeWithdrawn:
		return http.StatusGone
	case protocol.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case protocol.CodeDiskFull, protocol.CodeMailboxFull, protocol.CodeOverQuota:
		return http.StatusInsufficientStorage
	case protocol.CodeTimeout:
		return http.StatusGatewayTimeout
	case protocol.CodeInternal, protocol.CodeDamaged, protocol.CodeReadOnly:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

// protocolError is a problem as the error that it was.
func (p *Problem) protocolError() error {
	return &protocol.Error{Code: protocol.Code(p.Code), Field: p.Field, Detail: p.Detail, Hint: p.Hint}
}
