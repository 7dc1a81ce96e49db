"""The server's public keys: the chain of keysets that tills walk, and the online keys as a JWKS for everybody else."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from tillkey_server.api import documents, openapi
from tillkey_server.api.context import services_of
from tillkey_server.api.responses import Refused
from tillkey_server.rules.decision import Refusal

router = APIRouter(tags=["keys"])

NEWEST = "public, max-age=60"
IMMUTABLE = "public, max-age=31536000, immutable"
JOSE_JSON = "application/jose+json"
JWK_SET = "application/jwk-set+json"
_VERSION = re.compile(r"[1-9][0-9]{0,8}")

_UNCHANGED: openapi.Responses = {304: {"description": "Unchanged since the ETag in If-None-Match."}}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the document held.",
    "schema": {"type": "string"},
}
# A text and no number, so that whatever is no version is simply not found.
Version = Annotated[
    str, Path(description="The version, from 1.", json_schema_extra={"pattern": f"^{_VERSION.pattern}$"})
]


@router.get(
    "/v1/keyset",
    operation_id="newest_keyset",
    summary="The newest keyset",
    response_class=Response,
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
    responses={
        **openapi.success(200, documents.KeysetBody, "The keyset.", media_type=JOSE_JSON, headers=openapi.cacheable()),
        **_UNCHANGED,
        **openapi.refusals(),
    },
)
async def newest(request: Request) -> Response:
    """Return the keyset whose keys sign today's answers."""
    keyring = services_of(request).keyring
    return _document(request, keyring.text.encode("ascii"), JOSE_JSON, NEWEST)


@router.get(
    "/v1/keyset/{version}",
    operation_id="keyset",
    summary="One version of the keyset",
    response_class=Response,
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
    responses={
        **openapi.success(200, documents.KeysetBody, "The keyset.", media_type=JOSE_JSON, headers=openapi.cacheable()),
        **_UNCHANGED,
        **openapi.refusals(Refusal.NOT_FOUND),
    },
)
async def versioned(request: Request, version: Version) -> Response:
    """Return one version; a till walks from the one that it holds to the next."""
    plain = _VERSION.fullmatch(version) is not None
    found = services_of(request).keyring.text_of(int(version)) if plain else None
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such version of the keyset.")
    return _document(request, found.encode("ascii"), JOSE_JSON, IMMUTABLE)


@router.get(
    "/.well-known/jwks.json",
    operation_id="jwks",
    summary="The online keys as a JWK set",
    response_class=Response,
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
    responses={
        **openapi.success(200, documents.JwksBody, "The keys.", media_type=JWK_SET, headers=openapi.cacheable()),
        **_UNCHANGED,
        **openapi.refusals(),
    },
)
async def jwks(request: Request) -> Response:
    """Return the keys of the newest keyset, for whoever checks leases with a common JOSE library."""
    document = json.dumps(services_of(request).keyring.jwks())
    return _document(request, document.encode("ascii"), JWK_SET, NEWEST)


def _document(request: Request, body: bytes, media_type: str, caching: str) -> Response:
    """Return a document with its ETag, or 304 where the caller holds it (RFC 9110 section 13.1.2)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": caching}
    if _holds(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _holds(given: list[str], etag: str) -> bool:
    held = [entry.strip().removeprefix("W/") for line in given for entry in line.split(",")]
    return etag in held or "*" in held
