"""What can go wrong, in words for the person in front of the screen.

ColorizeError
├── PictureError              the file cannot be used as a picture
│   ├── EmptyFileError        it has no bytes
│   ├── NotAPictureError      it is something else, or of a format that is not read
│   ├── BrokenPictureError    it is damaged, cut off, or not what its beginning says
│   └── PictureTooLargeError  it is over a limit on bytes, pixels or frames
├── FilmError                 the file cannot be used as a film
├── SaveError                 the result cannot be written where or how it was asked for
├── OptionError               a value outside what is allowed
├── UnknownModelError         no model of that name
├── WeightsError              a weight file is missing or damaged
├── DeviceError               the device asked for is not there
├── TooLittleMemoryError      the machine cannot hold what is needed
└── Cancelled                 the person stopped it

Every message says what was wrong, what is accepted, and what to do.
"""

from __future__ import annotations


class ColorizeError(Exception):
    """Base of every error that the package raises on purpose."""


class PictureError(ColorizeError):
    """The file cannot be used as a picture."""


class EmptyFileError(PictureError):
    """The file has no bytes."""


class NotAPictureError(PictureError):
    """The file is not a picture, or is of a format that is not read."""


class BrokenPictureError(PictureError):
    """The file is damaged, cut off, or not what its beginning says."""


class PictureTooLargeError(PictureError):
    """The file is over a limit on bytes, pixels or frames."""


class FilmError(ColorizeError):
    """The file cannot be used as a film."""


class SaveError(ColorizeError):
    """The result cannot be written where or how it was asked for."""


class OptionError(ColorizeError, ValueError):
    """A value outside what is allowed."""


class UnknownModelError(ColorizeError, KeyError):
    """No model of that name."""

    def __str__(self) -> str:  # KeyError would show the message in quotes
        return str(self.args[0])


class WeightsError(ColorizeError):
    """A weight file is missing or damaged."""


class DeviceError(ColorizeError):
    """The device asked for is not there."""


class TooLittleMemoryError(ColorizeError):
    """The machine cannot hold what is needed."""


class Cancelled(ColorizeError):
    """The person stopped it."""
