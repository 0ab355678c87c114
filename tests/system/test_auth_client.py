"""Supabase's own Python client judges the double of Auth's admin API: it was not made by us and knows nothing of us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_assets.demo.postgres import Cluster
from tests.accounts.gotrue import KEY, gotrue

pytestmark = pytest.mark.system

CLIENT = "supabase-auth==2.34.1"
SCRIPT = """
import json, sys
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError

url, key = sys.argv[1:]
headers = {"apikey": key, "Authorization": f"Bearer {key}"}
admin = SyncGoTrueClient(url=f"{url}/auth/v1", headers=headers).admin

def refused(act):
    try:
        act()
    except AuthApiError as error:
        return [error.code, error.status]

made = admin.create_user(
    {"email": "Nora@riverbend.org.au", "email_confirm": False, "app_metadata": {"mark": "x"}}
).user
said = {"made": [made.email, made.app_metadata["mark"], made.email_confirmed_at]}
said["twice"] = refused(lambda: admin.create_user({"email": "nora@riverbend.org.au"}))
said["listed"] = [[user.email for user in admin.list_users(page=page, per_page=1)] for page in (1, 2)]
said["same"] = admin.update_user_by_id(made.id, {"ban_duration": "876000h"}).user.id == made.id
said["invited"] = admin.invite_user_by_email("nora@riverbend.org.au").user.invited_at is not None
said["found"] = admin.get_user_by_id(made.id).user.email
admin.delete_user(made.id)
said["gone"] = refused(lambda: admin.get_user_by_id(made.id))
said["left"] = len(admin.list_users())
print(json.dumps(said))
"""


def test_the_official_client_understands_the_double(
    tmp_path: Path, cluster: Cluster, empty_database_url: str
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", CLIENT], check=True, capture_output=True)
    name = empty_database_url.rsplit("/", 1)[1].partition("?")[0]
    with gotrue(cluster.admin_url(name)) as double:
        done = subprocess.run(
            [str(python), "-c", SCRIPT, double.url, KEY], check=True, capture_output=True, text=True, env={}
        )
        refused = subprocess.run(
            [str(python), "-c", SCRIPT, double.url, "another"],
            check=False,
            capture_output=True,
            text=True,
            env={},
        )
    assert json.loads(done.stdout) == {
        "made": ["nora@riverbend.org.au", "x", None],
        "twice": ["email_exists", 422],
        "listed": [["nora@riverbend.org.au"], []],
        "same": True,
        "invited": True,
        "found": "nora@riverbend.org.au",
        "gone": ["user_not_found", 404],
        "left": 0,
    }
    assert refused.returncode == 1
    assert "AuthApiError" in refused.stderr
