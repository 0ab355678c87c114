"""The target tables, in the order in which they are loaded: what is referred to comes first.

One module per table; :data:`SPECS` is the list. A new table is a module and a line here.
"""

from ledger_assets.tables import (
    authorship,
    interview_storytellers,
    interview_themes,
    interviews,
    locations,
    media_assets,
    organisations,
    projects,
    quote_interviews,
    quotes,
    stories,
    story_interviews,
    storyteller_contacts,
    storytellers,
    themes,
)
from ledger_assets.tables.fields import TableSpec

SPECS: tuple[TableSpec, ...] = (
    organisations.SPEC,
    projects.SPEC,
    locations.SPEC,
    storytellers.SPEC,
    storyteller_contacts.SPEC,
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
