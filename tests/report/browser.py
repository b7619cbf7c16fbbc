"""A real Chromium, spoken to in WebDriver's own words; without one the tests are skipped."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

DRIVER, CHROMIUM = shutil.which("chromedriver"), shutil.which("chromium")
needs_browser = pytest.mark.skipif(
    DRIVER is None or CHROMIUM is None, reason="needs Chromium and its chromedriver"
)
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,1000",
)  # fmt: skip
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")


class Browser:
    """A window that opens files of this machine."""

    def __init__(self, home: Path) -> None:
        assert DRIVER is not None
        self._driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._driver.stdout is not None
        said = (re.search(r"started successfully on port (\d+)", x) for x in self._driver.stdout)
        self.port = int(next(found for found in said if found)[1])
        options = {"args": [*ARGUMENTS, f"--user-data-dir={home}"], "binary": CHROMIUM}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._call("DELETE", self._session)
        self._driver.terminate()
        self._driver.communicate()

    def open(self, page: Path) -> None:
        """Open a page and let its script run to its end."""
        self._call("POST", f"{self._session}/url", {"url": page.absolute().as_uri()})
        self.wait("return document.documentElement.dataset.ready === 'yes'")

    def resize(self, width_px: int, height_px: int) -> None:
        """Make the window so large."""
        size = {"width": width_px, "height": height_px}
        self._call("POST", f"{self._session}/window/rect", size)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        body = {"script": script, "args": arguments}
        return self._call("POST", f"{self._session}/execute/sync", body)

    def run_async(self, script: str, *arguments: Any) -> Any:
        """What a script hands to its last argument."""
        body = {"script": script, "args": arguments}
        return self._call("POST", f"{self._session}/execute/async", body)

    def wait(self, script: str) -> None:
        """Until a condition holds, as the page itself notices it; five seconds at most."""
        held = self.run_async(
            f"""const done = arguments[arguments.length - 1];
            const check = () => {{ {script} }};
            const end = performance.now() + 5000;
            const look = () => check() ? done(true) : performance.now() > end ? done(false)
              : requestAnimationFrame(look);
            look();"""
        )
        assert held, script

    def keys(self, text: str) -> None:
        """Type into what has the focus."""
        presses = [{"type": kind, "value": c} for c in text for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keys", "actions": presses}]
        self._call("POST", f"{self._session}/actions", {"actions": actions})

    def axe(self) -> list[str]:
        """What axe holds against the page as it stands, by the rules of `RULES`."""
        package = find_spec("axe_core_python")
        assert package is not None
        assert package.origin is not None
        source = (Path(package.origin).parent / "axe.min.js").read_text("utf-8")
        self.run(f"{source}; window.axe = axe")
        told = self.run_async(
            """const [rules, done] = arguments;
            axe.run(document, {runOnly: rules}).then((found) => done(found.violations.map((v) =>
              `${v.id} (${v.impact}): ${v.nodes.map((n) => n.html).join(" ").slice(0, 300)}`)));""",
            list(RULES),
        )
        return list(told)

    def complaints(self) -> list[str]:
        """What the console holds."""
        log = self._call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in log]

    def screenshot(self, path: Path) -> None:
        """The window as a PNG."""
        path.write_bytes(base64.b64decode(self._call("GET", f"{self._session}/screenshot")))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as exc:
            raise AssertionError(exc.read().decode()) from exc
