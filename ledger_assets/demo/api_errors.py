"""The errors of Airtable's API: status and body as Airtable's."""

from __future__ import annotations

from ledger_assets.demo.cells import encode


class ApiError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def api_error(status: int, kind: str, message: str | None = None) -> ApiError:
    """``{"error": {"type": ..., "message": ...}}``."""
    error = {"type": kind} if message is None else {"type": kind, "message": message}
    return ApiError(status, encode({"error": error}))


def unauthorised() -> ApiError:
    """No token, or one that is not known."""
    return api_error(401, "AUTHENTICATION_REQUIRED", "Authentication required")


def forbidden() -> ApiError:
    """Airtable's answer to a table or base that is not there, too."""
    return api_error(
        403,
        "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "Invalid permissions, or the requested model was not found. Check that both your user and your token "
        "have the required permissions, and that the model names and/or ids are correct.",
    )


def not_found() -> ApiError:
    """No such record or address."""
    return ApiError(404, '{"error":"NOT_FOUND"}')


def unprocessable(kind: str, message: str | None = None) -> ApiError:
    """422: the request is understood and wrong."""
    return api_error(422, kind, message)


def unknown_field(name: str) -> ApiError:
    """A field that the table does not have."""
    return unprocessable("UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')


def rate_limited() -> ApiError:
    """More than the base's requests per second, or a request within the penalty."""
    return ApiError(
        429,
        '{"errors":[{"error":"RATE_LIMIT_REACHED","message":"Rate limit exceeded. Please try again later"}]}',
    )
