"""A schema that somebody has opened, or closed, by hand turns exactly the cells red that it concerns."""

from __future__ import annotations

import psycopg

from ledger_assets.access.matrix import load
from ledger_assets.access.reach import incomplete, reachable
from ledger_assets.access.report import AccessReport
from ledger_assets.access.run import check_access

SIGNED_IN = {
    "owner",
    "co_author",
    "member",
    "elder",
    "org_member",
    "org_admin",
    "applicant",
    "editor",
    "outsider",
}
ON_STORIES = {"stories", "authorship", "quotes", "media_assets", "story_reactions", "story_comments"}

PAGE = "integer, integer, text, uuid, uuid, uuid)"

Cells = set[tuple[str, str, str]]

LOOSENED: dict[str, tuple[str, Cells]] = {
    "a policy that lets the public read every story": (
        "alter policy anon_select on public.stories using (true)",
        {(f"public.{table}", "read", "anon") for table in (*ON_STORIES, "story_analysis")},
    ),
    "a grant on secrets, behind a policy that hides the rows": (
        "grant select on public.storyteller_contacts to authenticated",
        {("public.storyteller_contacts", "columns to read", "authenticated")},
    ),
    "row security off on a table of secrets": (
        "alter table public.storyteller_claims disable row level security",
        {("public.storyteller_claims", "row security off", "everybody")},
    ),
    "row security off on a table that people reach": (
        "alter table public.consents disable row level security",
        {("public.consents", "row security off", "everybody")}
        | {
            ("public.consents", act, who)
            for act in ("read", "add", "change", "give", "withdraw")
            for who in SIGNED_IN
        },
    ),
    "tellers who may publish": (
        "grant update (status, published_at) on public.stories to authenticated",
        {("public.stories", "columns to change", "authenticated")}
        | {("public.stories", "publish", who) for who in ("owner", "co_author", "elder")},
    ),
    "the transcript of a story that is seen": (
        "grant select (transcript) on public.stories to anon",
        {("public.stories", "columns to read", "anon")},
    ),
    "elders who review their own": (
        (
            "alter policy authenticated_update on public.elder_review_queue "
            "using (story_id = any ((select private.my_reviews())::uuid[]))"
        ),
        {("public.elder_review_queue", act, "elder") for act in ("change", "approve")},
    ),
    "whoever asks to join is a member": (
        (
            "create or replace function private.my_communities() returns uuid[] language sql stable security definer "
            "set search_path = '' as $$ select coalesce(array_agg(m.community_id), '{}') from public.community_members m "
            "where m.profile_id = auth.uid() $$"
        ),
        {(f"public.{table}", "read", "applicant") for table in ON_STORIES}
        | {
            (f"public.{table}", "read", "applicant")
            for table in (
                "community_members",
                "cultural_protocols",
                "themes",
                "story_analysis",
                "community_insights",
                "community_insight_stories",
                "value_events",
                "value_distributions",
            )
        }
        | {(f"public.{table}", "add", "applicant") for table in ("story_comments", "story_reactions")}
        | {
            (f"{schema}.{function}", asked, "applicant")
            for schema in ("public", "private")
            for function, asked in (
                ("stories_page(integer, integer, text, uuid, uuid, uuid)", "stories"),
                ("stories_page(integer, integer, text, uuid, uuid, uuid)", "of the community"),
                ("stories_page(integer, integer, text, uuid, uuid, uuid)", "of the organisation"),
                ("stories_page(integer, integer, text, uuid, uuid, uuid)", "total"),
                ("story_detail(uuid)", "stories"),
                ("record_view(uuid)", "stories"),
                ("community_view(uuid)", "insights"),
                ("community_view(uuid)", "value"),
                ("community_view(uuid)", "stories"),
            )
        }
        | {
            (f"private.{function}", "ids", "applicant")
            for function in ("my_communities()", "seen_themes()", "standing_insights()")
        },
    ),
    "people who see nothing of their own": (
        "drop policy authenticated_select on public.profiles",
        {("public.profiles", act, who) for act in ("read", "change") for who in SIGNED_IN},
    ),
    "settings that are the server's own": (
        "alter policy anon_select on public.platform_config using (true)",
        {("public.platform_config", "read", "anon")},
    ),
    "a service that may empty a table": (
        "grant truncate on public.stories to service_role",
        {("public.stories", "truncate", "service_role")},
    ),
    "a function that publishes": (
        "grant execute on function private.publish_story(uuid, text) to authenticated",
        {("private.publish_story(uuid, text)", "a row in the matrix", "function")},
    ),
}


