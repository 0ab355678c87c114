"""The words of the synthetic base. All invented: no person, organisation or project of this name is meant.

Place names on real maps are used only as places. The faults are on purpose and are those of the real base:
one place in two spellings, a country among the towns, roles given as organisations, plurals, a typo.
"""

from __future__ import annotations

GIVEN_NAMES = (
    "Aroha", "Bindi", "Calder", "Dellora", "Emrys", "Fenwick", "Garnet", "Hesper", "Ilka", "Jorvan",
    "Kestrel", "Lorne", "Marlo", "Nerida", "Odalys", "Perrin", "Quilla", "Rowan", "Saffi", "Tamsin",
    "Ulric", "Verity", "Wynn", "Xanthe", "Yarra", "Zephyr", "Åsa", "Zoë", "Éloi", "Mātai", "Nuñez",
)  # fmt: skip
FAMILY_NAMES = (
    "Ashgrove", "Birchmere", "Coldwater", "Dunsallow", "Eastlake", "Farrowby", "Greywattle",
    "Hollowell", "Ironbark", "Jessamy", "Kingfisher", "Larkspur", "Mossvale", "Northwind", "Oakhanger",
    "Pebblebank", "Quickthorn", "Redgum", "Saltbush", "Tidewell", "Underbough", "Vellacott",
    "Wrenfield", "Yellowbox",
)  # fmt: skip

PROJECTS = (
    "Riverbank Kitchen", "Lantern Journey", "Night Van", "Harbour Shed", "Listening Post",
    "Saltwater Classroom", "Galah Hill Radio", "Young Voices", "Laundry Talks", "Orchard Year",
    "Homecoming Archive",
)  # fmt: skip
"""Storytellers.Project: 11 values."""
MEDIA_ONLY_PROJECTS = ("Harbour Shed Pilot", "Lantern journey")
"""Two more in Media.Project (13 values in all): one of them differs from another by case only."""

REAL_ORGANISATIONS = (
    "Wattlebird House", "Quiet Harbour Trust", "Tern Island Community Centre", "Ochre Road Housing",
    "Northern Lantern Services", "Saltpan Youth Network", "Ridge & River Health", "Open Gate Pantry",
    "Brolga Learning Circle", "Mulga Street Legal Aid", "Coolabah Women's Shed",
    "Three Creeks Council of Elders", "Seagrass Media", "Long Paddock Transport", "Paperbark Families",
    "Sunbird Care", "Wide Sky Foundation",
)  # fmt: skip
ROLES_AS_ORGANISATIONS = ("Freelancer", "Community Elder", "Volunteer", "Retired")
"""Roles that stand where an organisation should: no organisation may be made of them."""
ONE_OFF_ORGANISATIONS = (
    "wattlebird house", "Quiet Harbour", "Sunbird care ", "Friend of the van", "N/A",
    "Mulga St Legal Aid",
)  # fmt: skip
"""Spellings of the above and values that name no organisation."""
ORGANISATIONS = (*REAL_ORGANISATIONS, *ROLES_AS_ORGANISATIONS, *ONE_OFF_ORGANISATIONS)
"""Storytellers.Organisation: 27 values."""

TOWNS = (
    "Darwin", "Alice Springs", "Katherine", "Bundaberg", "Townsville", "Cairns", "Mount Isa", "Hobart",
    "Adelaide", "Palm Island", "Broken Hill", "Toowoomba", "Geelong",
)  # fmt: skip
"""Towns and an island, spelled alike in both tables."""
STORYTELLER_ONLY_LOCATIONS = (
    "Tennent Creek",
    "Bundaburg",
    "Spain",
    "Athens",
    "Witta",
    "Far North Queensland",
)
"""In Storytellers.Location besides the towns (19 values): two misspellings, a country, a foreign city, a
village, a region."""
MEDIA_ONLY_LOCATIONS = (
    "Tennant Creek",
    "Spain",
    "Athens",
    "Witta",
    "Canberra",
    "Stradbroke Island",
    "Online",
)
"""In Media.Location besides the towns (20 values): the right spelling, and one that is no place."""
STORYTELLER_LOCATIONS = (*TOWNS, *STORYTELLER_ONLY_LOCATIONS)
MEDIA_LOCATIONS = (*TOWNS, *MEDIA_ONLY_LOCATIONS)

