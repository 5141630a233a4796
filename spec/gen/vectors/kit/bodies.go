package kit

import "strings"

// The moment at which all is said in the vectors, unless a case is about time.
const (
	T0  = 1767225600 // 2026-01-01T00:00:00Z
	Day = 86400
)

// The parties of the examples.
var (
	Customer = NewKey("customer")
	Vendor   = NewKey("vendor")
	Stranger = NewKey("stranger")
)

// Address is an address of a mailbox.
func Address(name string) string {
	return "/dns/" + name + ".example.com/tcp/4001/p2p/" + Peer(name)
}

// ReplyTo is a replyTo of a suite. Its key has the right length and is nobody's.
func ReplyTo(suite int, name string) Map {
	key := Hash("sealing key: " + name)
	if suite == 2 {
		key = Filler("sealing key: "+name, 1216)
	}
	return Map{
		"suite": suite, "key": key, "token": Hash("token: " + name),
		"mailboxes": List{Address("mail")},
	}
}

// unreachable is a replyTo without mailboxes, which is shorter.
func unreachable(name string) Map { return With(ReplyTo(1, name), "mailboxes", List{}) }

// Header is a body's header with what the type adds.
func Header(typ string, by Key, more Map) Map {
	body := Map{"type": typ, "v": 1, "by": by.DID(), "at": T0, "retainUntil": T0 + 60*Day}
	for key, value := range more {
		body[key] = value
	}
	return body
}

// SomeID is the ID of a block that nobody has.
func SomeID(name string) ID { return SumID([]byte(name)) }

// DealKey is the key that the bodies below state.
func DealKey() List { return List{SomeID("intent"), Vendor.DID(), 1} }

// Body is an example of a type.
type Body struct {
	Type string
	Key  Key // its author
	Min  Map // only what is required
	Full Map // all that there is
}

