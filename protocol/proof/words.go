package proof

import (
	"fmt"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/terms"
)

// words says what the archive proves and what it doesn't, in sentences for
// somebody who has never heard of the program.
func (r *Report) words() (proves, doesNot []string) {
	if r.OK {
		proves = append(proves, fmt.Sprintf("All %s are signed by the keys that they name, and not one character was changed since.", count(r.Records, "record")))
	} else {
		proves = append(proves, "Some checks failed: see the list. Only what passed them counts below.")
	}
	// A store of hundreds of deals is for a table, not for prose.
	const mostSentences = 20
	for i, fact := range r.Deals {
		if i == mostSentences {
			proves = append(proves, fmt.Sprintf("And so on for %s more.", count(len(r.Deals)-i, "deal")))
			break
		}
		proves = append(proves, fact.sentence())
	}
	if r.Kind == KindStore {
		proves = append(proves, "Whoever has this file can see that one program kept all of these requests together.")
	}
	return proves, []string{
		"It does not prove who the people or firms behind the keys are.",
		"It does not prove the times: they are what each side's own clock said.",
		"It does not prove that nothing is missing: another record, of this deal or of another one, may exist and say more.",
		"It does not prove that anything was delivered, paid or kept to: what either side says of that is its word.",
		"It does not prove that the agreement is valid in law.",
	}
}

// sentence says what one deal's records add up to.
func (f *DealFact) sentence() string {
	switch f.Phase {
	case deal.PhaseAgreed:
		return f.agreed()
	case deal.PhasePending:
		return fmt.Sprintf("The customer's key %s accepted an offer of the seller's key %s; the seller's decision is not in this file.", f.Customer, f.Seller)
	case deal.PhaseVoided:
		if f.Round > 1 {
			return fmt.Sprintf("Round %d between the customer's key %s and the seller's key %s was voided: it made no agreement and changed none.", f.Round, f.Customer, f.Seller)
		}
		return fmt.Sprintf("The deal between the customer's key %s and the seller's key %s was voided: there is no agreement.", f.Customer, f.Seller)
	case deal.PhaseConflict:
		return fmt.Sprintf("The records of the deal between %s and %s contradict each other: %s in this file are the signed evidence of it.", f.Customer, f.Seller, count(len(f.Evidence), "record"))
	case deal.PhaseOpen:
		return fmt.Sprintf("The seller's key %s answered the request of the customer's key %s; nothing was accepted.", f.Seller, f.Customer)
	}
	return fmt.Sprintf("There are records of a deal with the seller's key %s, but not the request that it is about.", f.Seller)
}

// agreed says what was agreed, whether it holds, and what was said since.
func (f *DealFact) agreed() string {
	text := fmt.Sprintf("The customer's key %s accepted an offer, and the seller's key %s confirmed it: this is the agreement %s.", f.Customer, f.Seller, f.Agreement)
	if offer := f.accepted; offer != nil {
		text += fmt.Sprintf(" Its price is %s %s in all, and its terms are: %s", offer.TotalPrice, offer.PriceCurrency, terms.Describe(offer.Terms))
	}
	if f.Changes != nil {
		text += fmt.Sprintf(" It takes the place of the agreement %s.", f.Changes)
	}
	if !f.InForce {
		text += " It no longer holds: a later agreement in this file took its place."
	}
	return text + f.Customers.sentences("customer") + f.Sellers.sentences("seller")
}

// sentences says what one side said since the agreement, "" for nothing.
func (w *WordFact) sentences(side string) (text string) {
	if w == nil {
		return ""
	}
	if len(w.Events) > 0 {
		text += fmt.Sprintf(" By the %s's word since: %s.", side, strings.Join(inWords(w.Events), ", "))
	}
	if len(w.Receipts) > 0 {
		text += fmt.Sprintf(" The %s gave %s.", side, count(len(w.Receipts), "receipt"))
	}
	if w.Outcome != "" {
		text += fmt.Sprintf(" What came of it, by the %s's word: %s.", side, inWords([]string{known(w.Outcome)})[0])
	}
	return text
}

// known is an outcome's code if it is registered, else "other".
func known(outcome string) string {
	for _, o := range protocol.Outcomes() {
		if o.Code == outcome {
			return outcome
		}
	}
	return deal.StatusOther
}

// inWords is codes as people read them.
func inWords(codes []string) []string {
	words := make([]string, len(codes))
	for i, code := range codes {
		words[i] = strings.ReplaceAll(code, "_", " ")
	}
	return words
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
