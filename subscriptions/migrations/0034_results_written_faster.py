import django.db.models.deletion
from django.db import migrations, models


def count_anew(apps, schema_editor):
    """The stored counts lack what the license position reads of them from now on: the beat makes them again."""
    apps.get_model('subscriptions', 'SeatCounting').objects.update(day=None)


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0028_seat_counts'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='metricresult',
            name='last_activity',
        ),
        migrations.AlterField(
            model_name='seatresult',
            name='metric_result',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='seats', to='subscriptions.metricresult'),
        ),
        migrations.AddIndex(
            model_name='subscription',
            index=models.Index(condition=models.Q(('consumes_license', True), ('ended_at', None), ('excluded', False)), fields=['id', 'identifier'], name='subscription_counting'),
        ),
        migrations.RunPython(count_anew, migrations.RunPython.noop),
    ]
