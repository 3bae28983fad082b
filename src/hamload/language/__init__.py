"""What is said, apart from how it is spoken: sentences keep their numbers, and a language says them.

`text("The run was {distance:distance} long.", distance=7600.0)` is that sentence in plain English and kilometres, and
still knows its template and values. A `Language` says it anew: translated where its catalogue has the template, with
numbers, days and distances as its runner reads them. What is stored stays metric and English.

`catalogue/hamload.pot` holds every template; `docs/translating.md` tells how a language is added. Pure, but for reading
catalogues.
"""

from hamload.language.speech import DASH, ENGLISH, METRES_PER_KM, METRES_PER_MILE, MINUS, NBSP, PLAIN, Language
from hamload.language.texts import Text, marked, plural, restored, stored, text
from hamload.language.words import WORDS, opening, word

__all__ = [
    "DASH",
    "ENGLISH",
    "METRES_PER_KM",
    "METRES_PER_MILE",
    "MINUS",
    "NBSP",
    "PLAIN",
    "WORDS",
    "Language",
    "Text",
    "marked",
    "opening",
    "plural",
    "restored",
    "stored",
    "text",
    "word",
]
