// Code generated from spec/registry/markets.csv by spec/gen. DO NOT EDIT.

package protocol

// The registered markets. Any other name of the right form is a market too.
const (
	MarketAgriculture   = "agriculture"    // Farm products, machinery and services, forestry, plants and gardens.
	MarketBusiness      = "business"       // Consulting, marketing, staffing, printing and office services.
	MarketCleaning      = "cleaning"       // Cleaning, refuse, recycling and environmental services.
	MarketClothing      = "clothing"       // Clothing, shoes, bags, jewellery and fabrics.
	MarketConstruction  = "construction"   // Construction work, materials, architects and engineers.
	MarketEducation     = "education"      // Lessons, courses, training and schools.
	MarketElectronics   = "electronics"    // Computers, phones, audio, video and network equipment.
	MarketEnergy        = "energy"         // Electricity, gas, fuel, heating, water and their supply.
	MarketEvents        = "events"         // Tickets, parties, sport, culture and entertainment.
	MarketFinance       = "finance"        // Banking, credit, investment and payment services.
	MarketFood          = "food"           // Groceries, drinks, restaurants and catering.
	MarketGeneral       = "general"        // Whatever fits no other market.
	MarketHealth        = "health"         // Medical goods and services, care and wellbeing.
	MarketHome          = "home"           // Furniture, appliances and household goods.
	MarketIndustry      = "industry"       // Machines, tools, electrical and laboratory equipment, chemicals, metals and raw materials.
	MarketInsurance     = "insurance"      // Insurance and pensions of all kinds.
	MarketLegal         = "legal"          // Lawyers, notaries and legal advice.
	MarketLogistics     = "logistics"      // Freight, moving, storage, courier and post.
	MarketMedia         = "media"          // Books, print, music, film and news.
	MarketPersonal      = "personal"       // Personal, social and community services.
	MarketProperty      = "property"       // Homes, land, offices: to buy, rent or manage.
	MarketPublicTenders = "public-tenders" // Published calls for tenders of public bodies.
	MarketRepair        = "repair"         // Repair, maintenance and installation.
	MarketResearch      = "research"       // Research, development and scientific services.
	MarketSecurity      = "security"       // Security, fire-fighting and protective goods and services.
	MarketSoftware      = "software"       // Software, hosting, development and support.
	MarketSportHobby    = "sport-hobby"    // Sports goods, toys, games, musical instruments, art and crafts.
	MarketTelecoms      = "telecoms"       // Phone, internet and other telecommunication services.
	MarketTest          = "test"           // Made-up requests for trying things out; nothing here is meant.
	MarketTravel        = "travel"         // Journeys, flights, hotels and travel agencies.
	MarketVehicles      = "vehicles"       // Cars, bicycles, boats and their parts.
)

// Market is one line of the registry of markets.
type Market struct {
	Name       string   // as in topics and records
	Title      string   // for people
	Summary    string   // what it is about, a sentence
	Categories []string // beginnings of the categories that usually belong here
}

