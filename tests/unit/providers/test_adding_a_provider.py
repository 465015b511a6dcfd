"""The provider that docs/adding-a-provider.md builds works as it stands there."""

import importlib.util
import json
import re
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import BadReply
from ctxe.domain.model import Model, TextDelta
from ctxe.providers import catalog
from ctxe.providers.connect import Access, connect
from ctxe.providers.faults import Endpoint
from ctxe.providers.transport import Transport
from tests.wire.adapters import MODEL, hear, patience, waits

DOCUMENT = (Path(__file__).parents[3] / "docs/adding-a-provider.md").read_text(encoding="utf-8")
OVER, CUT = 'data: {"say": "Hi"}\n\ndata: {"over": true}\n\n', 'data: {"say": "H'


class Server(ThreadingHTTPServer):
    asked: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, sent))
        self.send_response(200)
        self.end_headers()
        self.wfile.write((OVER if len(self.server.asked) == 2 else CUT).encode())


@pytest.fixture
def module(tmp_path: Path) -> Any:
    (code,) = re.findall(r"<!-- plain\.py -->\n```python\n(.*?)```", DOCUMENT, re.S)
    (tmp_path / "plain.py").write_text(code)
    spec = importlib.util.spec_from_file_location("plain", tmp_path / "plain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documented_provider_streams_retries_a_cut_and_gives_up(module: Any) -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
        at = Endpoint("plain", "m", f"http://127.0.0.1:{server.server_address[1]}", local=True)
        provider = module.Plain(MODEL, Transport("openai", at, patience()))
        deltas, reply = hear(provider)
        assert (deltas[-1], waits(deltas)) == (TextDelta("Hi"), ["it ended in the middle"])
        assert reply == Reply("Hi", model=MODEL.id)
        assert server.asked == [("/complete", {"model": "wire-model", "prompt": "Be brief.\n\nhello"})] * 2
        with pytest.raises(BadReply, match="3 requests"):
            hear(provider)
        server.shutdown()


def test_the_documented_settings_make_the_model_known() -> None:
    (settings,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.S)
    model = catalog.find("local/my-model", tomllib.loads(settings)["models"])
    assert (model.window, model.prices and (model.prices.input, model.prices.output)) == (65_536, (0.2, 0.8))
    provider: Any = connect(model, Access({}, "http://127.0.0.1:9000/v1"))
    assert provider.transport.endpoint.address == "http://127.0.0.1:9000/v1"
    assert isinstance(provider.model, Model)


def test_every_host_dialect_is_documented() -> None:
    habits = set(catalog.Host.__dataclass_fields__) - {"name", "api", "url", "key"}
    assert not [habit for habit in habits if f"`{habit}`" not in DOCUMENT]