// Bodies is an example of every current type.
func Bodies() []Body {
	item := Map{"name": "Desk"}
	offerItem := Map{"name": "Desk", "price": "199.9"}
	area := Map{"addressCountry": "DE", "addressRegion": "Bayern", "addressLocality": "München", "postalCode": "80331"}
	minIntent := Map{
		"salt": Hash("salt"), "name": "A desk", "category": List{"cpv:39121100"}, "itemOffered": List{item},
		"validUntil": T0 + 14*Day, "terms": List{"PDC-INTENT"}, "awards": 1, "replyTo": unreachable("customer"),
	}
	minProfile := Map{"name": "Desks Ltd", "nextKey": Hash("next key"), "replyTo": unreachable("profile")}
	minOffer := Map{
		"deal": DealKey(), "number": 1, "itemOffered": List{offerItem}, "priceCurrency": "EUR",
		"totalPrice": "199.9", "terms": "PDC-INTENT", "validUntil": T0 + 7*Day, "replyTo": unreachable("vendor"),
	}
	ask := Map{"deal": DealKey(), "reason": "price"}
	askFull := plus(ask, Map{"replyTo": ReplyTo(1, "customer 2")})
	reply := Map{"deal": DealKey(), "restored": SomeID("restored")}
	second := append(DealKey()[:2:2], 2)
	subject := Map{"deal": DealKey(), "agreement": SomeID("agreement")}
	types := []struct {
		name      string
		key       Key
		min, more Map
	}{
		{"intent", Customer, minIntent, Map{
			"replyTo": ReplyTo(1, "customer"),
			"market":  "furniture/office", "description": "Used is fine.\nOak\tor beech.", "inLanguage": "en-GB",
			"itemOffered": List{Map{
				"name": "Desk", "description": "160 cm", "category": List{"gpc:10002195"},
				"eligibleQuantity": Map{"value": "2", "unitCode": "C62"}, "areaServed": area,
			}, Map{"name": "Lamp"}},
			"areaServed": area, "priceSpecification": Map{"priceCurrency": "EUR", "minPrice": "0", "maxPrice": "500.5"},
			"availabilityStarts": T0 + 20*Day, "availabilityEnds": T0 + 30*Day,
			"terms":      List{"PDC-INTENT", SomeID("terms")},
			"identifier": List{Map{"propertyID": "ocid", "value": "ocds-213czf-000-00001"}},
		}},
		{"withdrawal", Customer, Map{"intent": SomeID("intent")}, Map{"market": "furniture", "reason": "bought"}},
		{"profile", Vendor, minProfile, Map{
			"replyTo":     ReplyTo(1, "profile"),
			"description": "We sell desks.", "url": "https://desks.example.com/?a=b", "category": List{"cpv:39121100", "cpv:31500000"},
			"areaServed": List{area, Map{"addressCountry": "AT"}}, "markets": List{"furniture", "test"},
			"terms": List{"PDC-INTENT", SomeID("terms")}, "previous": SomeID("profile"),
		}},
		{"terms", Customer, Map{"name": "My terms", "text": "Be kind."}, Map{
			"text": "Be kind.\nDelete soon.", "inLanguage": "en", "basedOn": "SD-BASE",
			"policy": Map{"permission": List{Map{"action": "use"}}, "profile": "http://example.com/p"},
		}},
		{"offer", Vendor, minOffer, Map{
			"replyTo":     ReplyTo(1, "vendor"),
			"description": "Two desks.", "itemOffered": List{Map{
				"name": "Desk", "description": "Oak", "category": List{"cpv:39121100"}, "item": 0,
				"eligibleQuantity": Map{"value": "2", "unitCode": "C62"}, "unitPrice": "199.9", "price": "399.8", "taxRate": "19",
			}, Map{"name": "Your old desk", "price": "-50"}},
			"charges":            List{Map{"kind": "delivery", "name": "Truck", "price": "0.2", "taxRate": "7"}, Map{"kind": "discount", "price": "-10"}},
			"totalPrice":         "340",
			"availabilityStarts": T0 + 3*Day, "availabilityEnds": T0 + 9*Day,
			"number": 2, "counter": SomeID("counter"), "deal": second, "changes": SomeID("agreement"),
			"deliveryWindow": Map{"starts": T0 + 3*Day, "ends": T0 + 5*Day}, "taxIncluded": true,
			"returnPolicy": Map{
				"returnPolicyCategory": "finite_window", "merchantReturnDays": 14, "returnFees": "fixed",
				"returnFeeAmount": "4.9", "description": "Unused\nonly.",
			},
		}},
		{"acceptance", Customer, Map{"deal": DealKey(), "offer": SomeID("offer"), "replyTo": unreachable("customer 2")}, nil},
		{"confirmation", Vendor, Map{"deal": DealKey(), "acceptance": SomeID("acceptance")}, nil},
		{"void", Vendor, Map{"deal": DealKey(), "reason": "out_of_stock"}, Map{"cites": SomeID("cancel"), "replyTo": ReplyTo(1, "vendor 2")}},
		{"cancel", Customer, ask, askFull},
		{"decline", Customer, ask, askFull},
		{"award-notice", Customer, ask, plus(askFull, Map{"offersReceived": 5})},
		{"restored", Vendor, Map{"deal": DealKey(), "replyTo": unreachable("vendor 2")}, nil},
		{"held", Customer, plus(reply, Map{"decision": SomeID("decision")}), nil},
		{"customer-void", Customer, reply, nil},
		{"counter", Customer, Map{"deal": DealKey(), "offer": SomeID("offer"), "description": "Blue, please.", "validUntil": T0 + 7*Day}, Map{
			"description": "Blue,\nplease.", "itemOffered": List{Map{"name": "Desk", "price": "180"}},
			"charges": List{Map{"kind": "delivery", "price": "0.5"}}, "priceCurrency": "EUR", "totalPrice": "180.5",
			"availabilityStarts": T0 + 3*Day, "availabilityEnds": T0 + 9*Day, "reason": "price",
		}},
		{"terms-counter", Vendor, Map{"deal": DealKey(), "terms": "SD-BASE-A", "replyTo": unreachable("vendor 3")}, Map{
			"terms": SomeID("vendor's terms"), "description": "We count\nvisits.", "replyTo": ReplyTo(2, "vendor 3"),
		}},
		{"next-round", Customer, Map{"deal": second, "previous": SomeID("void")}, Map{
			"reason": "other", "description": "Once\nmore.", "replyTo": ReplyTo(1, "customer 3"),
		}},
		{"order-event", Vendor, plus(subject, Map{"orderStatus": "dispatched"}), Map{
			"occurred": T0 - Day, "description": "By\ntruck.", "trackingUrl": "https://example.com/t/1",
			"payment": Map{"priceCurrency": "EUR", "price": "199.9", "method": "SEPA"}, "items": List{0, 199},
		}},
		{"receipt", Vendor, plus(subject, Map{"orderDate": T0, "priceCurrency": "EUR", "totalPrice": "199.9"}), Map{
			"items": List{offerItem}, "charges": List{Map{"kind": "delivery", "price": "0.1"}}, "totalPrice": "200",
			"identifier": "2026-0001", "paymentMethod": "cash",
			"seller": Map{"legalName": "Desks Ltd", "taxID": "DE1", "address": "1 Road, Berlin"},
		}},
		{"outcome", Customer, plus(subject, Map{"result": "partly"}), Map{
			"description": "One of\ntwo.", "measure": List{Map{"name": "delivered", "value": "1", "unitCode": "C62"}},
		}},
		{"introduction", Customer, Introduction(SomeID("intent"), Vendor.DID(), NewKey("relationship")), nil},
		{"preference", Customer, Map{"name": "Size", "value": "M"}, Map{
			"salt": Hash("salt"), "category": List{"cpv:18000000"}, "value": "M\nor L", "supersedes": SomeID("preference"),
		}},
		{"membership", Vendor, Map{"programName": "Desk Club"}, Map{
			"salt": Hash("salt"), "member": Customer.DID(), "hostingOrganization": Vendor.DID(), "membershipNumber": "7",
			"validFrom": T0 - Day, "validThrough": T0 + Day, "supersedes": SomeID("membership"),
		}},
		{"transaction-history", Customer, Map{"transactions": List{Map{"agreement": SomeID("agreement")}}}, Map{
			"salt": Hash("salt"), "transactions": List{Map{
				"agreement": SomeID("agreement"), "seller": Vendor.DID(), "orderDate": T0 - Day, "name": "A desk", "category": List{"cpv:39121100"},
				"priceCurrency": "EUR", "totalPrice": "199.9", "receipt": SomeID("receipt"),
			}, Map{"agreement": SomeID("another agreement")}},
			"periodStarts": T0 - 9*Day, "periodEnds": T0, "supersedes": SomeID("history"),
		}},
		{"deletion-notice", Vendor, Map{"intent": SomeID("intent"), "erased": List{}, "kept": List{}}, Map{
			"deal": DealKey(), "erased": List{SomeID("offer"), SomeID("address")},
			"kept": List{Map{"record": SomeID("agreement"), "reason": "agreement", "until": T0 + 9*Day}}, "description": "All\nelse.",
		}},
		{"writer", Vendor, Map{"instance": Filler("instance", 16), "started": T0 - 60, "retainUntil": T0 + 600}, nil},
		{"delivery-receipt", Vendor, Map{"records": List{SomeID("one")}}, Map{"records": List{SomeID("one"), SomeID("two")}}},
	}
	bodies := make([]Body, len(types))
	for i, t := range types {
		lowest := Header(t.name, t.key, t.min)
		full := plus(lowest, t.more)
		full["crit"] = List{"example.com/colour"}
		full["ext"] = Map{"example.com/colour": "oak", "x": nil}
		bodies[i] = Body{t.name, t.key, lowest, full}
	}
	return bodies
}

// Introduction is the fields of an introduction, with their proof.
func Introduction(intent ID, vendor string, relationship Key) Map {
	statement := Encode(List{intent, vendor, relationship.DID()})
	return Map{
		"intent": intent, "vendor": vendor, "relationship": relationship.DID(),
		"proof": relationship.Sign(Join([]byte("parley/1/introduction\x00"), statement)),
	}
}

// BodyOf is the example of one type.
func BodyOf(typ string) Body {
	for _, b := range Bodies() {
		if b.Type == typ {
			return b
		}
	}
	panic("kit: no type " + typ)
}

func plus(a, b Map) Map {
	sum := Map{}
	for key, value := range a {
		sum[key] = value
	}
	for key, value := range b {
		sum[key] = value
	}
	return sum
}

// Letters is a text of n letters.
func Letters(n int) string { return strings.Repeat("x", n) }
