"""What goes wrong on purpose: rate limit and penalty, scripted faults, expired addresses of files."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

import pyairtable
import pytest
import requests

from ledger_assets.demo.faults import RateLimit
from ledger_assets.demo.server import LocalAirtable
from tests.demo.conftest import table_url


def test_the_sixth_request_of_a_second_starts_the_penalty(serve: Callable[..., LocalAirtable]) -> None:
    server = serve(requests_per_second=5)
    headers = {"Authorization": f"Bearer {server.api_key}"}
    with requests.Session() as session:
        answers = [session.get(table_url(server, "Stories"), headers=headers) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json()["errors"][0]["error"] == "RATE_LIMIT_REACHED"
    assert requests.get(f"{server.url}/v0/meta/whoami", headers=headers).status_code == 200


def test_the_penalty_ends_and_an_even_pace_never_meets_it() -> None:
    now = 100.0
    limit = RateLimit(5.0, 30.0, clock=lambda: now)
    assert [limit.allows() for _ in range(6)] == [True] * 5 + [False]
    now += 29.9
    assert not limit.allows()
    now += 0.2
    assert limit.allows()
    for _ in range(50):
        now += 0.2
        assert limit.allows()


def test_scripted_faults_hit_so_many_matching_requests(
    server: LocalAirtable, session: requests.Session
) -> None:
    server.faults.add("Stories", 503, times=2, after=1, headers={"Retry-After": "1"})
    urls = [table_url(server, name) for name in ("Stories", "Quotes", "Stories", "Stories", "Stories")]
    answers = [session.get(url) for url in urls]
    assert [answer.status_code for answer in answers] == [200, 200, 503, 503, 200]
    assert answers[2].headers["Retry-After"] == "1"
    assert [request.status for request in server.requests] == [200, 200, 503, 503, 200]


def test_an_answer_can_be_garbage_or_half(server: LocalAirtable, session: requests.Session) -> None:
    server.faults.add("Stories", garbage=True)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        session.get(table_url(server, "Stories")).json()
    server.faults.add("Stories", cut=True)
    with pytest.raises(requests.exceptions.RequestException):
        _ = session.get(table_url(server, "Stories")).content
    assert session.get(table_url(server, "Stories")).status_code == 200


def test_a_slow_answer_runs_into_the_clients_time_out(
    server: LocalAirtable, session: requests.Session
) -> None:
    server.faults.add("Stories", delay=30)
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(table_url(server, "Stories"), timeout=0.2)
    server.faults.latency = (0.001, 0.002)
    assert session.get(table_url(server, "Stories"), timeout=30).status_code == 200


def test_a_stopped_server_refuses_and_started_again_has_its_port(
    server: LocalAirtable, session: requests.Session
) -> None:
    url = table_url(server, "Stories")
    server.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(url)
    server.start()
    assert session.get(url).status_code == 200


def attachments(server: LocalAirtable) -> list[dict[str, str]]:
    base = pyairtable.Api(server.api_key, endpoint_url=server.url).base(server.base_id)
    return [
        file
        for record in base.table("Storytellers").all()
        for file in record["fields"].get("File Profile Image", [])
    ]


def test_files_are_real_pictures_of_the_size_that_is_told(server: LocalAirtable) -> None:
    files = attachments(server)
    digests = set()
    for file in files:
        answer = requests.get(file["url"])
        assert len(answer.content) == file["size"]
        assert answer.headers["content-type"] == file["type"]
        digests.add(hashlib.sha256(answer.content).digest())
    assert len(digests) == len(files)
    jpeg, png = (next(f for f in files if f["type"] == kind) for kind in ("image/jpeg", "image/png"))
    content = requests.get(jpeg["url"]).content
    assert (content[:2], content[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    content = requests.get(png["url"]).content
    start = content.index(b"IDAT")
    length = int.from_bytes(content[start - 4 : start])
    assert len(zlib.decompress(content[start + 4 : start + 4 + length])) == (48 + 1) * 32


def test_the_address_of_a_file_expires(serve: Callable[..., LocalAirtable]) -> None:
    server = serve(attachment_url_seconds=-1)
    assert requests.get(attachments(server)[0]["url"]).status_code == 410
    assert requests.get(f"{server.url}/files/99999999999999/attAAAAAAAAAAAAAA").status_code == 404
