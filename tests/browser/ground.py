"""Where things break: a desk that can be killed, a browser before it, and what must have arrived in the end."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.browser.screen import FLAGS, LAPTOP, PATIENCE, Screen
from tests.desk.serving import Process, quiet_port, serve
from transcribe.store import Store

#: What people write, in three scripts; each text is some of these.
WORDS = ["आज", "कितने", "रुपये", "क्षत्रिय", "தேங்காய்", "இல்லை", "வணக்கம்", "the", "bairn", "دکان", "ہے"]


@dataclass
class Ground:
    """A desk of one's own, and its passwords."""

    workspace: Path
    passwords: Mapping[str, str]
    desk: Process
    more: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, workspace: Path, passwords: Mapping[str, str], **more: str) -> Ground:
        return cls(workspace, passwords, serve(workspace, port=quiet_port(), **more), more)

    @property
    def url(self) -> str:
        return self.desk.url

    def kill(self) -> None:
        self.desk.kill()

    def again(self) -> None:
        """Open the desk where it was."""
        self.desk = serve(self.workspace, port=int(self.url.rsplit(":", 1)[1]), **self.more)

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.workspace}/boli.db")

    def texts(self) -> list[str]:
        """Every text that the desk has taken, in turn."""
        with self.store() as store, store.database.begin_read() as connection:
            assert store.audit.find_broken_history() is None
            return list(connection.exec_driver_sql("SELECT text FROM versions ORDER BY no").scalars())


@dataclass
class Writer:
    """Somebody who writes while things break."""

    ground: Ground
    context: BrowserContext
    screen: Screen
    rng: random.Random
    #: Texts that were said to be done.
    done: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, ground: Ground, context: BrowserContext, seed: int) -> Writer:
        screen = Screen(context.pages[0] if context.pages else context.new_page(), ground.url, ground.passwords)
        screen.sign_in("transcriber").at_work().has_more()
        return cls(ground, context, screen, random.Random(seed))

    def new_text(self) -> str:
        words = [*self.rng.choices(WORDS, k=self.rng.randint(3, 7)), f"{self.rng.getrandbits(64):x}"]
        return " ".join(self.rng.sample(words, len(words)))

    def type(self, text: str) -> None:
        """Put *text* in the place of what stands, at once."""
        self.screen.at_work().write(text)

    def type_slowly(self, text: str) -> None:
        """Put *text* in the place of what stands, key by key, at the pace of people."""
        self.screen.at_work().page.keyboard.press("Control+A")
        for character in text:
            self.screen.page.keyboard.insert_text(character)
            self.screen.page.wait_for_timeout(self.rng.choice((0, 0, 5, 20, 60)))

    def partly(self, text: str) -> None:
        """Type some of *text*, and wait for a moment that nobody chose."""
        self.type_slowly(text[: self.rng.randint(4, len(text))])
        self.screen.page.wait_for_timeout(self.rng.choice((0, 50, 200, 420, 500, 900)))

    def come_back(self, context: BrowserContext | None = None) -> None:
        """Open the desk anew in what is left of the browser."""
        self.context = context or self.context
        before = self.screen
        fresh = self.context.pages[0] if context is not None and self.context.pages else self.context.new_page()
        self.screen = Screen(fresh, self.ground.url, self.ground.passwords, told=before.told)
        self.screen.open()
        door = self.screen.page.get_by_label("Password")
        expect(self.screen.box.or_(door).first).to_be_visible()
        # A cookie of the last half minute may have died with the browser.
        if door.count():
            self.screen.sign_in("transcriber")
        self.screen.at_work()

    def is_still_there(self, text: str) -> None:
        """At least what the screen said was saved of *text* stands there, and nothing that was not typed."""
        found = self.screen.text
        said = max((each for each in self.screen.told if text.startswith(each)), key=len, default="")
        assert found.startswith(said), f"{said!r} was said to be saved, {found!r} was there"
        assert text.startswith(found) or not said, f"{found!r} is not what was typed of {text!r}"

    def finish(self, text: str) -> None:
        """Write *text* to its end and say that it is done."""
        self.type(text)
        self.say_done(text)

    def say_done(self, text: str) -> None:
        assert self.screen.text == text
        self.screen.done()
        self.done.append(text)

    def send_now(self) -> None:
        """Ask for what waits to be sent, as people do who see it wait."""
        button = self.screen.page.get_by_role("button", name="Send now")
        # At once, if it is there: what waits may be sent by itself at any moment, and the button goes.
        button.evaluate_all("found => found.forEach(each => { each.focus(); each.click(); })")
        self.screen.at_work()

    def sign_in_again(self) -> None:
        """Sign in beside the text, where the screen asks for it because the session is over."""
        page, asked = self.screen.page, self.screen.page.get_by_text("You are signed out. Go on writing")
        if page.request.get(f"{self.screen.url}/api/v1/session").ok:
            return
        expect(asked).to_be_visible()
        self.screen.tab_to("Sign in")
        page.keyboard.press("Enter")
        self.screen.tab_to("Password")
        page.keyboard.insert_text(self.ground.passwords["transcriber"])
        page.keyboard.press("Enter")
        expect(asked).to_have_count(0)
        expect(page.get_by_label("Password")).to_have_count(0)

    def waits(self, count: int) -> None:
        state = self.screen.page.get_by_label("What is saved and sent")
        expect(state).to_contain_text(f"{count} waiting to send")

    def has_arrived(self) -> None:
        """Everything that was done is on the server, once, and nothing is on this computer that is not."""
        self.screen.all_sent()
        arrived = self.ground.texts()
        assert [arrived.count(text) for text in self.done] == [1] * len(self.done)
        assert not self.screen.complaints, self.screen.complaints


def profile(playwright: Playwright, chromium: Path, folder: Path, **more: Any) -> BrowserContext:
    """A browser of one's own with its profile in *folder*, as it is on people's computers."""
    return playwright.chromium.launch_persistent_context(
        folder, executable_path=chromium, args=FLAGS, viewport=LAPTOP, locale="en-IN", **more
    )


def kill_browser(folder: Path) -> None:
    """End the browser with its profile in *folder* at once, as when the power goes."""
    ours = psutil.Process().children(recursive=True)
    for process in ours:
        words = _words(process)
        if f"--user-data-dir={folder}" in words and not any(word.startswith("--type=") for word in words):
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
            return
    raise AssertionError(f"no browser has its profile in {folder}")


def eventually(page: Screen, holds: Callable[[], bool]) -> None:
    """Wait until *holds*."""
    for _ in range(PATIENCE // 50):
        if holds():
            return
        page.page.wait_for_timeout(50)
    raise AssertionError("that never came to be")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
