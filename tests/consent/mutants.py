"""The migrations with one ingredient of the rule taken out, and the case or race that must notice.

What belongs here: each change of the text, by what it takes away. What does not: the cases (``cases``), the races.

Invariants: the text to be changed is found in the migration, or the list is out of date and the test fails.
"""

from __future__ import annotations

import re

from ledger_assets.files import project_file
from ledger_assets.load.script import split_statements

VISIBILITY, POLICIES = "20261122000009_visibility", "20261122000010_policies"
PURPOSES = ("public_sharing", "community_sharing", "organisation_sharing", "ai_analysis", "posthumous")

Mutant = tuple[str, str, str]
"""Migration, text, its replacement."""

RULE: dict[str, Mutant] = {
    "authors are not asked": (
        VISIBILITY,
        "select a.story_id, a.storyteller_id from public.authorship a\n",
        "select a.story_id, a.storyteller_id from public.authorship a where false\n",
    ),
    "speakers are not asked": (
        VISIBILITY,
        "join public.interview_storytellers p on p.interview_id = i.interview_id;",
        "join public.interview_storytellers p on p.interview_id = i.interview_id where false;",
    ),
    "a person's privacy does not limit": (
        VISIBILITY,
        "case t.privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end\n      |",
        "0 |",
    ),
    "a sensitive person does not limit": (
        VISIBILITY,
        "case when t.sensitive then 1 else 0 end as limits",
        "0 as limits",
    ),
    "evidence that has gone counts": (
        VISIBILITY,
        "k.state = 'given' and k.source_deleted_at is null",
        "k.state = 'given'",
    ),
    "consent never expires": (
        VISIBILITY,
        "coalesce(k.expires_at, 'infinity') end as until",
        "'infinity'::timestamptz end as until",
    ),
    "a consent for one story counts for all": (
        VISIBILITY,
        "and (k.story_id is null or k.story_id = p.story_id)",
        "",
    ),
    "a consent for one story does not count": (
        VISIBILITY,
        "(k.story_id is null or k.story_id = p.story_id)",
        "k.story_id is null",
    ),
    "a consent for all stories does not count": (
        VISIBILITY,
        "(k.story_id is null or k.story_id = p.story_id)",
        "k.story_id = p.story_id",
    ),
    "anybody's consent counts": (
        VISIBILITY,
        "where k.storyteller_id = p.storyteller_id and (k.story_id",
        "where (k.story_id",
    ),
    **{
        f"{p} once given cannot be withdrawn": (
            VISIBILITY,
            f"case when c.no_{p} then '-infinity' else coalesce(c.{p}, '-infinity') end",
            f"coalesce(c.{p}, '-infinity')",
        )
        for p in PURPOSES
    },
    **{
        f"{p} need not be given": (
            VISIBILITY,
            f"coalesce(c.{p}, '-infinity') end",
            f"coalesce(c.{p}, 'infinity') end",
        )
        for p in PURPOSES
    },
    "a story's privacy does not limit": (
        VISIBILITY,
        "case s.privacy when 'public' then 0 when 'community' then 1 when 'organisation' then 2 else 4 end\n      |",
        "0 |",
    ),
    "a sensitive story is not limited": (
        VISIBILITY,
        "when 'sensitive' then 1 else 4 end",
        "when 'sensitive' then 0 else 4 end",
    ),
    "a sacred story is open": (VISIBILITY, "when 'sensitive' then 1 else 4 end", "else 1 end"),
    "people do not limit": (VISIBILITY, "      | people.limits\n", ""),
    "protocols do not limit": (VISIBILITY, "      | protocols.limits\n", ""),
    "a review under way does not close": (
        VISIBILITY,
        "      | case when r.state <> 'approved' then 4 else 0 end\n",
        "",
    ),
    "a missing review does not close": (
        VISIBILITY,
        "      | case when r.state is null and (s.requires",
        "      | case when false and (s.requires",
    ),
    "a story cannot demand review": (
        VISIBILITY,
        "(s.requires_elder_review or s.sensitivity",
        "(s.sensitivity",
    ),
    "a sensitive story needs no review": (VISIBILITY, " or s.sensitivity <> 'standard' or", " or"),
    "a protocol cannot demand review": (VISIBILITY, " or protocols.review)", ")"),
    "a draft is open": (VISIBILITY, "case when s.status = 'published' and s.source", "case when s.source"),
    "a story that has gone is open": (
        VISIBILITY,
        " and s.source_deleted_at is null and people",
        " and people",
    ),
    "a story of nobody is open": (VISIBILITY, " and people.number > 0 then", " then"),
    **{f"one person's {p} is enough": (VISIBILITY, f"min(t.{p})", f"max(t.{p})") for p in PURPOSES},
    "the living need posthumous consent": (VISIBILITY, " filter (where t.deceased)", ""),
    "only strict protocols: all limit": (VISIBILITY, " filter (where c.enforcement = 'strict')", ""),
    "every protocol demands review": (VISIBILITY, "bool_or(c.enforcement = 'required')", "bool_or(true)"),
    "protocols of all communities count": (
        VISIBILITY,
        "where c.community_id = s.community_id and c.is_active",
        "where c.is_active",
    ),
    "protocols that are not in force count": (
        VISIBILITY,
        "where c.community_id = s.community_id and c.is_active",
        "where c.community_id = s.community_id",
    ),
    "the public needs no consent": (VISIBILITY, "case when s.limits = 0 then s.public_sharing end", "null"),
    "a community needs no consent": (
        VISIBILITY,
        "case when s.limits & 1 = 1 then s.community_sharing end",
        "null",
    ),
    "an organisation needs no consent": (
        VISIBILITY,
        "case when s.limits & 2 = 2 then s.organisation_sharing end",
        "null",
    ),
    "the dead need no consent": (VISIBILITY, ",\n        s.posthumous\n", "\n"),
    "public consent is needed for every circle": (
        VISIBILITY,
        "case when s.limits = 0 then s.public_sharing end",
        "s.public_sharing",
    ),
    "analysis outlives the story": (
        VISIBILITY,
        "least(c.until, c.ai_analysis) as ai_until",
        "case when c.until = '-infinity' then c.until else c.ai_analysis end as ai_until",
    ),
    "a row whose id changes is lost": (VISIBILITY, "n full join old_rows", "n join old_rows"),
    "old rows are not looked at": (
        VISIBILITY,
        "'union all select o.* from new_rows n full join old_rows o using (id) where row(%1$s) is distinct from row(%2$s)'",
        "''",
    ),
    "stories of a person's interviews are not refreshed": (
        VISIBILITY,
        "    where p.storyteller_id = any (storytellers)\n",
        "    where false\n",
    ),
    "stories of a person are not refreshed": (VISIBILITY, "a.storyteller_id = any (storytellers)", "false"),
    "stories of an interview are not refreshed": (
        VISIBILITY,
        "from public.story_interviews i where i.interview_id = any (interviews)",
        "from public.story_interviews i where false",
    ),
    "stories of a community are not refreshed": (VISIBILITY, "s.community_id = any (communities)", "false"),
    "stories named are not refreshed": (
        VISIBILITY,
        "select unnest(stories) as id",
        "select null::uuid as id",
    ),
    "insights for whoever is_public says": (
        POLICIES,
        "or (s.eff_limits in (1, 3) and s.community_id <> all ((select private.my_communities())::uuid[]))",
        "",
    ),
    "insights of an organisation for a community": (
        POLICIES,
        "or (s.eff_limits in (2, 3) and (s.organisation_id",
        "or (false and (s.organisation_id",
    ),
    "elders read the dead without consent": (POLICIES, " or (c.purpose = 'posthumous' and t.deceased)", ""),
    "elders read what nobody lets them": (POLICIES, "(c.purpose = 'community_sharing' or", "(false or"),
}
LOCKS: dict[str, Mutant] = {
    "a refresh does not lock its stories": (
        VISIBILITY,
        "  perform from public.stories s where s.id = any (ids) order by s.id for no key update;\n",
        "",
    ),
    "a refresh does not lock its people": (
        VISIBILITY,
        "t.id = any (storytellers || speakers)",
        "false",
    ),
    "a refresh does not lock its communities": (
        VISIBILITY,
        "\n  perform from public.communities c where c.id = any (communities)",
        "\n  perform from public.communities c where false",
    ),
    "a refresh does not lock its interviews": (
        VISIBILITY,
        "  perform from public.interviews i where i.id = any (interviews) order by i.id for no key update;\n",
        "",
    ),
    "a refresh looks for speakers once": (
        VISIBILITY,
        "  perform from public.storytellers t where t.id = any (speakers) order by t.id for no key update;\n",
        "",
    ),
    "a story that moves does not lock its community": (
        VISIBILITY,
        "\n    perform from public.communities c where c.id = any (communities)",
        "\n    perform from public.communities c where false",
    ),
    **{
        f"a load does not lock {table}": (VISIBILITY, text, new)
        for table, text, new in (
            ("storytellers", "lock table public.storytellers, public.consents", "lock table public.consents"),
            ("consents", "public.storytellers, public.consents,", "public.storytellers,"),
            (
                "interview_storytellers",
                "public.story_interviews, public.interview_storytellers,",
                "public.story_interviews,",
            ),
            (
                "stories",
                "public.interview_storytellers, public.stories in",
                "public.interview_storytellers in",
            ),
        )
    },
}


def mutated(mutant: Mutant) -> list[bytes]:
    """The statements that make the migration's views and functions, with one ingredient taken out."""
    migration, old, new = mutant
    text = project_file(f"supabase/migrations/{migration}.sql").read_text("utf-8")
    assert old in text, f"{migration} no longer says: {old}"
    statements = [statement.text.strip() for statement in split_statements(text.replace(old, new))]
    # Its revokes would take back what later migrations grant.
    return [
        s.encode() for s in statements if re.search(r"^create or replace (view|function)", s, re.MULTILINE)
    ]
