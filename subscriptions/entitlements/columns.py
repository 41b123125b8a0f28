"""The columns of a file of entitlements: of the template, of exports, and of what is imported.

Headings in English, German, French and Spanish are known.
"""

from __future__ import annotations

from typing import Any

from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS
from subscriptions.file_columns.table import ColumnTable, FileColumn
from subscriptions.models import Entitlement

PUBLISHER, PRODUCT, EDITION = "publisher", "product", "edition"
RIGHTS, UNLIMITED, START, END, PERIOD = "purchased_rights", "unlimited", "start", "end", "period"
UNIT_COST, TOTAL_COST, CURRENCY = "unit_cost", "total_cost", "currency"
RENEWS, OWNER, NOTES = "renews", "owner", "notes"


COLUMNS = (
    FileColumn(
        PUBLISHER, "Publisher", "Who makes the product.", "Dropbox",
        ("vendor name", "maker", "Hersteller", "Softwarehersteller", "éditeur", "fabricant", "fabricante"), True,
    ),
    FileColumn(
        PRODUCT, "Product", "The product.", "Dropbox Business",
        ("software", "product name", "Produkt", "Produktname", "produit", "logiciel", "producto"), True,
    ),
    FileColumn(
        EDITION, "Edition", "Its edition, if it has several.", "Standard", ("plan", "tier", "édition", "edición"),
    ),
    FileColumn(
        "publisher_part_number", "Publisher part number", "The publisher’s number of what was bought.", "DBX-STD-12",
        ("part number", "sku", "part no", "Artikelnummer", "référence", "número de artículo"),
    ),
    FileColumn(
        "agreement_type", "Agreement type", "Standard, Enterprise, Trial or Free. Empty: Standard.", "Standard",
        ("agreement", "Vertragsart", "type de contrat", "tipo de contrato"),
    ),
    FileColumn(
        RIGHTS, "Purchased rights", "How many people may use it: a whole number. Empty only if it is unlimited.", "120",
        ("rights", "quantity", "licenses", "licences", "seats", "purchased", "number of licenses", "qty",
         "Menge", "Anzahl", "Anzahl Lizenzen", "Lizenzen", "quantité", "nombre de licences", "cantidad",
         "número de licencias", "licencias"), True,
    ),
    FileColumn(
        UNLIMITED, "Unlimited", "yes, if there is no number of rights.", "no",
        ("unlimited license", "unbegrenzt", "illimité", "ilimitado"),
    ),
    FileColumn(
        START, "Start date", "The first day, such as 2026-01-01.", "2026-01-01",
        ("start", "valid from", "from", "begins", "contract start", "term start",
         "Beginn", "Startdatum", "Gültig ab", "Vertragsbeginn", "Laufzeitbeginn", "début", "date de début",
         "valable du", "inicio", "fecha de inicio", "válido desde"), True,
    ),
    FileColumn(
        END, "End date", "The last day. Empty: it goes on.", "2026-12-31",
        ("end", "valid to", "valid until", "until", "to", "expires", "expiration date", "contract end", "term end",
         "Ende", "Enddatum", "Gültig bis", "Vertragsende", "Laufzeitende", "fin", "date de fin", "valable au",
         "fecha de fin", "válido hasta", "vencimiento"),
    ),
    FileColumn(
        PERIOD, "Period", "What the cost is for: Monthly, Quarterly, Annually or Entire subscription period.",
        "Annually",
        ("subscription period", "billing period", "billing cycle", "billing", "Abrechnungszeitraum",
         "Abrechnungsperiode", "période", "période de facturation", "período", "período de facturación"), True,
    ),
    FileColumn(
        UNIT_COST, "Unit cost", "For one right and one period: 144, or EUR;144.", "EUR;144",
        ("price", "unit price", "cost per license", "price per license", "price per seat", "cost per seat",
         "Stückpreis", "Einzelpreis", "Preis je Lizenz", "prix unitaire", "precio unitario"),
    ),
    FileColumn(
        TOTAL_COST, "Total cost", "For all rights and one period. It wins over the unit cost.", "",
        ("cost", "total", "amount", "total price", "net amount", "Gesamtkosten", "Gesamtpreis", "Gesamtbetrag",
         "coût total", "montant total", "costo total", "coste total", "importe total"),
    ),
    FileColumn(
        CURRENCY, "Currency", "Three letters, where the cost does not say it.", "",
        ("currency code", "Währung", "devise", "moneda"),
    ),
    FileColumn(
        RENEWS, "Renews", "The number of the entitlement that this one follows.", "",
        ("renewal of", "Verlängerung von"),
    ),
    FileColumn(
        "auto_renew", "Renews by itself", "yes or no.", "yes",
        ("auto-renew", "auto renew", "auto renewal", "automatische Verlängerung", "renouvellement automatique",
         "renovación automática"),
    ),
    FileColumn(
        "notice_days", "Notice period", "Days before the renewal by which the vendor must know. Empty: 30.", "30",
        ("notice days", "notice", "cancellation period", "Kündigungsfrist", "préavis", "plazo de preaviso"),
    ),
    FileColumn(
        "minimum_rights", "Commitment", "Rights that cannot be given back at the renewal.", "100",
        ("minimum rights", "minimum", "committed rights", "Mindestmenge", "quantité minimale", "cantidad mínima"),
    ),
    FileColumn(
        "vendor_name", "Vendor", "From whom it was bought.", "Reseller Ltd",
        ("reseller", "supplier", "seller", "Lieferant", "Händler", "Verkäufer", "fournisseur", "revendeur",
         "proveedor"),
    ),
    FileColumn(
        "contract", "Contract", "Its contract.", "C-2026-017",
        ("contract number", "contract no", "Vertrag", "Vertragsnummer", "contrat", "numéro de contrat", "contrato",
         "número de contrato"),
    ),
    FileColumn(
        "invoice", "Invoice", "Its invoice.", "INV-4711",
        ("invoice number", "invoice no", "Rechnung", "Rechnungsnummer", "facture", "numéro de facture", "factura",
         "número de factura"),
    ),
    FileColumn(
        "purchase_order", "Purchase order", "Its purchase order.", "PO-889",
        ("po", "po number", "Bestellung", "Bestellnummer", "bon de commande", "numéro de commande", "pedido",
         "orden de compra"),
    ),
    FileColumn(
        "cost_center", "Cost center", "Who pays.", "CC-20",
        ("cost centre", "Kostenstelle", "Kst", "centre de coût", "centre de coûts", "centro de coste",
         "centro de costo", "centro de costos"),
    ),
    FileColumn(
        "department", "Department", "For whom it was bought.", "Sales",
        ("business unit", "Abteilung", "Bereich", "service", "département", "departamento"),
    ),
    FileColumn(OWNER, "Owner", "The user name of an account here.", "", ("owner account", "Verantwortlich")),
    FileColumn(
        NOTES, "Notes", "Anything else.", "",
        ("comment", "comments", "description", "remarks", "Bemerkung", "Bemerkungen", "Notizen", "remarques",
         "commentaire", "notas", "comentarios"),
    ),
)  # fmt: skip
TABLE = ColumnTable(COLUMNS, either=(RIGHTS, UNLIMITED), ours=frozenset(("number", "state", *OWN_COLUMNS)))
BY_KEY = TABLE.by_key
TEXTS = (
    *(PUBLISHER, PRODUCT, EDITION, "publisher_part_number", "vendor_name", "contract", "invoice", "purchase_order"),
    *("cost_center", "department", NOTES),
)


def write_row(one: Entitlement) -> list[Any]:
    """An entitlement as a row of such a file, so that it can be imported again."""
    model = one.software_model
    values = {
        PUBLISHER: model.publisher,
        PRODUCT: model.product,
        EDITION: model.edition,
        "agreement_type": one.get_agreement_type_display(),
        RIGHTS: None if one.unlimited else one.purchased_rights,
        PERIOD: one.get_period_display(),
        RENEWS: one.renews.number if one.renews else "",
        OWNER: one.owner.get_username() if one.owner else "",
    }
    return [values.get(column.key, getattr(one, column.key, None)) for column in COLUMNS]
