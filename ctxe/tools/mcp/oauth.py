"""OAuth for requests to a server, by the library: tokens are stored and renewed, and nobody is asked unexpectedly."""

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
    """The library's token storage: one file, written whenever there are new tokens."""

    def __init__(self, path: Path, url: str, client: OAuthClientInformationFull | None, *, anew: bool) -> None:
        self.path, self.url, self.client = path, url, client
        self.record = {} if anew else read_record(path)
        self.provider: OAuthClientProvider | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens in the file."""
        from mcp.shared.auth import OAuthToken

        return _parsed(OAuthToken, self.record.get("tokens"))

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Store tokens, with all that is needed to renew them later. Raises StoreError."""
        assert self.provider is not None
        context = self.provider.context
        self.record = {
            "url": self.url,
            "tokens": _json(tokens),
            "ends": context.token_expiry_time,
            "client": _json(context.client_info),
            "issuer": _json(context.oauth_metadata),
            "resource": _json(context.protected_resource_metadata),
        }
        write_record(self.path, self.record)

    def renewed(self) -> bool:
        """Read the file again; True when another session has changed it."""
        before, self.record = self.record, read_record(self.path)
        return self.record != before

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Our client registration at the server."""
        from mcp.shared.auth import OAuthClientInformationFull

        return self.client or _parsed(OAuthClientInformationFull, self.record.get("client"))

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Do nothing: ``set_tokens`` stores the registration, which is useless without tokens."""


def provider(name: str, url: str, path: Path, return_url: str = "", login: Login | None = None) -> httpx2.Auth:
    """Authentication by the tokens in a file, which are renewed when they expire.

    With ``login`` the user signs in in a browser, which is sent back to ``return_url`` on loopback; without it nobody
    is asked.
    """
    from mcp.shared.auth import OAuthClientMetadata

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "ctxe",
            "redirect_uris": [return_url or f"http://{LOOPBACK}{PATH}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
    )

    async def go(address: str) -> None:
        assert login is not None
        require_safe(address, url)
        await login.open_url(address)

    storage = Storage(path, url, _configured_client(login, metadata), anew=login is not None)
    if login is None:
        authentication = _without_user(name, url, storage)(url, metadata, storage)
    else:
        authentication = _with_safe_urls(url)(url, metadata, storage, go, login.wait_for_code)
    storage.provider = authentication
    _restore(authentication, storage.record)
    return authentication


def _with_safe_urls(url: str) -> type[OAuthClientProvider]:
    """The library's flow, restricted to safe URLs (see ``require_safe``)."""
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


def _without_user(name: str, url: str, storage: Storage) -> type[OAuthClientProvider]:
    """The library's flow when nobody can sign in: it ends with ToolError instead of a question to the user.

    Tokens that are refused before they expire are renewed; a file that another session changed is read again.
    """

    class Unasking(_with_safe_urls(url)):  # type: ignore[misc]
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
            raise ToolError(f"the sign-in is no longer valid: `ctxe mcp login {name}` signs in again")

    return Unasking


def _refused(response: httpx2.Response) -> bool:
    """Whether a response asks for a new sign-in: the present one is invalid or lacks rights."""
    more = response.status_code == 403 and "insufficient_scope" in response.headers.get("www-authenticate", "")
    return response.status_code == 401 or more


def _configured_client(login: Login | None, metadata: Any) -> OAuthClientInformationFull | None:
    """The client registration that the user has configured; None when there is none."""
    from mcp.shared.auth import OAuthClientInformationFull

    if login is None or login.client is None:
        return None
    secret = login.client.secret or None
    method = "client_secret_post" if secret else "none"
    registration = {**_json(metadata), "client_id": login.client.id, "token_endpoint_auth_method": method}
    return OAuthClientInformationFull.model_validate({**registration, **({"client_secret": secret} if secret else {})})


def _restore(authentication: OAuthClientProvider, record: dict[str, Any]) -> None:
    """Give the library the facts it does not store itself: when tokens expire, and where to renew them."""
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    ends = record.get("ends")
    authentication.context.token_expiry_time = float(ends) if isinstance(ends, int | float) else None
    authentication.context.oauth_metadata = _parsed(OAuthMetadata, record.get("issuer"))
    authentication.context.protected_resource_metadata = _parsed(ProtectedResourceMetadata, record.get("resource"))


def _parsed(kind: type[Kind], value: Any) -> Kind | None:
    """Parse a model from the file; None for damage, since an error's text would reveal secrets."""
    from pydantic import ValidationError

    try:
        return kind.model_validate(value) if value else None
    except ValidationError:
        return None


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True) if model is not None else None
