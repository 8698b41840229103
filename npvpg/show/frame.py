"""A frame of a film: the environment, and beside it what the policy thinks and does."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from npvpg.distributions.bernoulli import sigmoid
from npvpg.distributions.gaussian import clamp
from npvpg.runs.heads import Head
from npvpg.runs.watching import Moment
from npvpg.show.numbers import number

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

PANEL = 320  # width of what stands beside the picture [pixels]
LEAST, MOST = 360, 720  # height of a picture [pixels]
MARGIN = 20
ROW = 26  # height of a number of an action [pixels]

INK, SOFT, PAPER = (31, 35, 40), (110, 118, 129), (255, 255, 255)
TRACK, BAR, TAKEN = (234, 238, 242), (150, 190, 225), (0, 114, 178)


class Bar(NamedTuple):
    """
    A choice and its probability.

    Attributes
    ----------
    label : str
        The choice.
    probability : float
        Its probability.
    taken : bool
        Whether it is what was done.
    """

    label: str
    probability: float
    taken: bool


class Span(NamedTuple):
    """
    A number: where the policy puts it, and what was done.

    Attributes
    ----------
    label : str
        What it is called.
    mean, low, high : float
        The mean and the mean less and plus a standard deviation, after tanh where there is one.
    taken : float or None
        What the environment got.
    bounds : tuple of float
        Least and greatest number, or three standard deviations to either side without bounds.
    """

    label: str
    mean: float
    low: float
    high: float
    taken: float | None
    bounds: tuple[float, float]


def thoughts(head: Head, params: NDArray[Any], act: NDArray[Any] | None) -> list[Bar | Span]:
    """
    Say what a policy thinks of one part of an action.

    Parameters
    ----------
    head : Head
        The part.
    params : ndarray, shape (H,)
        Parameters of the whole distribution.
    act : ndarray, shape (D,), or None
        The whole action as the policy gives it, or None.

    Returns
    -------
    list of Bar or Span
        A bar for each choice, or each bit to be 1; a span for each number.
    """
    own = params[head.params][np.newaxis]
    done = None if act is None else act[head.columns][np.newaxis]
    space = head.space
    if isinstance(space, spaces.Discrete):
        choices = np.arange(int(space.n))
        p = np.exp(head.law.log_prob(np.repeat(own, len(choices), axis=0), choices))
        chosen = -1 if done is None else int(done[0, 0])
        return [Bar(str(int(space.start) + k), float(p[k]), k == chosen) for k in range(len(p))]
    if isinstance(space, spaces.MultiBinary):
        p = sigmoid(own[0])
        on = np.zeros(len(p)) if done is None else done[0]
        return [Bar(f"bit {k}", float(p[k]), bool(on[k])) for k in range(len(p))]
    assert isinstance(space, spaces.Box)
    dim = own.shape[1] // 2
    mu, sigma = own[:, :dim].astype(np.float64), np.exp(clamp(own[:, dim:])[0]).astype(np.float64)
    ends = np.concatenate([mu, mu - sigma, mu + sigma])
    ends = head.mapped(ends)
    sent = None if done is None else head.sent(done)[0]
    low, high = space.low.ravel(), space.high.ravel()
    spans: list[Bar | Span] = []
    for k in range(dim):
        bounds = (float(low[k]), float(high[k]))
        mean, lower, upper = ends[:, k].tolist()
        if not np.isfinite(bounds).all():
            bounds = (3 * lower - 2 * mean, 3 * upper - 2 * mean)
        taken = None if sent is None else float(sent[k])
        spans.append(Span(str(k), mean, lower, upper, taken, bounds))
    return spans


class Painter:
    """
    Draws the frames of a film, all of the same size.

    Parameters
    ----------
    title : str
        What stands above: the environment.
    heads : sequence of Head
        The parts of an action.
    note : str
        What stands behind the number of the step.
    """

    def __init__(self, title: str, heads: Sequence[Head], note: str = "") -> None:
        self.title, self.heads, self.note = title, heads, note
        self._values: list[float] = []

    def draw(self, moment: Moment) -> NDArray[np.uint8]:
        """
        Draw a frame.

        Parameters
        ----------
        moment : Moment
            What is to be seen; moments come in order.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
            The frame; height and width are even, as films want them.
        """
        from PIL import Image, ImageDraw  # noqa: PLC0415 - as late as matplotlib

        picture = _scaled(Image.fromarray(moment.picture))
        height = picture.height + picture.height % 2
        width = picture.width + PANEL + picture.width % 2
        frame = Image.new("RGB", (width, height), PAPER)
        frame.paste(picture, (0, (height - picture.height) // 2))
        self._panel(ImageDraw.Draw(frame), picture.width + MARGIN, width - MARGIN, height, moment)
        return np.asarray(frame)

    def _panel(self, pen: "ImageDraw", left: int, right: int, height: int, moment: Moment) -> None:
        """Write the panel from top to bottom; what there is no room for is counted."""
        if moment.step == 0:
            self._values = []
        pen.line([(left - MARGIN, 0), (left - MARGIN, height)], TRACK)
        pen.text((left, 14), self.title, INK, _font(17, bold=True))
        ended = " · its end" if moment.act is None else ""
        told = f"episode {moment.episode} · step {moment.step:,}{ended}{self.note}"
        pen.text((left, 40), told, SOFT, _font(13))
        _figure(pen, left, 68, "return so far", number(moment.ret))
        if moment.value is not None:
            self._values.append(moment.value)
            middle = (left + right) // 2
            _figure(pen, middle, 68, "V(s)", number(moment.value))
            _curve(pen, (left, 124, right, 160), self._values)
        top = 176 if moment.value is not None else 128
        rows = [
            (head.name, row)
            for head in self.heads
            for row in thoughts(head, moment.params, moment.act)
        ]
        says = ("π(a | s)", Bar), ("μ ± σ, and what is done", Span)
        told = " · ".join(text for text, kind in says if any(type(r) is kind for _, r in rows))
        pen.text((left, top), told, SOFT, _font(13))
        top += 24
        room = max((height - top - 10) // ROW, 1)
        shown = rows if len(rows) <= room else rows[: room - 1]
        for name, row in shown:
            label = " ".join(part for part in (name, row.label) if part)
            if isinstance(row, Bar):
                _bar(pen, left, top, right, label, row)
            else:
                _span(pen, left, top, right, label, row)
            top += ROW
        if len(shown) < len(rows):
            pen.text((left, top + 4), f"and {len(rows) - len(shown)} more", SOFT, _font(12))


def _scaled(picture: "Image") -> "Image":
    """Bring a picture to a height that one can look at: small ones by whole factors."""
    from PIL.Image import Resampling  # noqa: PLC0415

    if picture.height < LEAST:
        factor = -(-LEAST // picture.height)
        return picture.resize((picture.width * factor, picture.height * factor), Resampling.NEAREST)
    if picture.height > MOST:
        width = round(picture.width * MOST / picture.height)
        return picture.resize((width, MOST), Resampling.LANCZOS)
    return picture


@cache
def _font(size: int, *, bold: bool = False) -> "FreeTypeFont":
    """Load the font that comes with matplotlib, which has Greek."""
    import matplotlib  # noqa: PLC0415
    from PIL import ImageFont  # noqa: PLC0415

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def _figure(pen: "ImageDraw", left: int, top: int, label: str, value: str) -> None:
    """Write a number under its name."""
    pen.text((left, top), label, SOFT, _font(13))
    pen.text((left, top + 17), value, INK, _font(24))


def _curve(pen: "ImageDraw", box: tuple[int, int, int, int], values: Sequence[float]) -> None:
    """Draw the values since the episode began."""
    left, top, right, bottom = box
    pen.line([(left, bottom), (right, bottom)], TRACK)
    low, high = min(values), max(values)
    span = high - low or 1.0
    n = max(len(values) - 1, 1)
    points = [
        (left + (right - left) * k / n, bottom - (bottom - top) * (value - low) / span)
        for k, value in enumerate(values)
    ]
    if len(points) > 1:
        pen.line(points, TAKEN, 2)


def _bar(pen: "ImageDraw", left: int, top: int, right: int, label: str, bar: Bar) -> None:
    """Draw a probability."""
    start, end, middle = left + 62, right - 50, top + 8
    pen.text((left, top), _short(label), INK if bar.taken else SOFT, _font(13, bold=bar.taken))
    pen.rectangle((start, middle - 7, end, middle + 7), TRACK)
    if bar.probability > 0:
        reach = start + max(round((end - start) * bar.probability), 1)
        pen.rectangle((start, middle - 7, reach, middle + 7), TAKEN if bar.taken else BAR)
    pen.text((right, top), f"{bar.probability:.3f}", INK, _font(13), anchor="ra")


def _span(pen: "ImageDraw", left: int, top: int, right: int, label: str, span: Span) -> None:
    """Draw where a number lies, and the one that was taken."""
    start, end, middle = left + 62, right - 104, top + 8
    low, high = span.bounds

    def at(value: float) -> int:
        share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.5
        return round(start + (end - start) * share)

    pen.text((left, top), _short(label), SOFT, _font(13))
    pen.rectangle((start, middle - 7, end, middle + 7), TRACK)
    pen.rectangle((at(span.low), middle - 7, at(span.high), middle + 7), BAR)
    pen.line([(at(span.mean), middle - 7), (at(span.mean), middle + 7)], INK, 2)
    if span.taken is not None:
        x = at(span.taken)
        pen.ellipse((x - 5, middle - 5, x + 5, middle + 5), TAKEN, PAPER)
    spread = (span.high - span.low) / 2
    pen.text((right, top), f"{span.mean:.2f} ± {spread:.2f}", INK, _font(13), anchor="ra")


def _short(label: str) -> str:
    """Cut a name to what there is room for."""
    return label if len(label) <= 8 else f"{label[:7]}…"
