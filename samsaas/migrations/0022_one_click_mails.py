from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('samsaas', '0021_notifications_of_profiles'),
    ]

    operations = [
        migrations.AddField(
            model_name='mail',
            name='one_click',
            field=models.BooleanField(default=False, help_text='Its link stops such mails, so mail programs offer it as a button beside the sender.'),
        ),
    ]
