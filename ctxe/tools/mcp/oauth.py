"""What is kept of a sign-in, as the library wants it: each request signed, tokens renewed, nobody asked unawares."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ctxe.domain.errors import ToolError
from ctxe.tools.mcp.login import LOOPBACK, PATH, Login, require_safe
from ctxe.tools.mcp.token_file import read_record, write_record

if TYPE_CHECKING:
    import httpx2
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
    from pydantic import BaseModel

Kind = TypeVar("Kind", bound="BaseModel")


class Storage:
    """Where the library keeps what it has: all of it in one file, written when there are tokens."""

    def __init__(self, path: Path, url: str, client: OAuthClientInformationFull | None, *, anew: bool) -> None:
        self.path, self.url, self.client = path, url, client
        self.record = {} if anew else read_record(path)
        self.provider: OAuthClientProvider | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Those of the file."""
        from mcp.shared.auth import OAuthToken

        return _of(OAuthToken, self.record.get("tokens"))

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep them, with all that is needed to have new ones later. Raises StoreError."""
        assert self.provider is not None
        held = self.provider.context
        self.record = {
            "url": self.url,
            "tokens": _json(tokens),
            "ends": held.token_expiry_time,
            "client": _json(held.client_info),
            "issuer": _json(held.oauth_metadata),
            "resource": _json(held.protected_resource_metadata),
        }
        write_record(self.path, self.record)

    def renewed(self) -> bool:
        """Does the file hold something else than before? It is taken over."""
        before, self.record = self.record, read_record(self.path)
        return self.record != before

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """As what we are known there."""
        from mcp.shared.auth import OAuthClientInformationFull

        return self.client or _of(OAuthClientInformationFull, self.record.get("client"))

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Kept with the tokens: without them it is worth nothing."""


def provider(name: str, url: str, path: Path, back: str = "", login: Login | None = None) -> httpx2.Auth:
    """What signs each request to an address with the tokens of a file, and gets new ones when they end.

    With ``login`` the user is asked, and sent ``back`` to that address on loopback; without it nobody is.
    """
    from mcp.shared.auth import OAuthClientMetadata

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "ctxe",
            "redirect_uris": [back or f"http://{LOOPBACK}{PATH}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
    )

    async def go(address: str) -> None:
        assert login is not None
        require_safe(address, url)
        await login.go(address)

    storage = Storage(path, url, _known(login, metadata), anew=login is not None)
    if login is None:
        made = _unasking(name, url, storage)(url, metadata, storage)
    else:
        made = _asking(url)(url, metadata, storage, go, login.came)
    storage.provider = made
    _restore(made, storage.record)
    return made


def _asking(url: str) -> type[OAuthClientProvider]:
    """The library's flow, which goes to no address that is not safe."""
    from mcp.client.auth import OAuthClientProvider

    class Asking(OAuthClientProvider):
        async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
            flow = super()._auth_flow(request)
            try:
                outgoing = await anext(flow)
                while True:
                    if outgoing is not request:
                        require_safe(str(outgoing.url), url)
                    outgoing = await flow.asend((yield outgoing))
            except StopAsyncIteration:
                return
            finally:
                await flow.aclose()

    return Asking


def _unasking(name: str, url: str, storage: Storage) -> type[OAuthClientProvider]:
    """The library's flow for where nobody can sign in: nothing is begun that ends in a question.

    Tokens that are refused before their time are renewed; what another session renewed or took back holds at once.
    """

    class Unasking(_asking(url)):  # type: ignore[misc]
        async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
            if storage.renewed():
                self._initialized = False
                _restore(self, storage.record)
            for renews in (True, False):
                flow = super()._auth_flow(request)
                try:
                    outgoing = await anext(flow)
                    while True:
                        response = yield outgoing
                        if outgoing is request and _refused(response):
                            break
                        outgoing = await flow.asend(response)
                except StopAsyncIteration:
                    return
                finally:
                    await flow.aclose()
                if not (renews and response.status_code == 401 and self.context.can_refresh_token()):
                    break
                self.context.token_expiry_time = 1.0
            raise ToolError(f"the sign-in no longer holds: `ctxe mcp login {name}` signs in anew")

    return Unasking


def _refused(response: httpx2.Response) -> bool:
    """Does an address want another sign-in: none at all that holds, or one with more rights?"""
    more = response.status_code == 403 and "insufficient_scope" in response.headers.get("www-authenticate", "")
    return response.status_code == 401 or more


def _known(login: Login | None, metadata: Any) -> OAuthClientInformationFull | None:
    """A client that the user was given by hand."""
    from mcp.shared.auth import OAuthClientInformationFull

    if login is None or login.client is None:
        return None
    secret = login.client.secret or None
    method = "client_secret_post" if secret else "none"
    given = {**_json(metadata), "client_id": login.client.id, "token_endpoint_auth_method": method}
    return OAuthClientInformationFull.model_validate({**given, **({"client_secret": secret} if secret else {})})


def _restore(made: OAuthClientProvider, record: dict[str, Any]) -> None:
    """Give the library what it does not keep itself: when tokens end, and where new ones are had."""
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    ends = record.get("ends")
    made.context.token_expiry_time = float(ends) if isinstance(ends, int | float) else None
    made.context.oauth_metadata = _of(OAuthMetadata, record.get("issuer"))
    made.context.protected_resource_metadata = _of(ProtectedResourceMetadata, record.get("resource"))


def _of(kind: type[Kind], given: Any) -> Kind | None:
    """What a file holds of a kind; nothing where it is damaged: an error would tell what stands in it."""
    from pydantic import ValidationError

    try:
        return kind.model_validate(given) if given else None
    except ValidationError:
        return None


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True) if model is not None else None