ROLES = (
    "Storyteller", "Storytellers", "Community member", "Community Member", "Volunteer", "Volunteers",
    "Elder", "Service user", "Service users", "Friend", "Staff", "Youth worker", "Youth Worker",
    "Support worker", "Coordinator", "Co-ordinator", "Cook", "Driver", "Nurse", "Teacher", "Artist",
    "Musician", "Founder", "Board member", "Board members", "Voluteer", "Student", "Carer",
    "Elder, Artist, Board member",
)  # fmt: skip
"""Storytellers.Role: 29 values: singular and plural, case, a typo ("Voluteer") and one comma list."""

CONSENT_STATUSES = ("Consent for Commercial Use", "Consent for Public Sharing")
CONSENT_STATUSES_UNUSED = ("Consent Withdrawn", "Consent for Community Only")
"""Options the select offers that no record has."""
PREFERENCES = ("Commercial use allowed",)
ANONYMITY_LEVELS = ("Full Name",)
ANONYMITY_LEVELS_UNUSED = ("First Name Only", "Anonymous")
STORY_STATUSES = ("Draft",)
STORY_STATUSES_UNUSED = ("Ready", "Published")
STORY_PERMISSIONS = ("Limited commercial use",)
STORY_PERMISSIONS_UNUSED = ("Full commercial use", "Not for publication")
MEDIA_TYPES = ("Interview", "Photo", "Video")
TAGS = ("elder", "river", "first interview", "follow up", "music")
WEBSITE_THEMES = ("Belonging", "Home", "Work", "Country", "Family")

QUOTE_THEMES = (
    "Belonging", "Resilience", "Family", "Country", "Work", "Home", "Learning", "belonging", "Hope",
    "Music", "Food", "Weather", "Trust", "Sleep", "Travel", "Health and healing",
)  # fmt: skip
"""Quotes.Theme: 16 values; the first seven carry 99 %."""

THEME_OPENINGS = (
    "Finding", "Keeping", "Losing", "Sharing", "Building", "Returning to", "Learning from",
    "Waiting for", "Walking with", "Speaking for", "Growing", "Mending", "Remembering", "Carrying",
    "Holding", "Leaving",
)  # fmt: skip
THEME_SUBJECTS = (
    "a home", "the river", "trust", "old songs", "the night shift", "a clean bed", "one's own language",
    "neighbours", "the garden", "quiet", "a second chance", "the long road", "grandchildren",
    "small jobs", "the wet season", "stories", "a warm meal", "the workshop", "good company",
    "the old house", "courage", "the boat", "school", "patience", "the dry year", "a photograph",
    "sisters", "the market", "time", "dust", "the choir", "letters", "a borrowed coat", "the bridge",
    "early mornings", "the team", "grief", "laughter", "the kitchen table", "seeds", "an open door",
    "the last bus", "hands", "the harbour", "forgiveness", "the radio", "fences", "a name",
    "the tin shed", "rain", "walking", "the clinic", "bread",
)  # fmt: skip
REPEATED_THEMES = ("Community connection", "Resilience")
"""Theme names that come again and again, in several spellings of case and space."""

SENTENCE_SUBJECTS = (
    "My aunt", "The old van", "Our little choir", "Nobody in town", "The woman at the gate",
    "A boy I knew", "The whole street", "My first boss", "That winter", "The river", "Every Tuesday we",
    "The kettle", "My sister and I", "The dog", "Someone from the council", "The garden", "A stranger",
    "The night crew",
)  # fmt: skip
SENTENCE_VERBS = (
    "never forgot", "always brought", "kept asking about", "carried", "laughed about",
    "learned to mend", "waited for", "painted", "sang over", "wrote down", "came back for", "shared",
    "slowly understood", "held on to", "gave away", "listened to", "walked past", "cooked",
)  # fmt: skip
SENTENCE_OBJECTS = (
    "the blue blankets", "a pot of soup", "the long drive north", "those quiet mornings",
    "the broken fence", "what we had lost", "the names on the wall", "a song without words",
    "the smell of rain", "our own language", "the empty chairs", "one good pair of boots",
    "the photographs", "the first clean sheets", "the tin roof", "a letter from home", "the washing",
    "the story of the flood",
)  # fmt: skip
SENTENCE_ENDS = (
    "and it stayed with me.", "before the wet season.", "because it mattered.",
    "as if it were nothing.", "until the light went.", "and we were all right.", "when I was eleven.",
    "for the first time in years.", "on the last day of term.", "without being asked.",
    "and then we ate.", "down by the jetty.",
)  # fmt: skip
