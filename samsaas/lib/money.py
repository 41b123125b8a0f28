"""Currencies, as ISO 4217 names them, and amounts of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

# Currencies in circulation, and BGN and ANG, which EUR and XCG replaced lately: contracts still name them. The
# standard's funds, metals and accounting units are left out, because nobody is billed in them.
NAMES = {
    "AED": "UAE dirham",
    "AFN": "Afghani",
    "ALL": "Lek",
    "AMD": "Armenian dram",
    "ANG": "Netherlands Antillean guilder",
    "AOA": "Kwanza",
    "ARS": "Argentine peso",
    "AUD": "Australian dollar",
    "AWG": "Aruban florin",
    "AZN": "Azerbaijan manat",
    "BAM": "Convertible mark",
    "BBD": "Barbados dollar",
    "BDT": "Taka",
    "BGN": "Bulgarian lev",
    "BHD": "Bahraini dinar",
    "BIF": "Burundi franc",
    "BMD": "Bermudian dollar",
    "BND": "Brunei dollar",
    "BOB": "Boliviano",
    "BRL": "Brazilian real",
    "BSD": "Bahamian dollar",
    "BTN": "Ngultrum",
    "BWP": "Pula",
    "BYN": "Belarusian ruble",
    "BZD": "Belize dollar",
    "CAD": "Canadian dollar",
    "CDF": "Congolese franc",
    "CHF": "Swiss franc",
    "CLP": "Chilean peso",
    "CNY": "Yuan renminbi",
    "COP": "Colombian peso",
    "CRC": "Costa Rican colón",
    "CUP": "Cuban peso",
    "CVE": "Cabo Verde escudo",
    "CZK": "Czech koruna",
    "DJF": "Djibouti franc",
    "DKK": "Danish krone",
    "DOP": "Dominican peso",
    "DZD": "Algerian dinar",
    "EGP": "Egyptian pound",
    "ERN": "Nakfa",
    "ETB": "Ethiopian birr",
    "EUR": "Euro",
    "FJD": "Fiji dollar",
    "FKP": "Falkland Islands pound",
    "GBP": "Pound sterling",
    "GEL": "Lari",
    "GHS": "Ghana cedi",
    "GIP": "Gibraltar pound",
    "GMD": "Dalasi",
    "GNF": "Guinean franc",
    "GTQ": "Quetzal",
    "GYD": "Guyana dollar",
    "HKD": "Hong Kong dollar",
    "HNL": "Lempira",
    "HTG": "Gourde",
    "HUF": "Forint",
    "IDR": "Rupiah",
    "ILS": "New Israeli sheqel",
    "INR": "Indian rupee",
    "IQD": "Iraqi dinar",
    "IRR": "Iranian rial",
    "ISK": "Iceland króna",
    "JMD": "Jamaican dollar",
    "JOD": "Jordanian dinar",
    "JPY": "Yen",
    "KES": "Kenyan shilling",
    "KGS": "Som",
    "KHR": "Riel",
    "KMF": "Comorian franc",
    "KPW": "North Korean won",
    "KRW": "Won",
    "KWD": "Kuwaiti dinar",
    "KYD": "Cayman Islands dollar",
    "KZT": "Tenge",
    "LAK": "Lao kip",
    "LBP": "Lebanese pound",
    "LKR": "Sri Lanka rupee",
    "LRD": "Liberian dollar",
    "LSL": "Loti",
    "LYD": "Libyan dinar",
    "MAD": "Moroccan dirham",
    "MDL": "Moldovan leu",
    "MGA": "Malagasy ariary",
    "MKD": "Denar",
    "MMK": "Kyat",
    "MNT": "Tugrik",
    "MOP": "Pataca",
    "MRU": "Ouguiya",
    "MUR": "Mauritius rupee",
    "MVR": "Rufiyaa",
    "MWK": "Malawi kwacha",
    "MXN": "Mexican peso",
    "MYR": "Malaysian ringgit",
    "MZN": "Mozambique metical",
    "NAD": "Namibia dollar",
    "NGN": "Naira",
    "NIO": "Córdoba oro",
    "NOK": "Norwegian krone",
    "NPR": "Nepalese rupee",
    "NZD": "New Zealand dollar",
    "OMR": "Rial Omani",
    "PAB": "Balboa",
    "PEN": "Sol",
    "PGK": "Kina",
    "PHP": "Philippine peso",
    "PKR": "Pakistan rupee",
    "PLN": "Zloty",
    "PYG": "Guarani",
    "QAR": "Qatari rial",
    "RON": "Romanian leu",
    "RSD": "Serbian dinar",
    "RUB": "Russian ruble",
    "RWF": "Rwanda franc",
    "SAR": "Saudi riyal",
    "SBD": "Solomon Islands dollar",
    "SCR": "Seychelles rupee",
    "SDG": "Sudanese pound",
    "SEK": "Swedish krona",
    "SGD": "Singapore dollar",
    "SHP": "Saint Helena pound",
    "SLE": "Leone",
    "SOS": "Somali shilling",
    "SRD": "Surinam dollar",
    "SSP": "South Sudanese pound",
    "STN": "Dobra",
    "SVC": "El Salvador colón",
    "SYP": "Syrian pound",
    "SZL": "Lilangeni",
    "THB": "Baht",
    "TJS": "Somoni",
    "TMT": "Turkmenistan manat",
    "TND": "Tunisian dinar",
    "TOP": "Pa’anga",
    "TRY": "Turkish lira",
    "TTD": "Trinidad and Tobago dollar",
    "TWD": "New Taiwan dollar",
    "TZS": "Tanzanian shilling",
    "UAH": "Hryvnia",
    "UGX": "Uganda shilling",
    "USD": "US dollar",
    "UYU": "Peso uruguayo",
    "UZS": "Uzbekistan sum",
    "VES": "Bolívar",
    "VND": "Dong",
    "VUV": "Vatu",
    "WST": "Tala",
    "XAF": "CFA franc BEAC",
    "XCD": "East Caribbean dollar",
    "XCG": "Caribbean guilder",
    "XOF": "CFA franc BCEAO",
    "XPF": "CFP franc",
    "YER": "Yemeni rial",
    "ZAR": "Rand",
    "ZMW": "Zambian kwacha",
    "ZWG": "Zimbabwe gold",
}

# How many digits of a currency follow the point, where it is not two.
NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
MINOR = {**dict.fromkeys(NO_DIGITS.split(" "), 0), **dict.fromkeys(THREE_DIGITS.split(" "), 3)}
LARGEST = Decimal(10) ** 11  # every amount is smaller: SQLite keeps 15 digits, and four of them follow the point


class TooLarge(Exception):
    """An amount has more digits than can be stored."""


def rounded(amount: Decimal | Fraction | int, currency: str) -> Decimal:
    """The amount with the digits that its currency has, half up. Raises `TooLarge`."""
    return round_half_up(amount, MINOR.get(currency, 2))


def round_half_up(amount: Decimal | Fraction | int, digits: int) -> Decimal:
    """The amount with so many digits behind the point; halves go away from zero. Raises `TooLarge`."""
    exact = Fraction(amount)
    units = int(abs(exact) * 10**digits + Fraction(1, 2))
    if units >= LARGEST * 10**digits:
        raise TooLarge(f"An amount of {float(exact):,.0f} is too large to be recorded.")
    return Decimal(units if exact >= 0 else -units).scaleb(-digits)


def trim(amount: Decimal) -> Decimal:
    """The amount without needless zeros, with two digits behind the point at least."""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.normalize()


def currencies() -> list[tuple[str, str]]:
    """Every currency as a choice, in the order of the codes."""
    return [(code, f"{code} ({name})") for code, name in NAMES.items()]
