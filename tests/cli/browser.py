# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium that shows one page after another: spoken to over a pipe (the DevTools protocol,
messages of JSON that end with a zero byte), so that it is started only once and needs no further program.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 90


class Browser:
    """One Chromium with one tab, in a folder of its own; `complaints` is what the page shown last has said
    on its console, or has asked the network for."""

    def __init__(self, place):
        to_read, self.to_write = os.pipe()
        self.to_hear, to_say = os.pipe()
        self.heard, self.number, self.complaints, self.events = b"", 0, [], []
        # Chromium reads from handle 3 and writes to 4: moved there by the shell, as the numbers that
        # pipes have here may be just those.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{to_say}', "sh", CHROMIUM, "--headless",
             "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             "--no-first-run", "--disable-extensions", "--disable-background-networking",
             f"--user-data-dir={place}/profile", "about:blank"],
            pass_fds=(to_read, to_say), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_read)
        os.close(to_say)
        self.session = None
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"]
                      if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"],
                                flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self):
        self.session = None
        try:
            self.ask("Browser.close")
        finally:
            os.close(self.to_write)
            os.close(self.to_hear)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # ---- Messages ----

    def hear(self, until):
        """The next message."""
        while b"\0" not in self.heard:
            if not select.select([self.to_hear], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            more = os.read(self.to_hear, 1 << 20)
            if not more:
                raise EOFError("Chromium has ended")
            self.heard += more
        message, self.heard = self.heard.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        name, what = message.get("method"), message.get("params", {})
        if name == "Runtime.consoleAPICalled":
            self.complaints.append(" ".join(str(one.get("value")) for one in what["args"]))
        elif name == "Runtime.exceptionThrown":
            self.complaints.append(what["exceptionDetails"]["text"])
        elif name == "Log.entryAdded":
            self.complaints.append(what["entry"]["text"])
        elif name == "Network.requestWillBeSent":
            address = what["request"]["url"]
            if not address.startswith(("file:", "data:")):
                self.complaints.append(f"asks for {address}")
        self.events.append(name)

    def ask(self, method, **params):
        """The result of a command."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_write, data):]
        until = time.monotonic() + TIMEOUT
        while True:
            answer = self.hear(until)
            if answer.get("id") != self.number:
                self.note(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    # ---- Pages ----

    def look(self, width, dark=False, height=1000):
        """How wide the window is, and which colours its reader likes."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def show(self, path):
        """Loads a page."""
        self.complaints, self.events = [], []
        self.ask("Page.navigate", url="file://" + os.path.abspath(path))
        until = time.monotonic() + TIMEOUT
        while "Page.loadEventFired" not in self.events:
            self.note(self.hear(until))

    def evaluate(self, script):
        """What a script in the page comes to."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, scale=1):
        """What is in the window, as a PNG."""
        size = self.evaluate("({width: innerWidth, height: innerHeight})")
        return base64.b64decode(self.ask("Page.captureScreenshot", clip={
            "x": 0, "y": 0, "scale": scale, **size})["data"])

    def whole(self):
        """All of the page, as a PNG."""
        size = self.evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})")
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "scale": 1, **size})["data"])

    def paper(self):
        """The page as it prints, a PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])
