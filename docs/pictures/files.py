"""Pictures as small files: a palette in place of true colours, and only what changes from frame to frame."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Frame = tuple[bytes, int]  # (a PNG, the milliseconds that it is shown)

STILL_COLOURS, MOVING_COLOURS = 128, 48  # of a theme with its syntax colours; text is anti-aliased in few shades


def write_still(path: Path, png: bytes) -> None:
    """Write a screenshot as a PNG with a palette."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(STILL_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def write_animation(path: Path, frames: Sequence[Frame]) -> None:
    """Write screenshots as a GIF that repeats; all share the palette of the last one, which has every colour."""
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png, _ in frames]
    palette = pictures[-1].quantize(MOVING_COLOURS, dither=Image.Dither.NONE)
    first, *others = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]
    durations = [duration for _, duration in frames]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True, disposal=1)
