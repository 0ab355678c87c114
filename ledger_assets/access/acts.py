"""What is tried with the world's rows: one sample of each change, the additions in their variants, the calls.

What belongs here: SQL of single acts. What does not: who may do them (``matrix.md``), the rows (``people``, ``stories``).

Invariants: ``{table/name}`` stands for a row of the world and ``{me}`` for the account that acts; an act touches no
row but the world's, also when everything is permitted.
"""

from __future__ import annotations

CHANGES: dict[str, dict[str, str]] = {
    # Table -> act -> SET. `change` is a harmless column; the others are what people must not do for themselves.
    "public.profiles": {"change": "display_name = display_name"},
    "public.organisations": {"change": "description = description", "change kind": "kind = 'company'"},
    "public.locations": {"change": "name = name"},
    "public.communities": {"change": "description = description"},
    "public.projects": {"change": "description = description", "show": "is_public = true"},
    "public.community_members": {
        "change": "role = role",
        "approve": "approved_at = now()",
        "make elder": "role = 'elder', approved_at = now()",
        "move": "community_id = {communities/ours}",
    },
    "public.organisation_members": {"change": "role = role"},
    "public.project_members": {"change": "role = role"},
    "public.organisation_api_keys": {"change": "name = name"},
    "public.cultural_protocols": {"change": "name = name", "switch off": "is_active = false"},
    "public.platform_config": {"change": "value = value"},
    "public.storytellers": {
        "change": "bio = bio",
        "widen": "privacy = 'public', show_name = true",
        "take over": "profile_id = {me}",
        "call not sensitive": "sensitive = false, deceased = false",
    },
    "public.storyteller_contacts": {"change": "email = email"},
    "public.storyteller_claims": {"change": "expires_at = expires_at"},
    "public.claim_attempts": {"change": "at = at"},
    "public.stories": {
        "change": "title = title",
        "publish": "status = 'published', published_at = now()",
        "widen": "privacy = 'public'",
        "skip review": "requires_elder_review = false",
        "move": "community_id = {communities/elsewhere}",
        "call not sacred": "sensitivity = 'standard'",
        "open by hand": "eff_limits = 0, eff_until = 'infinity'",
    },
    "public.authorship": {"change": "position = position"},
    "public.consents": {
        "change": "expires_at = expires_at",
        "give": "state = 'given', expires_at = null",
        "withdraw": "state = 'withdrawn'",
        "hand over": "storyteller_id = {storytellers/others}",
    },
    "public.consent_events": {"change": "event = event"},
    "public.interviews": {"change": "summary = summary"},
    "public.themes": {"change": "name = name"},
    "public.story_interviews": {"change": "position = position"},
    "public.interview_storytellers": {"change": "position = position"},
    "public.interview_themes": {"change": "position = position"},
    "public.quotes": {"change": "featured = featured"},
    "public.quote_interviews": {"change": "position = position"},
    "public.media_assets": {"change": "position = position"},
    "public.elder_review_queue": {
        "change": "note = note",
        "approve": "state = 'approved', reviewer_id = {me}",
        "approve as another": "state = 'approved', reviewer_id = {auth.users/stranger}",
    },
    "public.story_versions": {"change": "copy = copy"},
    "public.story_reactions": {"change": "kind = kind"},
    "public.story_comments": {
        "change": "body = body",
        "sign as another": "profile_id = {auth.users/stranger}",
    },
    "public.story_views": {"change": "at = at"},
    "public.story_analysis": {"change": "result = result", "validate": "validated_at = now()"},
    "public.community_insights": {"change": "result = result"},
    "public.community_insight_stories": {"change": "insight_id = insight_id"},
    "public.value_events": {"change": "description = description"},
    "public.value_distributions": {"change": "note = note"},
    "public.erasure_requests": {"change": "reason = reason"},
}

