// Code generated from spec/registry/return-policies.csv by spec/gen. DO NOT EDIT.

package protocol

// What an offer says about returns.
const (
	ReturnCustomerPays    = "customer_pays"    // The customer pays for sending goods back.
	ReturnFiniteWindow    = "finite_window"    // Goods can be returned within some days.
	ReturnFixed           = "fixed"            // A return costs a fixed amount.
	ReturnFree            = "free"             // A return costs nothing.
	ReturnNotPermitted    = "not_permitted"    // Goods cannot be returned.
	ReturnUnlimitedWindow = "unlimited_window" // Goods can be returned at any time.
)

// ReturnPolicy is one line of the registry of return policies.
type ReturnPolicy struct {
	Code    string // as in records
	UsedBy  string // the field that says it
	Summary string // what it says, a sentence
}

// ReturnPolicies lists the registered codes in their order.
func ReturnPolicies() []ReturnPolicy {
	return []ReturnPolicy{
		{Code: ReturnCustomerPays, UsedBy: "returnFees", Summary: "The customer pays for sending goods back."},
		{Code: ReturnFiniteWindow, UsedBy: "returnPolicyCategory", Summary: "Goods can be returned within some days."},
		{Code: ReturnFixed, UsedBy: "returnFees", Summary: "A return costs a fixed amount."},
		{Code: ReturnFree, UsedBy: "returnFees", Summary: "A return costs nothing."},
		{Code: ReturnNotPermitted, UsedBy: "returnPolicyCategory", Summary: "Goods cannot be returned."},
		{Code: ReturnUnlimitedWindow, UsedBy: "returnPolicyCategory", Summary: "Goods can be returned at any time."},
	}
}
