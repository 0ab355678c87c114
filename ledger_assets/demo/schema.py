"""The five tables of the synthetic base, with the field names and types of the real one.

Only declarations. The fields that link to tables which the real base's readers could not see (Shifts,
Galleries, Post-Shift Reflection, record Comments) and the lookups through them are left out; Story Count and
Theme Count are ours, so that the base holds a ``count``.
"""

from __future__ import annotations

from ledger_assets.demo import vocabulary as words
from ledger_assets.demo.model import (
    DATE_TIME,
    Field,
    Table,
    attachments,
    checkbox,
    count,
    created_time,
    date,
    link,
    long_text,
    lookup,
    rollup,
    select,
    selects,
    text,
)

STORYTELLERS = Table(
    "Storytellers",
    (
        text("Name"),
        Field(
            "Unique Storyteller ID",
            "formula",
            {
                "isValid": True,
                "formula": 'CONCATENATE("ST-", RECORD_ID())',
                "referencedFieldIds": [],
                "result": {"type": "singleLineText"},
            },
            formula="storyteller_id",
        ),
        text("Preferred Name"),
        select("Project", *words.PROJECTS),
        select("Organisation", *words.ORGANISATIONS),
        text("Location"),
        text("Role"),
        long_text("Bio"),
        long_text("Personal Quote"),
        long_text("Empathy Ledger Reflection"),
        selects("Website themes", *words.WEBSITE_THEMES),
        selects("Tag", *words.TAGS),
        text("Secure Contact Email", kind="email"),
        text("Phone Number", kind="phoneNumber"),
        text("Magic Link URL", kind="url", description="Opens the storyteller's page without a password."),
        text("RAW Video and photo URL", kind="url"),
        select("Consent Status", *words.CONSENT_STATUSES, *words.CONSENT_STATUSES_UNUSED),
        select("Preferences", *words.PREFERENCES),
        select("Preferred Anonymity Level", *words.ANONYMITY_LEVELS, *words.ANONYMITY_LEVELS_UNUSED),
        attachments("Consent Form Photo"),
        attachments("Signature"),
        checkbox("YJ"),
        checkbox("Website"),
        checkbox("Done"),
        attachments("File Profile Image"),
        created_time("Created"),
        created_time("Created 2"),
        date("Created At"),
        link("Media", "Media", "Storytellers"),
        link("Stories", "Stories", "Storytellers"),
        Field("User who added story", "singleCollaborator"),
        count("Story Count", "Stories"),
        lookup("Transcript (from Media)", "Media", "Transcript"),
        lookup("Summary (from Media)", "Media", "Summary"),
        lookup("Type (from Media)", "Media", "Type"),
        lookup("Project (from Media)", "Media", "Project"),
        lookup("Location (from Media)", "Media", "Location"),
        rollup("Location Rollup", "Media", "Location"),
        lookup("Created At (from Media)", "Media", "Created At"),
        lookup("Processed (from Media)", "Media", "Processed"),
        lookup("Video draft link (from Media)", "Media", "Video draft link"),
        lookup("Video draft link (from Media) 2", "Media", "Video draft link"),
        lookup("Video draft link (from Media) 3", "Media", "Video draft link"),
        lookup("Themes (from Media)", "Media", "Themes"),
        lookup("Theme Name (from Themes) (from Media)", "Media", "Theme Name (from Themes)"),
        lookup("Quotes (from Media)", "Media", "Quotes"),
        lookup("Quote Text (from Quotes) (from Media)", "Media", "Quote Text (from Quotes)"),
        lookup("Title (from Stories)", "Stories", "Title"),
        lookup("Story copy (from Stories)", "Stories", "Story copy"),
        lookup("Status (from Stories)", "Stories", "Status"),
        lookup("Permissions (from Stories)", "Stories", "Permissions"),
        lookup("Video Story Link (from Stories)", "Stories", "Video Story Link"),
        lookup("Story Image (from Stories)", "Stories", "Story Image"),
    ),
)

STORIES = Table(
    "Stories",
    (
        text("Title"),
        Field("Story ID", "autoNumber"),
        long_text("Story copy"),
        long_text("Story Transcript"),
        text("Video Story Link", kind="url"),
        long_text("Video Embed Code"),
        attachments("Story Image"),
        link("Storytellers", "Storytellers", "Stories"),
        link("Media", "Media", "Stories"),
        date("Created"),
        Field(
            "Airtable: Last modified time",
            "lastModifiedTime",
            {"isValid": True, "referencedFieldIds": [], "result": {"type": "dateTime", "options": DATE_TIME}},
        ),
        select("Status", *words.STORY_STATUSES, *words.STORY_STATUSES_UNUSED),
        select("Permissions", *words.STORY_PERMISSIONS, *words.STORY_PERMISSIONS_UNUSED),
        text("Watermark"),
        text("CMS-B: Action"),
        long_text("CMS-B: Message"),
        text("CMS-B: Sync time"),
        text("Airtbale record ID", description="Sic: the real base spells it so."),
        lookup("Transcript (from Media)", "Media", "Transcript"),
        lookup("Location (from Media)", "Media", "Location"),
        rollup("Quotes Rollup", "Media", "Quote Text (from Quotes)"),
        lookup("Storytellers Name", "Storytellers", "Name"),
        lookup("File Profile Image (from Storytellers)", "Storytellers", "File Profile Image"),
    ),
)

MEDIA = Table(
    "Media",
    (
        text("File Name"),
        select("Type", *words.MEDIA_TYPES),
        long_text("Transcript"),
        long_text("Summary"),
        text("Location"),
        select("Project", *words.PROJECTS, *words.MEDIA_ONLY_PROJECTS),
        date("Created At"),
        text("Video draft link", kind="url"),
        checkbox("Processed"),
        link("Storytellers", "Storytellers", "Media"),
        link("Themes", "Themes", "Related Media"),
        link("Quotes", "Quotes", "Transcript Reference"),
        link("Stories", "Stories", "Media"),
        count("Theme Count", "Themes"),
        lookup("Storytellers Name", "Storytellers", "Name"),
        lookup("Organisation (from Storytellers)", "Storytellers", "Organisation"),
        lookup("YJ (from Storytellers)", "Storytellers", "YJ"),
        lookup("File Profile Image (from Storytellers)", "Storytellers", "File Profile Image"),
        lookup("Theme Name (from Themes)", "Themes", "Theme Name"),
        lookup("Quote Text (from Quotes)", "Quotes", "Quote Text"),
        lookup("Title (from Stories)", "Stories", "Title"),
    ),
)

THEMES = Table(
    "Themes",
    (
        text("Theme Name"),
        long_text("Description"),
        link("Related Media", "Media", "Themes"),
        lookup("Quotes (from Related Media)", "Related Media", "Quotes"),
        rollup("Storytellers Rollup", "Related Media", "Storytellers Name"),
    ),
)

QUOTES = Table(
    "Quotes",
    (
        long_text("Quote Text"),
        text("Theme"),
        link("Transcript Reference", "Media", "Quotes"),
    ),
)

TABLES = (STORIES, STORYTELLERS, MEDIA, THEMES, QUOTES)
"""In the order the metadata delivers them."""
