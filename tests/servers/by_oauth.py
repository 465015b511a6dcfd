"""A server at an address that wants a sign-in, and its issuer: ``python by_oauth.py PORT FOLDER BACK``, the library's.

Whoever asks is let in at once, and the client ``known`` comes back to BACK. FOLDER/way says otherwise: ``short``: a
token lasts a second; ``revoked``: one that is a second old is refused; ``refuses``: nobody is let in, ``deaf``: nor is
a token renewed. FOLDER/journal gets a line for what was done. The tool ``token`` tells the one that came.
"""

from __future__ import annotations

import secrets
import sys
import time
import warnings
from pathlib import Path

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl

PORT, FOLDER, BACK = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
URL = f"http://127.0.0.1:{PORT}"
SECRET = "known-secret-0123456789"


def way() -> str:
    return (FOLDER / "way").read_text() if (FOLDER / "way").exists() else ""


def note(line: str) -> None:
    with (FOLDER / "journal").open("a") as file:
        file.write(line + "\n")


class Issuer(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Everything in memory."""

    def __init__(self) -> None:
        known = {"client_id": "known", "client_secret": SECRET, "redirect_uris": [BACK], "scope": "tea"}
        method = {"token_endpoint_auth_method": "client_secret_post"}
        self.clients = {"known": OAuthClientInformationFull.model_validate(known | method)}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.renewal: dict[str, RefreshToken] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        note(f"registered {client_info.client_name}")
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        note(f"authorize {params.resource}")
        if way() in ("refuses", "deaf"):
            return construct_redirect_uri(str(params.redirect_uri), error="access_denied", state=params.state)
        code = AuthorizationCode(
            code=secrets.token_urlsafe(20),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state, iss=f"{URL}/")

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        note("code exchanged")
        del self.codes[authorization_code.code]
        return self.given(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return None if way() == "deaf" else self.renewal.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        note("refreshed")
        del self.renewal[refresh_token.token]
        return self.given(client, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        found = self.access.get(token)
        if way() in ("revoked", "deaf") and found and time.time() - (found.claims or {})["made"] > 1:
            return None
        return found

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        note(f"revoked {type(token).__name__}")
        self.access.pop(token.token, None)
        self.renewal.pop(token.token, None)

    def given(self, client: OAuthClientInformationFull, scopes: list[str], resource: str | None) -> OAuthToken:
        access, renewal = f"tok-{secrets.token_urlsafe(20)}", f"ref-{secrets.token_urlsafe(20)}"
        lasts, made = 1 if way() == "short" else 3_600, time.time()
        self.access[access] = AccessToken(
            token=access,
            client_id=client.client_id,
            scopes=scopes,
            expires_at=int(made) + lasts + 1,
            resource=resource,
            claims={"made": made},
        )
        self.renewal[renewal] = RefreshToken(
            token=renewal, client_id=client.client_id, scopes=scopes, resource=resource
        )
        return OAuthToken(access_token=access, refresh_token=renewal, expires_in=lasts, scope=" ".join(scopes))


warnings.simplefilter("ignore")
made: MCPServer[object] = MCPServer(
    "vault",
    log_level="ERROR",
    auth_server_provider=Issuer(),
    auth=AuthSettings(
        issuer_url=AnyHttpUrl(URL),
        resource_server_url=AnyHttpUrl(f"{URL}/mcp"),
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=["tea"], default_scopes=["tea"]
        ),
        revocation_options=RevocationOptions(enabled=True),
        required_scopes=["tea"],
        validate_token_resource=True,
    ),
)


@made.tool()
def token() -> str:
    """Return the received token, which ctxe must mask."""
    found = get_access_token()
    return f"you sent {found.token if found else 'nothing'}"


if __name__ == "__main__":
    made.run("streamable-http", host="127.0.0.1", port=PORT)