def test_what_is_opened_or_closed_by_hand_turns_exactly_its_cells_red(conn: psycopg.Connection) -> None:
    """All at once, because each has cells of its own: a check is the price of one."""
    report = _after(conn, LOOSENED)
    assert _cells(report) == set[tuple[str, str, str]]().union(*(cells for _, cells in LOOSENED.values()))
    assert sum(len(cells) for _, cells in LOOSENED.values()) == len(report.differences)
    assert "public.platform_config, read, anon: more: internal" in report.lines
    assert "public.stories, publish, co_author: more: shared withdrawn" in report.lines
    assert not report.passed


ADDED: dict[str, tuple[str, Cells]] = {
    "a table": (
        "create table public.diaries (id uuid primary key); alter table public.diaries enable row level security",
        {("public.diaries", "a row in the matrix", "table")},
    ),
    "a table outside the API": (
        "create table airtable.diaries (id uuid primary key); alter table airtable.diaries enable row level security",
        {("airtable.diaries", "a row in the matrix", "table")},
    ),
    "a view that asks as its owner": (
        "create view public.words as select id, copy from public.stories; grant select on public.words to anon",
        {
            ("public.words", "a row in the matrix", "table"),
            ("public.words", "columns to read", "anon"),
            ("public.words", "view as its owner", "anon"),
        },
    ),
    "a view of the private schema that is granted": (
        "grant select on private.story_people to authenticated",
        {("private.story_people", "columns to read", "authenticated")},
    ),
    "a function": (
        (
            "create function public.everything() returns setof public.stories language sql security definer "
            "set search_path = '' as 'select * from public.stories'; grant execute on function public.everything() to anon"
        ),
        {("public.everything()", "a row in the matrix", "function")},
    ),
    "a column of a table that is granted whole": (
        "alter table public.communities add elders_phone text",
        {("public.communities", "columns to read", role) for role in ("anon", "authenticated")},
    ),
    "a sequence": (
        "grant usage on sequence public.story_views_id_seq to anon",
        {("public.story_views_id_seq", "sequence", "anon")},
    ),
    "a right of the login service": (
        (
            "grant select on public.profiles to supabase_auth_admin; "
            "grant execute on function public.my_dashboard() to supabase_auth_admin"
        ),
        {
            ("public.profiles", "columns to read", "supabase_auth_admin"),
            ("public.my_dashboard()", "call", "auth_admin"),
        },
    ),
}


def test_what_has_no_row_in_the_matrix_fails(conn: psycopg.Connection) -> None:
    report = _after(conn, ADDED)
    assert _cells(report) == set[tuple[str, str, str]]().union(*(cells for _, cells in ADDED.values()))
    assert "public.diaries, a row in the matrix, table: more: public.diaries" in report.lines


def test_a_row_of_the_matrix_without_its_table_fails(conn: psycopg.Connection) -> None:
    conn.execute("drop table migration.reports")
    lines = [str(difference) for difference in incomplete(load(), reachable(conn))]
    assert lines == ["migration.reports, a row in the matrix, table: less: migration.reports"]


def test_an_act_or_a_question_left_out_of_the_matrix_fails(conn: psycopg.Connection) -> None:
    matrix = load()
    del matrix.tables["public.stories", "publish"], matrix.calls["public.stories_page(" + PAGE, "total"]
    lines = [str(difference) for difference in incomplete(matrix, reachable(conn))]
    assert lines == [
        "public.stories, acts in the matrix, table: less: publish",
        f"public.stories_page({PAGE}, asked in the matrix, function: less: total",
    ]


def _after(conn: psycopg.Connection, changes: dict[str, tuple[str, Cells]]) -> AccessReport:
    for statement, _ in changes.values():
        conn.execute(statement.encode())
    conn.commit()
    return check_access(conn)


def _cells(report: AccessReport) -> Cells:
    return {(d.subject, d.act, d.who) for d in report.differences}
