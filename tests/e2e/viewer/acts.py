"""What a reader does in the viewer's own page, and what the tests wait for."""

from __future__ import annotations

from tests.e2e.viewer import phantom, screen


def loaded(page):
    page.wait_for_selector(".ti-root[data-ready=yes]")
    page.wait_for_function(
        f"[...document.querySelectorAll('.ti-pane')].every(p => +p.dataset.loaded === {phantom.SLICES})"
    )
    page.wait_for_timeout(300)


def pane(page, number=0):
    return page.locator(".ti-pane").nth(number)


def press(page, **data):
    ((name, value),) = data.items()
    page.locator(f"button[data-{name}='{value}']").click()
    page.wait_for_timeout(300)


def projection(page, scaling=1.0, number=0):
    page.locator("button[data-preset='bone']").click()
    page.wait_for_timeout(300)
    found = screen.Projection(page, pane(page, number), scaling)
    assert found.residual_px < 0.5
    return found


def drag(page, start, end, steps=4):
    trace(page, [start, end], steps)


def trace(page, points, steps=4):
    """Draw through places on the page in one go."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()
    answered(page)


def answered(page):
    """The viewer has told Python, and Python has answered, however busy the machine is."""
    page.wait_for_timeout(800)
    for _ in range(2):
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_timeout(200)