_NEW = "gen_random_uuid()"
_LINK = {"id": _NEW, "position": "9"}
ADDITIONS: dict[str, dict[str, dict[str, str]]] = {
    # Table -> variant -> column -> SQL.
    "public.profiles": {
        "own": {"id": "{me}", "display_name": "'x'"},
        "others": {"id": "{auth.users/stranger}", "display_name": "'x'"},
    },
    "public.organisations": {"new": {"id": _NEW, "name": "'access matrix: new'", "kind": "'other'"}},
    "public.locations": {
        "new": {"id": _NEW, "name": "'access matrix: new'", "kind": "'town'", "country": "'AU'"}
    },
    "public.communities": {"new": {"name": "'access matrix: new'", "slug": "'access-matrix-new'"}},
    "public.projects": {"new": {"id": _NEW, "name": "'access matrix: new'"}},
    "public.community_members": {
        "ask": {"community_id": "{communities/elsewhere}", "profile_id": "{me}", "role": "'member'"},
        "as_elder": {"community_id": "{communities/elsewhere}", "profile_id": "{me}", "role": "'elder'"},
        "approved": {
            "community_id": "{communities/elsewhere}",
            "profile_id": "{me}",
            "role": "'member'",
            "approved_at": "now()",
        },
        "for_another": {
            "community_id": "{communities/ours}",
            "profile_id": "{auth.users/stranger}",
            "role": "'member'",
        },
    },
    "public.organisation_members": {
        "oneself": {"organisation_id": "{organisations/elsewhere}", "profile_id": "{me}", "role": "'viewer'"},
        "another": {
            "organisation_id": "{organisations/ours}",
            "profile_id": "{auth.users/owner}",
            "role": "'member'",
        },
        "an_admin": {
            "organisation_id": "{organisations/ours}",
            "profile_id": "{auth.users/owner}",
            "role": "'admin'",
        },
    },
    "public.project_members": {
        "oneself": {"project_id": "{projects/elsewhere}", "profile_id": "{me}", "role": "'editor'"},
        "another": {"project_id": "{projects/ours}", "profile_id": "{auth.users/owner}", "role": "'viewer'"},
    },
    "public.organisation_api_keys": {
        "new": {
            "organisation_id": "{organisations/ours}",
            "name": "'x'",
            "key_hash": "sha256('access matrix')",
        }
    },
    "public.cultural_protocols": {
        "ours": {"community_id": "{communities/ours}", "name": "'x'"},
        "elsewhere": {"community_id": "{communities/elsewhere}", "name": "'x'"},
    },
    "public.platform_config": {"new": {"key": "'access_matrix_new'", "value": "'{}'"}},
    "public.storytellers": {"own": {"id": _NEW, "name": "'x'", "profile_id": "{me}"}},
    "public.storyteller_contacts": {
        "new": {"id": _NEW, "storyteller_id": "{storytellers/others}", "email": "'x@access-matrix.invalid'"}
    },
    "public.storyteller_claims": {
        "new": {
            "storyteller_id": "{storytellers/others}",
            "code_hash": "sha256('access matrix')",
            "expires_at": "now()",
        }
    },
    "public.claim_attempts": {"own": {"profile_id": "{me}"}},
    "public.stories": {
        "draft": {"title": "'x'", "created_by": "{me}"},
        "as_another": {"title": "'x'", "created_by": "{auth.users/stranger}"},
        "of_the_community": {"title": "'x'", "created_by": "{me}", "community_id": "{communities/ours}"},
        "of_the_organisation": {
            "title": "'x'",
            "created_by": "{me}",
            "organisation_id": "{organisations/ours}",
        },
        "published": {"title": "'x'", "created_by": "{me}", "status": "'published'", "published_at": "now()"},
        "open": {"title": "'x'", "created_by": "{me}", "eff_limits": "0", "eff_until": "'infinity'"},
    },
    "public.authorship": {
        "oneself": {**_LINK, "story_id": "{stories/dead}", "storyteller_id": "{storytellers/owner}"}
    },
    "public.consents": {
        "own": {
            "storyteller_id": "{storytellers/owner}",
            "purpose": "'posthumous'",
            "state": "'given'",
            "evidence_kind": "'app'",
        },
        "own_on_paper": {
            "storyteller_id": "{storytellers/owner}",
            "purpose": "'posthumous'",
            "state": "'given'",
            "evidence_kind": "'form'",
        },
        "co_authors": {
            "storyteller_id": "{storytellers/co_author}",
            "purpose": "'posthumous'",
            "state": "'given'",
            "evidence_kind": "'app'",
        },
        "the_deads": {
            "storyteller_id": "{storytellers/dead}",
            "purpose": "'posthumous'",
            "state": "'given'",
            "evidence_kind": "'app'",
        },
        "for_others_story": {
            "storyteller_id": "{storytellers/owner}",
            "story_id": "{stories/dead}",
            "purpose": "'public_sharing'",
            "state": "'given'",
            "evidence_kind": "'app'",
        },
    },
    "public.consent_events": {
        "new": {
            "consent_id": "{consents/paper}",
            "storyteller_id": "{storytellers/owner}",
            "purpose": "'x'",
            "event": "'given'",
        }
    },
    "public.interviews": {"new": {"id": _NEW, "file_name": "'x'"}},
    "public.themes": {"new": {"id": _NEW, "name": "'x'"}},
    "public.story_interviews": {
        "new": {**_LINK, "story_id": "{stories/dead}", "interview_id": "{interviews/public}"}
    },
    "public.interview_storytellers": {
        "oneself": {**_LINK, "interview_id": "{interviews/others}", "storyteller_id": "{storytellers/owner}"}
    },
    "public.interview_themes": {
        "new": {**_LINK, "interview_id": "{interviews/public}", "theme_id": "{themes/draft}"}
    },
    "public.quotes": {"new": {"id": _NEW, "quote": "'x'", "story_id": "{stories/public}"}},
    "public.quote_interviews": {
        "new": {**_LINK, "quote_id": "{quotes/loose}", "interview_id": "{interviews/public}"}
    },
    "public.media_assets": {
        "new": {**_LINK, "role": "'story_image'", "story_id": "{stories/public}", "attachment_id": "'x'"}
    },
    "public.elder_review_queue": {
        "own": {"story_id": "{stories/draft}", "requested_by": "{me}"},
        "others": {"story_id": "{stories/dead}", "requested_by": "{me}"},
        "approved": {"story_id": "{stories/draft}", "requested_by": "{me}", "state": "'approved'"},
    },
    "public.story_versions": {"new": {"story_id": "{stories/draft}", "version": "9"}},
    "public.story_reactions": {
        "on_public": {"story_id": "{stories/public}", "profile_id": "{me}", "kind": "'heart'"},
        "on_community": {"story_id": "{stories/community}", "profile_id": "{me}", "kind": "'heart'"},
        "on_draft": {"story_id": "{stories/draft}", "profile_id": "{me}", "kind": "'heart'"},
        "as_another": {
            "story_id": "{stories/public}",
            "profile_id": "{auth.users/stranger}",
            "kind": "'heart'",
        },
    },
    "public.story_comments": {
        "on_public": {"story_id": "{stories/public}", "profile_id": "{me}", "body": "'x'"},
        "on_community": {"story_id": "{stories/community}", "profile_id": "{me}", "body": "'x'"},
        "on_draft": {"story_id": "{stories/draft}", "profile_id": "{me}", "body": "'x'"},
        "as_another": {"story_id": "{stories/public}", "profile_id": "{auth.users/stranger}", "body": "'x'"},
    },
    "public.story_views": {"new": {"story_id": "{stories/public}", "viewer_id": "{me}"}},
    "public.story_analysis": {"new": {"story_id": "{stories/public}", "kind": "'themes'", "result": "'{}'"}},
    "public.community_insights": {
        "new": {"community_id": "{communities/ours}", "kind": "'x'", "result": "'{}'"}
    },
    "public.community_insight_stories": {
        "new": {"insight_id": "{community_insights/everybody}", "story_id": "{stories/draft}"}
    },
    "public.value_events": {"new": {"kind": "'other'", "amount": "1"}},
    "public.value_distributions": {
        "own": {
            "event_id": "{value_events/story}",
            "recipient": "'storyteller'",
            "storyteller_id": "{storytellers/owner}",
            "amount": "1",
        }
    },
    "public.erasure_requests": {
        "own_account": {"requested_by": "{me}", "scope": "'account'"},
        "own_person": {
            "requested_by": "{me}",
            "scope": "'storyteller'",
            "storyteller_id": "{storytellers/owner}",
        },
        "own_story": {"requested_by": "{me}", "scope": "'story'", "story_id": "{stories/draft}"},
        "others_story": {"requested_by": "{me}", "scope": "'story'", "story_id": "{stories/dead}"},
        "as_another": {"requested_by": "{auth.users/stranger}", "scope": "'account'"},
    },
}