// Markets lists the registered markets in the order of their names.
func Markets() []Market {
	return []Market{
		{Name: MarketAgriculture, Title: "Farm and garden", Summary: "Farm products, machinery and services, forestry, plants and gardens.", Categories: []string{"cpv:03", "cpv:16", "cpv:77"}},
		{Name: MarketBusiness, Title: "Business services", Summary: "Consulting, marketing, staffing, printing and office services.", Categories: []string{"cpv:792", "cpv:793", "cpv:794", "cpv:795", "cpv:796", "cpv:798", "cpv:799"}},
		{Name: MarketCleaning, Title: "Cleaning and waste", Summary: "Cleaning, refuse, recycling and environmental services.", Categories: []string{"cpv:90"}},
		{Name: MarketClothing, Title: "Clothing and textiles", Summary: "Clothing, shoes, bags, jewellery and fabrics.", Categories: []string{"cpv:18", "cpv:19"}},
		{Name: MarketConstruction, Title: "Building work", Summary: "Construction work, materials, architects and engineers.", Categories: []string{"cpv:43", "cpv:44", "cpv:45", "cpv:71"}},
		{Name: MarketEducation, Title: "Education", Summary: "Lessons, courses, training and schools.", Categories: []string{"cpv:80"}},
		{Name: MarketElectronics, Title: "Computers and electronics", Summary: "Computers, phones, audio, video and network equipment.", Categories: []string{"cpv:30", "cpv:32"}},
		{Name: MarketEnergy, Title: "Energy and utilities", Summary: "Electricity, gas, fuel, heating, water and their supply.", Categories: []string{"cpv:09", "cpv:41", "cpv:65", "cpv:76"}},
		{Name: MarketEvents, Title: "Events and leisure", Summary: "Tickets, parties, sport, culture and entertainment.", Categories: []string{"cpv:92"}},
		{Name: MarketFinance, Title: "Finance", Summary: "Banking, credit, investment and payment services.", Categories: []string{"cpv:661", "cpv:662", "cpv:667"}},
		{Name: MarketFood, Title: "Food and drink", Summary: "Groceries, drinks, restaurants and catering.", Categories: []string{"cpv:15", "cpv:553", "cpv:555"}},
		{Name: MarketGeneral, Title: "General", Summary: "Whatever fits no other market."},
		{Name: MarketHealth, Title: "Health and care", Summary: "Medical goods and services, care and wellbeing.", Categories: []string{"cpv:33", "cpv:85"}},
		{Name: MarketHome, Title: "Home", Summary: "Furniture, appliances and household goods.", Categories: []string{"cpv:39"}},
		{Name: MarketIndustry, Title: "Industry and materials", Summary: "Machines, tools, electrical and laboratory equipment, chemicals, metals and raw materials.", Categories: []string{"cpv:14", "cpv:24", "cpv:31", "cpv:38", "cpv:42"}},
		{Name: MarketInsurance, Title: "Insurance", Summary: "Insurance and pensions of all kinds.", Categories: []string{"cpv:665"}},
		{Name: MarketLegal, Title: "Legal services", Summary: "Lawyers, notaries and legal advice.", Categories: []string{"cpv:791"}},
		{Name: MarketLogistics, Title: "Transport and delivery", Summary: "Freight, moving, storage, courier and post.", Categories: []string{"cpv:60", "cpv:631", "cpv:641"}},
		{Name: MarketMedia, Title: "Books and media", Summary: "Books, print, music, film and news.", Categories: []string{"cpv:22"}},
		{Name: MarketPersonal, Title: "Personal services", Summary: "Personal, social and community services.", Categories: []string{"cpv:98"}},
		{Name: MarketProperty, Title: "Property", Summary: "Homes, land, offices: to buy, rent or manage.", Categories: []string{"cpv:70"}},
		{Name: MarketPublicTenders, Title: "Public tenders", Summary: "Published calls for tenders of public bodies."},
		{Name: MarketRepair, Title: "Repair and installation", Summary: "Repair, maintenance and installation.", Categories: []string{"cpv:50", "cpv:51"}},
		{Name: MarketResearch, Title: "Research", Summary: "Research, development and scientific services.", Categories: []string{"cpv:73"}},
		{Name: MarketSecurity, Title: "Safety and security", Summary: "Security, fire-fighting and protective goods and services.", Categories: []string{"cpv:35", "cpv:797"}},
		{Name: MarketSoftware, Title: "Software and IT", Summary: "Software, hosting, development and support.", Categories: []string{"cpv:48", "cpv:72"}},
		{Name: MarketSportHobby, Title: "Sport, toys and hobby", Summary: "Sports goods, toys, games, musical instruments, art and crafts.", Categories: []string{"cpv:37"}},
		{Name: MarketTelecoms, Title: "Telecommunications", Summary: "Phone, internet and other telecommunication services.", Categories: []string{"cpv:642"}},
		{Name: MarketTest, Title: "Test", Summary: "Made-up requests for trying things out; nothing here is meant."},
		{Name: MarketTravel, Title: "Travel", Summary: "Journeys, flights, hotels and travel agencies.", Categories: []string{"cpv:551", "cpv:552", "cpv:635"}},
		{Name: MarketVehicles, Title: "Vehicles", Summary: "Cars, bicycles, boats and their parts.", Categories: []string{"cpv:34"}},
	}
}
