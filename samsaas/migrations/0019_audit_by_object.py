from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('samsaas', '0017_exported_lists'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['object_type', 'object_id'], name='audit_by_object'),
        ),
    ]
