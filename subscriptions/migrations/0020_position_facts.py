"""Since when the facts of the seats that exist are as they are, as far as that is known.

A listed seat stands as it is since it was last listed anew. Of one that has ended, what it was before is kept as its
only version; whether it changed in between was not noted then.
"""

from typing import Any

from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Coalesce

VERSIONS = """
INSERT INTO subscriptions_subscriptionversion (subscription_id, since, until, identifier_id, status, consumes_license,
    excluded, person_id, listed)
SELECT t.id, coalesce(t.returned_at, t.first_seen_at), t.ended_at, t.identifier_id,
    CASE WHEN t.status = 'removed' THEN 'unknown' ELSE t.status END, t.consumes_license, t.excluded, m.person_id, %s
FROM subscriptions_subscription t LEFT JOIN subscriptions_match m ON m.subscription_id = t.id
WHERE t.ended_at IS NOT NULL AND t.ended_at > coalesce(t.returned_at, t.first_seen_at)
"""


def fill_facts(apps: Any, schema_editor: Any) -> None:
    seats = apps.get_model("subscriptions", "Subscription").objects
    seats.filter(~Q(ended_at=None)).update(valid_since=F("ended_at"))
    seats.filter(ended_at=None).update(valid_since=Coalesce("returned_at", "first_seen_at"))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(VERSIONS, [True])


def forget_facts(apps: Any, schema_editor: Any) -> None:
    apps.get_model("subscriptions", "SubscriptionVersion").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0019_position")]

    operations = [migrations.RunPython(fill_facts, forget_facts)]
