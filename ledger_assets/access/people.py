"""The labelled world's people, communities, organisations and projects.

What belongs here: accounts, what they belong to, storytellers. What does not: stories and what hangs on them (``stories``).

Invariants: the owner and the co-author belong to nothing, so that what they see they see as tellers; the member, the
organisation's member and the editor belong to one thing each; the organisation's administrator is also a member of the
community, the only one for whom a story for members of both is open.
"""

from __future__ import annotations

from ledger_assets.access.ids import ACCOUNTS, STRANGER, Row, World, uid

EARLIER = "2020-01-01T00:00:00+00:00"
PEOPLE = {
    # Storyteller -> account, their own widest circle, whether they have died.
    "owner": ("owner", "public", False),
    "co_author": ("co_author", "public", False),
    "elder": ("elder", "public", False),
    "others": (None, "public", False),
    "reserved": (None, "organisation", False),
    "dead": (None, "public", True),
}
COMMUNITY = uid("communities/ours")
ORGANISATION = uid("organisations/ours")
PROJECT = uid("projects/ours")


def people() -> World:
    """Everybody and everything that stories are told of."""
    return {
        "auth.users": {name: [{"id": account(name)}] for name in (*ACCOUNTS, STRANGER)},
        "public.profiles": {
            name: [{"id": account(name), "display_name": f"access matrix: {name}"}]
            for name in (*ACCOUNTS, STRANGER)
        },
        "public.organisations": {
            name: [{"id": uid(f"organisations/{name}"), "name": f"access matrix: {name}", "kind": "other"}]
            for name in ("ours", "elsewhere")
        },
        "public.locations": {
            "place": [
                {
                    "id": uid("locations/place"),
                    "name": "access matrix: place",
                    "kind": "town",
                    "country": "AU",
                }
            ]
        },
        "public.communities": {
            name: [
                {
                    "id": uid(f"communities/{name}"),
                    "name": f"access matrix: {name}",
                    "slug": f"access-matrix-{name}",
                }
            ]
            for name in ("ours", "elsewhere")
        },
        "public.projects": {
            name: [
                {
                    "id": uid(f"projects/{name}"),
                    "name": f"access matrix: {name}",
                    "organisation_id": organisation,
                    "is_public": name == "shown",
                }
            ]
            for name, organisation in (("ours", ORGANISATION), ("shown", None), ("elsewhere", None))
        },
        **_memberships(),
        "public.storytellers": {name: [_storyteller(name)] for name in PEOPLE},
        "public.storyteller_contacts": {
            name: [{**_of(name, "storyteller_contacts"), "email": f"{name}@access-matrix.invalid"}]
            for name in PEOPLE
        },
        "public.storyteller_claims": {
            # One that an elder may confirm, one that is the elder's own, one that nobody has used.
            "waiting": [_claim("waiting", "others", "outsider")],
            "elder": [_claim("elder", "reserved", "elder")],
            "unused": [_claim("unused", "dead", None)],
        },
        "public.claim_attempts": {
            "owner": [{"id": uid("claim_attempts/owner"), "profile_id": account("owner")}]
        },
    }


def account(name: str | None) -> object:
    """The id of an account; NULL for nobody."""
    return uid(f"auth.users/{name}") if name else None


def _memberships() -> World:
    community = {
        "member": ("ours", "member", True),
        "elder": ("ours", "elder", True),
        "org_admin": ("ours", "member", True),
        "applicant": ("ours", "member", False),
        STRANGER: ("elsewhere", "elder", True),
    }
    organisation = {"org_member": "member", "org_admin": "admin", STRANGER: "owner"}
    return {
        "public.community_members": {
            name: [
                {
                    "id": uid(f"community_members/{name}"),
                    "community_id": uid(f"communities/{where}"),
                    "profile_id": account(name),
                    "role": role,
                    "approved_at": EARLIER if approved else None,
                }
            ]
            for name, (where, role, approved) in community.items()
        },
        "public.organisation_members": {
            name: [
                {
                    "id": uid(f"organisation_members/{name}"),
                    "organisation_id": ORGANISATION,
                    "profile_id": account(name),
                    "role": role,
                }
            ]
            for name, role in organisation.items()
        },
        "public.project_members": {
            name: [
                {
                    "id": uid(f"project_members/{name}"),
                    "project_id": PROJECT,
                    "profile_id": account(name),
                    "role": role,
                }
            ]
            for name, role in (("editor", "editor"), (STRANGER, "viewer"))
        },
        "public.organisation_api_keys": {
            "key": [
                {
                    "id": uid("organisation_api_keys/key"),
                    "organisation_id": ORGANISATION,
                    "name": "access matrix",
                    "key_hash": hashed("key"),
                }
            ]
        },
        "public.cultural_protocols": {
            name: [
                {
                    "id": uid(f"cultural_protocols/{name}"),
                    "community_id": uid(f"communities/{name}"),
                    "name": "access matrix",
                    "enforcement": "advisory",
                }
            ]
            for name in ("ours", "elsewhere")
        },
        "public.platform_config": {
            name: [
                {
                    "id": uid(f"platform_config/{name}"),
                    "key": f"access_matrix_{name}",
                    "value": {},
                    "is_public": name == "shown",
                }
            ]
            for name in ("shown", "internal")
        },
    }


def hashed(name: str) -> str:
    """A hash of 32 bytes that no code has."""
    return "\\x" + uid(f"hash/{name}").hex * 2


def _storyteller(name: str) -> Row:
    holder, privacy, deceased = PEOPLE[name]
    return {
        "id": uid(f"storytellers/{name}"),
        "name": f"access matrix: {name}",
        "bio": "access matrix",
        "profile_id": account(holder),
        "community_id": COMMUNITY,
        "organisation_id": ORGANISATION,
        "project_id": PROJECT,
        "privacy": privacy,
        "deceased": deceased,
        "sensitive": False,
        # The co-author alone shows anything of themselves.
        "show_name": name == "co_author",
        "show_bio": name == "co_author",
        "show_organisation": name == "co_author",
        "show_photo": name == "co_author",
    }


def _of(name: str, table: str) -> Row:
    return {"id": uid(f"{table}/{name}"), "storyteller_id": uid(f"storytellers/{name}")}


def _claim(name: str, storyteller: str, by: str | None) -> Row:
    return {
        "id": uid(f"storyteller_claims/{name}"),
        "storyteller_id": uid(f"storytellers/{storyteller}"),
        "code_hash": hashed(f"claim {name}"),
        "expires_at": "2999-01-01T00:00:00+00:00",
        "claimed_by": account(by),
        "claimed_at": EARLIER if by else None,
    }
