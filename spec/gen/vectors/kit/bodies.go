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
				"eligibleQuantity": Map{"value": "2", "unitCode": "C62"}, "unitPrice": "199.9", "price": "399.8",
			}, Map{"name": "Your old desk", "price": "-50"}},
			"charges":            List{Map{"kind": "delivery", "name": "Truck", "price": "0.2"}, Map{"kind": "discount", "price": "-10"}},
			"totalPrice":         "340",
			"availabilityStarts": T0 + 3*Day, "availabilityEnds": T0 + 9*Day,
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
