"""Countries by their names, in the languages in which files come, as codes of two letters."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from babel import Locale

from samsaas.lib.spreadsheets.month_names import LANGUAGES
from samsaas.lib.spreadsheets.sheet import fold_heading

CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)
# Names in daily use that the Unicode data words otherwise.
IN_USE = {
    "usa": "US", "u s a": "US", "united states of america": "US", "the united states": "US",
    "vereinigte staaten von amerika": "US", "etats unis d amerique": "US", "estados unidos de america": "US",
    "ee uu": "US", "eeuu": "US", "uk": "GB", "u k": "GB", "great britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB",
    "grossbritannien": "GB", "grande bretagne": "GB", "gran bretana": "GB", "inglaterra": "GB", "angleterre": "GB",
    "holland": "NL", "the netherlands": "NL", "hollande": "NL", "holanda": "NL", "paises bajos": "NL",
    "czech republic": "CZ", "tschechische republik": "CZ", "republique tcheque": "CZ", "republica checa": "CZ",
    "turkey": "TR", "russian federation": "RU", "russische foderation": "RU", "south korea": "KR", "korea": "KR",
    "republic of korea": "KR", "hong kong": "HK", "hongkong": "HK", "macao": "MO", "macau": "MO",
    "bundesrepublik deutschland": "DE", "republic of ireland": "IE", "republik irland": "IE", "viet nam": "VN",
    "ivory coast": "CI", "cote d ivoire": "CI", "vereinigte arabische emirate": "AE", "uae": "AE",
    "people s republic of china": "CN", "volksrepublik china": "CN", "republic of moldova": "MD", "macedonia": "MK",
    "bosnia": "BA", "bosnien": "BA", "slovak republic": "SK", "slowakische republik": "SK", "belarus": "BY",
    "weissrussland": "BY", "moldawien": "MD",
}  # fmt: skip


@lru_cache(maxsize=1000)
def find_code(name: str) -> str:
    """The code of a country, from itself or from a name, without regard to case and accents; empty: unknown."""
    folded = fold_heading(name)
    if CODE.fullmatch(name) and folded not in IN_USE:
        return name.upper()
    return _codes().get(folded, "")


@cache
def _codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if CODE.fullmatch(code):
                found.setdefault(fold_heading(name), code)
    return {**found, **IN_USE}
