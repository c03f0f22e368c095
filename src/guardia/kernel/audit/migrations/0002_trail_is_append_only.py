from django.db import migrations

from guardia.kernel.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit_trail")]
    operations = [append_only("audit_auditentry")]
