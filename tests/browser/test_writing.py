"""Writing at the desk: the keyboard carries it all, and what is typed arrives as it was typed."""

from __future__ import annotations

from tests.browser.screen import Screen


def test_a_text_goes_from_the_keyboard_to_the_server(screen: Screen) -> None:
    screen.sign_in("transcriber").at_work()
    screen.write("seen and heard")
    screen.done()
    screen.all_sent()
