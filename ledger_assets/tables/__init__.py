"""The target tables, in the order in which they are loaded: what is referred to comes first.

One module per table; :data:`SPECS` is the list. A new table is a module and a line here. Airtable tables that no module
reads are listed in ``raw_only``.
"""

from dataclasses import replace

from ledger_assets.tables import (
    authorship,
    consents,
    interview_storytellers,
    interview_themes,
    interviews,
    locations,
    media_assets,
    organisations,
    projects,
    quote_interviews,
    quotes,
    raw_only,
    stories,
    story_interviews,
    storyteller_contacts,
    storytellers,
    themes,
)
from ledger_assets.tables.fields import TableSpec

_MODULES: tuple[TableSpec, ...] = (
    organisations.SPEC,
    projects.SPEC,
    locations.SPEC,
    storytellers.SPEC,
    storyteller_contacts.SPEC,
    consents.SPEC,
    stories.SPEC,
    interviews.SPEC,
    themes.SPEC,
    quotes.SPEC,
    media_assets.SPEC,
    authorship.SPEC,
    story_interviews.SPEC,
    interview_storytellers.SPEC,
    interview_themes.SPEC,
    quote_interviews.SPEC,
)

# A declaration counts whichever module it stands in: those of no module go with the first.
SPECS: tuple[TableSpec, ...] = (
    replace(_MODULES[0], declares=(*_MODULES[0].declares, *raw_only.TABLES)),
    *_MODULES[1:],
)
