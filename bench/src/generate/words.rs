//! The words that company names and noise are made of.
//!
//! No two words of one list are one edit apart, so that a typo never turns one customer's
//! name into another's (tested in `names`).

/// First words: surnames, places, brands.
pub const FIRST: &[&str] = &[
    "Abernathy", "Alamo", "Allegheny", "Anchor", "Appalachian", "Arrowhead", "Ashford", "Atlas",
    "Badger", "Baldwin", "Baxter", "Beacon", "Bellweather", "Berkshire", "Birchwood", "Blackstone",
    "Bluegrass", "Bradford", "Bridgeport", "Brookfield", "Buckeye", "Calhoun", "Cambridge",
    "Canyon", "Cardinal", "Carolina", "Cascade", "Catalina", "Cedar", "Centennial", "Champlain",
    "Chesapeake", "Chippewa", "Clearwater", "Coastal", "Colonial", "Columbia", "Comstock",
    "Concord", "Copperfield", "Cordova", "Cornerstone", "Crescent", "Crossroads", "Cumberland",
    "Dakota", "Delaware", "Diamond", "Dominion", "Dunmore", "Eastgate", "Edgewater", "Elkhorn",
    "Emerald", "Empire", "Evergreen", "Fairmont", "Falcon", "Flagstaff", "Foothill", "Frontier",
    "Galveston", "Gateway", "Genesee", "Gibraltar", "Glacier", "Golden", "Granite", "Greenfield",
    "Guardian", "Hamilton", "Hanover", "Harborview", "Hawthorne", "Heartland", "Hemlock",
    "Heritage", "Hickory", "Highland", "Horizon", "Hudson", "Huron", "Imperial", "Independence",
    "Ironwood", "Jackson", "Jefferson", "Juniper", "Kanawha", "Keystone", "Kingsley", "Klondike",
    "Lafayette", "Lakeshore", "Laurel", "Lexington", "Liberty", "Lighthouse", "Lincoln",
    "Longhorn", "Madison", "Magnolia", "Mammoth", "Maplewood", "Mariner", "Mayflower", "Meridian",
    "Mesa", "Midland", "Minuteman", "Mohawk", "Monarch", "Monterey", "Montrose", "Mustang",
    "Nantucket", "Narragansett", "Niagara", "Northgate", "Oakridge", "Olympic", "Orchard",
    "Osprey", "Overland", "Ozark", "Palisade", "Palmetto", "Patriot", "Peachtree", "Pelican",
    "Piedmont", "Pinnacle", "Pioneer", "Plymouth", "Ponderosa", "Potomac", "Prairie", "Premier",
    "Quaker", "Rainier", "Redwood", "Republic", "Ridgeline", "Riverside", "Roanoke", "Rockford",
    "Sagebrush", "Saratoga", "Savannah", "Seneca", "Sentinel", "Sequoia", "Shenandoah", "Sherwood",
    "Sierra", "Silverado", "Skyline", "Southport", "Spartan", "Stanford", "Sterling", "Stonewall",
    "Summit", "Susquehanna", "Tamarack", "Tecumseh", "Thornton", "Thunderbird", "Timberline",
    "Titan", "Trailblazer", "Tri-State", "Trident", "Tuscarora", "Union", "Valiant", "Vanguard",
    "Victory", "Virginia", "Wabash", "Wellington", "Westbrook", "Whitmore", "Wildcat", "Windsor",
    "Wolverine", "Woodland", "Yellowstone", "Yosemite", "Zephyr",
];

/// Second words: what the company deals in.
pub const TRADE: &[&str] = &[
    "Abrasives", "Aerospace", "Agricultural", "Automotive", "Bakery", "Bearing", "Beverage",
    "Building", "Chemical", "Concrete", "Controls", "Dairy", "Dental", "Drywall", "Electric",
    "Equipment", "Fastener", "Fence", "Filtration", "Flooring", "Foods", "Garden", "Glass",
    "Hardware", "Heating", "Hydraulics", "Industrial", "Insulation", "Irrigation", "Janitorial",
    "Kitchen", "Lumber", "Machine", "Marine", "Masonry", "Medical", "Metals", "Mining", "Optical",
    "Packaging", "Paint", "Paper", "Petroleum", "Pharmacy", "Plastics", "Plumbing", "Poultry",
    "Produce", "Refrigeration", "Roofing", "Rubber", "Safety", "Seafood", "Security", "Signage",
    "Steel", "Textile", "Tool", "Turf", "Valve", "Veterinary", "Welding", "Wire",
];

/// Third words: what kind of company it is.
pub const KIND: &[&str] = &[
    "Associates", "Brothers", "Company", "Contractors", "Depot", "Distributors", "Enterprises",
    "Exchange", "Fabricators", "Group", "Holdings", "Installers", "International", "Logistics",
    "Manufacturing", "Markets", "Outfitters", "Partners", "Products", "Repair", "Sales",
    "Services", "Solutions", "Specialties", "Supply", "Systems", "Technologies", "Trading",
    "Warehouse", "Works",
];

/// A place, when the three words are taken.
pub const PLACE: &[&str] = &[
    "Akron", "Boise", "Chicago", "Dallas", "El Paso", "Fresno", "Houston", "Indiana", "Kansas",
    "Memphis", "Nevada", "Omaha", "Phoenix", "Reno", "Tampa", "Utah",
];

/// Legal suffixes as the books write them.
pub const SUFFIX: &[&str] = &["Inc.", "LLC", "Co.", "Corp.", "Ltd.", ""];

/// What a clerk shortens when the line is short.
pub const SHORT: &[(&str, &str)] = &[
    ("INTERNATIONAL", "INTL"),
    ("MANUFACTURING", "MFG"),
    ("DISTRIBUTORS", "DIST"),
    ("SERVICES", "SVCS"),
    ("SUPPLY", "SPLY"),
    ("TECHNOLOGIES", "TECH"),
    ("EQUIPMENT", "EQUIP"),
    ("INDUSTRIAL", "IND"),
    ("ENTERPRISES", "ENT"),
    ("PRODUCTS", "PROD"),
    ("ASSOCIATES", "ASSOC"),
    ("BROTHERS", "BROS"),
    ("BUILDING", "BLDG"),
    ("COMPANY", "CO"),
    ("CONTRACTORS", "CONTR"),
    ("ELECTRIC", "ELEC"),
    ("SYSTEMS", "SYS"),
    ("REFRIGERATION", "REFRIG"),
];

/// Payers that are nobody's customer: third parties and machines.
pub const STRANGERS: &[&str] = &[
    "CASHIERS CHECK", "MONEY ORDER", "BILL PAYMENT SERVICE", "CHECKFREE", "J SMITH",
    "M JOHNSON TRUSTEE", "R GARCIA", "ONLINE BILLPAY", "ESCROW ACCOUNT", "OFFICIAL CHECK",
    "A WILLIAMS", "PAYMENT PROCESSING CTR", "", "UNREADABLE",
];

/// Remittance text that names nothing.
pub const GARBAGE: &[&str] = &[
    "SEE ATTACHED", "PER STMT", "XX-?? 12", "MISC", "???", "REF N/A", "AS DISCUSSED", "VARIOUS",
    "PMT 77", "ILLEGIBLE", "INV #", "FEB MARCH",
];

/// Remittance text of a payment on account.
pub const ON_ACCOUNT: &[&str] = &[
    "PAYMENT ON ACCOUNT", "ON ACCOUNT", "DEPOSIT", "PREPAYMENT NEXT ORDER", "APPLY TO ACCOUNT",
];
