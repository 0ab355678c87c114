"""The two code locations of ``workspace.yaml``: one complete lane per environment."""

from ledger_assets.build import build_definitions
from ledger_assets.environment import Environment

staging = build_definitions(Environment.STAGING)
production = build_definitions(Environment.PRODUCTION)
