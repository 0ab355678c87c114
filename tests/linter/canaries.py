"""One planted fault per rule: what is done to a migrated database, and the object that the rule must name."""

from __future__ import annotations

TABLE = "create table public.canary (id uuid primary key, owner uuid, words text)"
CLOSED = f"{TABLE}; alter table public.canary enable row level security"


def policy(text: str) -> str:
    """A closed table with one policy."""
    return f"{CLOSED}; create policy canary on public.canary {text}"


CANARIES: dict[str, tuple[str, str]] = {
    "0001_unindexed_foreign_keys": (
        (
            f"{CLOSED}; alter table public.canary add foreign key (owner) references public.profiles (id); "
            "create index on public.canary (words, owner)"
        ),
        "public.canary",
    ),
    "0002_auth_users_exposed": (
        (
            "create view public.canary with (security_invoker = on) as select id from auth.users; "
            "grant select on public.canary to authenticated"
        ),
        "public.canary",
    ),
    "0003_auth_rls_initplan": (
        policy("for select to authenticated using (owner = auth.uid() or owner = (select auth.uid()))"),
        "public.canary",
    ),
    "0004_no_primary_key": ("create table private.canary (id uuid)", "private.canary"),
    "0005_unused_index": (f"{CLOSED}; create index on public.canary (words)", "public.canary"),
    "0006_multiple_permissive_policies": (
        policy("for select to anon using (id is null)")
        + "; create policy second on public.canary for all to public using (id is null)",
        "public.canary",
    ),
    "0007_policy_exists_rls_disabled": (
        f"{TABLE}; create policy canary on public.canary for select to anon using (id is null)",
        "public.canary",
    ),
    "0008_rls_enabled_no_policy": (CLOSED, "public.canary"),
    "0009_duplicate_index": (
        "create index canary on public.stories (project_id)",
        "public.stories",
    ),
    "0010_security_definer_view": (
        "create view public.canary as select id from public.stories",
        "public.canary",
    ),
    "0011_function_search_path_mutable": (
        "create function private.canary() returns int language sql as $$ select 1 $$",
        "private.canary()",
    ),
    "0013_rls_disabled_in_public": (TABLE, "public.canary"),
    "0014_extension_in_public": ("create extension pg_trgm schema public", "pg_trgm"),
    "0015_rls_references_user_metadata": (
        policy("for select using (((select auth.jwt()) -> 'user_metadata' ->> 'admin')::boolean)"),
        "public.canary",
    ),
    "0016_materialized_view_in_api": (
        "create materialized view public.canary as select 1 as id; grant select on public.canary to anon",
        "public.canary",
    ),
    "0017_foreign_table_in_api": (
        (
            "create foreign data wrapper canary; create server canary foreign data wrapper canary; "
            "create foreign table public.canary (id uuid) server canary; grant select (id) on public.canary to anon"
        ),
        "public.canary",
    ),
    "0018_unsupported_reg_types": (
        f"{CLOSED}; alter table public.canary add how regcollation",
        "public.canary",
    ),
    "0021_fkey_to_auth_unique": (
        (
            f"{CLOSED}; alter table auth.users add unique (email); "
            "alter table public.canary add foreign key (words) references auth.users (email)"
        ),
        "public.canary",
    ),
    "0023_sensitive_columns_exposed": (
        f"{TABLE}; alter table public.canary add access_token text; grant select on public.canary to anon",
        "public.canary",
    ),
    "0024_rls_policy_always_true": (
        policy("for update to authenticated using (id is not null) with check (1 = 1)"),
        "public.canary",
    ),
    "0028_anon_security_definer_function_executable": (
        (
            "create function public.canary() returns int language sql security definer set search_path = '' "
            "as $$ select 1 $$; grant execute on function public.canary() to public"
        ),
        "public.canary()",
    ),
    "0029_authenticated_security_definer_function_executable": (
        (
            "create function public.canary() returns int language sql security definer set search_path = '' "
            "as $$ select 1 $$; grant execute on function public.canary() to authenticated"
        ),
        "public.canary()",
    ),
    "0030_invalid_index": (
        (
            "create index canary on public.stories (title, language); "
            "update pg_index set indisvalid = false where indexrelid = 'public.canary'::regclass"
        ),
        "public.stories",
    ),
    "0030_rls_policy_null_auth_disjunct": (
        policy("for select using ((select auth.uid()) is null or owner = (select auth.uid()))"),
        "public.canary",
    ),
}

EXPOSED = (
    "0002_auth_users_exposed",
    "0010_security_definer_view",
    "0013_rls_disabled_in_public",
    "0016_materialized_view_in_api",
    "0017_foreign_table_in_api",
    "0023_sensitive_columns_exposed",
    "0028_anon_security_definer_function_executable",
    "0029_authenticated_security_definer_function_executable",
)
"""Rules that look at exposed schemas alone."""
