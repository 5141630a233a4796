package ocds

import (
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// goods is what a tender says is wanted: items, lots, their classification and
// where they go.
type goods struct {
	lines      []line
	lots       []lot
	categories []string // of the whole tender, most general first
	notes      *draft.Notes
}

// line is one OCDS item.
type line struct {
	record.DemandItem        // without a name when the notice has none
	lot               string // relatedLot
	areas             []*record.Area
}

// lot is a part of the tender that is awarded by itself.
type lot struct{ id, title, description string }

func readGoods(tender draft.Node, notes *draft.Notes) *goods {
	g := &goods{notes: notes}
	add := func(list []string) {
		for _, category := range list {
			if len(g.categories) < enough && !slices.Contains(g.categories, category) {
				g.categories = append(g.categories, category)
			}
		}
	}
	add(classifications(tender, notes))
	for _, node := range tender.Get("items").List() {
		item := readLine(node, notes)
		add(item.Category)
		g.lines = append(g.lines, item)
	}
	if len(g.categories) == 0 {
		if kind := draft.Category("ocds", tender.Get("mainProcurementCategory").Line(64)); kind != "" {
			notes.Addf("tender.classification", "the notice isn't classified; its main category, %s, stands in", kind)
			g.categories = []string{kind}
		}
	}
	g.categories = capCategories(g.categories, "tender", notes)
	for i := range g.lines {
		g.lines[i].Category = capCategories(g.lines[i].Category, "tender.items", notes)
	}
	for _, node := range tender.Get("lots").List() {
		switch status := node.Get("status").Line(40); status {
		case "cancelled", "withdrawn", "unsuccessful", "complete":
			notes.Addf(node.Path(), "the lot was left out: it is %s", status)
		default:
			noteRest(node, notes, "id", "title", "description", "status", "contractPeriod")
			g.lots = append(g.lots, lot{
				id:          node.Get("id").Line(64),
				title:       node.Get("title").Line(draft.MaxItemName),
				description: node.Get("description").Text(draft.MaxItemDescription),
			})
		}
	}
	return g
}

// readLine reads one item.
func readLine(node draft.Node, notes *draft.Notes) line {
	item := line{lot: node.Get("relatedLot").Line(64)}
	item.Category = classifications(node, notes)

	text := node.Get("description").Text(draft.MaxItemDescription)
	if text == "" {
		text = node.At("classification", "description").Line(draft.MaxItemName)
	}
	if name := draft.CleanLine(text); len(name) <= draft.MaxItemName {
		item.Name = name
	} else {
		item.Name, item.Description = draft.Cut(name, draft.MaxItemName), text
	}

	if value, ok := node.Get("quantity").Decimal(); ok {
		unit := node.Get("unit")
		name := unit.Get("name").Line(40)
		code := draft.Unit(unit.Get("scheme").Line(40), unit.Get("id").Line(40), name)
		switch {
		case value.Sign() <= 0:
			notes.Addf(node.Get("quantity").Path(), "a quantity of %s was left out", value)
		case code != "":
			item.Quantity = draft.Quantity(value, code)
		case name == "" && !unit.Get("id").Exists():
			item.Quantity = draft.Quantity(value, draft.One)
		default:
			// An unknown unit would make the number wrong; as text it stays true.
			if name == "" {
				name = unit.Get("id").Line(40)
			}
			notes.Addf(unit.Path(), "the unit %q is not known: the quantity went into the description", name)
			item.Description = strings.TrimSpace(draft.Cut(value.String()+" "+name+"\n"+item.Description, draft.MaxItemDescription))
		}
	}

	addresses := node.Get("deliveryAddresses").List()
	addresses = append(addresses, node.Get("deliveryAddress").List()...)
	for _, address := range addresses {
		if place := readPlace(address); place != (draft.Place{}) {
			item.areas = append(item.areas, place.Rough())
		}
	}
	item.AreaServed = draft.Common(item.areas)
	noteRest(node, notes, "id", "description", "classification", "additionalClassifications", "quantity", "unit", "relatedLot", "deliveryAddresses", "deliveryAddress")
	return item
}

func readPlace(address draft.Node) draft.Place {
	country := address.Get("country").Line(draft.MaxPlace)
	if country == "" {
		country = address.Get("countryName").Line(draft.MaxPlace)
	}
	return draft.Place{
		Country:  country,
		Region:   address.Get("region").Line(draft.MaxPlace),
		Locality: address.Get("locality").Line(draft.MaxPlace),
		Postcode: address.Get("postalCode").Line(16),
	}
}

// classifications reads classification and additionalClassifications.
func classifications(node draft.Node, notes *draft.Notes) []string {
	var list []string
	nodes := node.Get("classification").List()
	for _, c := range append(nodes, node.Get("additionalClassifications").List()...) {
		scheme, code := c.Get("scheme").Line(40), c.Get("id").Line(80)
		if scheme == "" && code == "" {
			continue
		}
		category := draft.Category(scheme, code)
		if category == "" {
			notes.Addf(c.Path(), "the classification %q of scheme %q was left out: it doesn't fit into scheme:code", code, scheme)
			continue
		}
		if !slices.Contains(list, category) {
			list = append(list, category)
		}
		if len(list) == enough {
			break
		}
	}
	return list
}

// enough bounds the work that a hostile document can cause: no list is searched
// that is longer.
const enough = 1000

func capCategories(list []string, field string, notes *draft.Notes) []string {
	if len(list) <= protocol.MaxCategories {
		return list
	}
	notes.Addf(field, "only the first %d of %d categories were taken", protocol.MaxCategories, len(list))
	return list[:protocol.MaxCategories:protocol.MaxCategories]
}

// items makes the intent's items: of the notice's items when any of them has a
// name, else of its lots, else one item that is the tender itself.
func (g *goods) items(intent *record.Intent) []record.DemandItem {
	var items []record.DemandItem
	switch {
	case slices.ContainsFunc(g.lines, func(l line) bool { return l.Name != "" }):
		for _, l := range firstOf(g.lines, g.notes) {
			if l.Name == "" {
				l.Name = g.nameOf(l, intent.Name)
			}
			items = append(items, l.DemandItem)
		}
	case slices.ContainsFunc(g.lots, func(l lot) bool { return l.title != "" || l.description != "" }):
		for _, l := range firstOf(g.lots, g.notes) {
			items = append(items, g.itemOf(l, intent))
		}
	case len(g.lines) == 1: // keeps its quantity
		items = []record.DemandItem{g.lines[0].DemandItem}
		items[0].Name = intent.Name
	default:
		items = []record.DemandItem{{Name: intent.Name}}
	}
	return items
}

// firstOf is as much of a list as an intent has items.
func firstOf[T any](list []T, notes *draft.Notes) []T {
	if len(list) <= protocol.MaxItems {
		return list
	}
	notes.Addf("tender.items", "only the first %d of %d items were taken", protocol.MaxItems, len(list))
	return list[:protocol.MaxItems]
}

// nameOf names an item without a description of its own after its lot, its
// category or the tender.
func (g *goods) nameOf(l line, tender string) string {
	for _, lot := range g.lots {
		if lot.id == l.lot && lot.title != "" {
			return lot.title
		}
	}
	if len(l.Category) > 0 {
		return l.Category[0]
	}
	return tender
}

// itemOf makes an item of a lot, with the categories and places of its lines.
func (g *goods) itemOf(l lot, intent *record.Intent) record.DemandItem {
	item := record.DemandItem{Name: l.title, Description: l.description}
	if item.Name == "" && len(g.lots) == 1 {
		item.Name = intent.Name
	}
	if item.Name == "" {
		item.Name = draft.Cut(draft.CleanLine("Lot "+l.id), draft.MaxItemName)
	}
	if item.Description == intent.Description {
		item.Description = "" // single lots repeat the tender's text
	}
	var areas []*record.Area
	for _, line := range g.lines {
		if line.lot != l.id {
			continue
		}
		areas = append(areas, line.areas...)
		for _, category := range line.Category {
			if !slices.Contains(item.Category, category) {
				item.Category = append(item.Category, category)
			}
		}
	}
	item.Category = capCategories(item.Category, "tender.lots", g.notes)
	item.AreaServed = draft.Common(areas)
	return item
}

// area is what all delivery places have in common.
func (g *goods) area() *record.Area {
	var areas []*record.Area
	for _, l := range g.lines {
		areas = append(areas, l.areas...)
	}
	common := draft.Common(areas)
	if common == nil && len(areas) > 0 {
		g.notes.Addf("tender.items", "the delivery places have no country in common, or none that is known: the request names no area")
	}
	return common
}
