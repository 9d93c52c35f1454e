"""The desk's screen as people use it: keys in, words out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

#: No network of its own, nothing that only a person's own browser needs.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
#: A modest laptop.
LAPTOP: Any = {"width": 1366, "height": 768}
#: Milliseconds that a busy machine may take for what a person would call at once.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

#: Tells the test each text of which the screen says that it is saved, as soon as it says so.
_LISTEN = """() => {
  let before = null;
  const look = () => {
    const box = document.querySelector("textarea"), state = document.querySelector(".state");
    if (!box || !state || !/Saved on this computer/.test(state.textContent) || box.value === before) return;
    before = box.value;
    window.told(before);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}"""

#: Gives every segment back that the person of this page holds.
_GIVE_BACK = """async () => {
  const asked = await fetch("/api/v1/session");
  if (!asked.ok) return;
  const { csrf } = await asked.json();
  const { leases } = await (await fetch("/api/v1/people/me/work")).json();
  const ended = { method: "DELETE", headers: { "x-boli-csrf": csrf } };
  for (const { id } of leases) await fetch(`/api/v1/leases/${id}`, ended);
}"""


@dataclass
class Screen:
    """A tab with the desk in it."""

    page: Page
    url: str
    passwords: Mapping[str, str]
    #: Texts of which the screen said that they are saved, in turn.
    told: list[str] = field(default_factory=list)
    #: What the page complained of.
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"a dialog: {dialog.message}"))
        self.page.expose_function("told", lambda text: self.told.append(text))
        self.page.add_init_script(f"({_LISTEN})()")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your text")

    @property
    def text(self) -> str:
        return self.box.input_value()

    @property
    def state(self) -> str:
        """What is saved and sent, in the screen's words."""
        return self.page.get_by_label("What is saved and sent").inner_text()

    @property
    def place(self) -> Locator:
        """Which of the segments in hand is shown, and how many there are."""
        return self.page.get_by_text(re.compile(r"^Segment \d+ of \d+$"))

    def open(self, path: str = "/") -> Screen:
        self.page.goto(self.url + path)
        return self

    def sign_in(self, who: str) -> Screen:
        """Sign in by keyboard."""
        self.open()
        self.tab_to("Name")
        self.page.keyboard.insert_text(who)
        self.page.keyboard.press("Tab")
        self.page.keyboard.insert_text(self.passwords[who])
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name=f"Sign out {who}")).to_be_visible()
        return self

    def at_work(self) -> Screen:
        """Wait for a text that can be written."""
        expect(self.box).to_be_editable()
        expect(self.box).to_be_focused()
        return self

    def has_more(self) -> Screen:
        """Wait until segments are here to go on with, whatever dies: the first one is fetched alone."""
        expect(self.place).to_have_text(re.compile(r"of ([2-9]|\d\d)$"))
        return self

    def walk_to(self, wanted: Callable[[], bool]) -> Screen:
        """Go from segment to segment until one is as *wanted*."""
        expect(self.page.get_by_label("What is saved and sent")).to_contain_text("ready offline")
        while not wanted():
            before = self.place.inner_text()
            self.page.keyboard.press("Alt+ArrowDown")
            expect(self.place).not_to_have_text(before)
            self.at_work()
        return self

    def tab_to(self, name: str, *, most: int = 80) -> None:
        """Press Tab until what is called *name* has the focus."""
        wanted = self.page.get_by_label(name).or_(self.page.get_by_role("button", name=name)).first
        expect(wanted).to_be_visible()
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if wanted.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"{name} cannot be reached with Tab")

    def write(self, text: str) -> None:
        """Put *text* in the place of what stands."""
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def done(self) -> None:
        """Say that the text is done, and wait for the next one."""
        text = self.text
        self.page.keyboard.press("Control+Enter")
        expect(self.box).not_to_have_value(text)

    def all_sent(self) -> None:
        """Wait until nothing is left on this computer that the server has not."""
        expect(self.page.get_by_label("What is saved and sent")).to_contain_text("All sent")

    def give_back(self) -> None:
        """Leave no segment in hand, so that others have work to do."""
        self.page.evaluate(_GIVE_BACK)


@contextmanager
def opened(browser: Browser, url: str, passwords: Mapping[str, str], **more: Any) -> Iterator[Screen]:
    """A screen in a fresh profile of *browser*. It must not have complained of anything when it is closed."""
    context = browser.new_context(viewport=LAPTOP, locale="en-IN", **more)
    try:
        found = Screen(context.new_page(), url, passwords)
        yield found
        assert not found.complaints, found.complaints
    finally:
        context.close()


def kept(context: BrowserContext, store: str) -> list[Any]:
    """What a page of *context* keeps on this computer, read from its database."""
    found = context.pages[0].evaluate(
        """store => new Promise((give, fail) => {
          const asked = indexedDB.open("boli");
          asked.onerror = () => fail(asked.error);
          asked.onsuccess = () => {
            const all = asked.result.transaction(store).objectStore(store).getAll();
            all.onsuccess = () => { asked.result.close(); give(JSON.stringify(all.result)); };
          };
        })""",
        store,
    )
    return list(json.loads(found))
