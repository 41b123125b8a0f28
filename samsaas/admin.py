"""Core UI: accounts with their roles, what the roles mean, and the audit trail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from samsaas import audit, roles, sessions
from samsaas.accounts import access, edit
from samsaas.accounts.forms import RolesField
from samsaas.models import AuditEntry, AuditSeal, Mail
from samsaas.read_only_admin import ReadOnlyAdmin, RoleAdmin
from samsaas.reauthenticate import recent_password_required

WORDING = {
    "is_superuser": {"label": "Superuser", "help_text": "Holds every role, whatever is ticked above."},
    "is_active": {"help_text": "Untick to end somebody's access; nothing is deleted."},
}


class KeepAdministrator(forms.ModelForm):
    """The form of an account. It refuses a change that would leave no administrator."""

    def clean(self) -> dict[str, Any]:
        access.lock_administrators()
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        named = {group.name for group in cleaned.get("groups", ())}
        is_administrator = cleaned.get("is_active") and (cleaned.get("is_superuser") or roles.ADMIN in named)
        if not is_administrator and not access.active_administrators().exclude(pk=self.instance.pk).exists():
            raise ValidationError(access.LAST_ADMIN)
        return cleaned


class AccountForm(KeepAdministrator, UserChangeForm):
    """Django's form for an account, with the check of `KeepAdministrator`."""


@admin.register(User)
class AccountAdmin(RoleAdmin, UserAdmin):
    """Create accounts and give them roles. Accounts are deactivated, never deleted: their history keeps a name."""

    form = AccountForm
    list_display = ("username", "email", "first_name", "last_name", "given_roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "groups", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "usable_password", "password1", "password2")}),
        ("Person", {"classes": ("wide",), "fields": ("first_name", "last_name", "email")}),
        ("Access", {"classes": ("wide",), "fields": ("groups",)}),
    )
    readonly_fields = ("last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_admin(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def given_roles(self, user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join(names + ["superuser"] * user.is_superuser) or "none"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            return RolesField(help_text="Without a role an account can sign in and see nothing.")
        kwargs |= WORDING.get(db_field.name, {})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        form.before = (access.access_of(obj), access.person_of(obj)) if change else None  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        account = form.instance
        if form.before is None:  # type: ignore[attr-defined]
            audit.record(request.user, "created account", account, **access.access_of(account))
            return
        edit.record_changes(account, *form.before, by=request.user)  # type: ignore[attr-defined, arg-type]
        if not account.is_active:
            sessions.end_sessions(account)

    @method_decorator(recent_password_required)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:  # the name was taken at this very moment; the form sees that now
            return super().changeform_view(request, object_id, form_url, extra_context)

    @method_decorator(recent_password_required)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        before = self.get_object(request, id)  # None also for an id that is no number
        answer = super().user_change_password(request, id, form_url)
        user = self.get_object(request, id)
        if user is not None and before is not None and user.password != before.password:
            audit.record(request.user, "set password", user)
        return answer


@admin.register(Group)
class RoleListAdmin(ReadOnlyAdmin):
    """The roles and what they allow. The product defines them, so nobody can edit them here."""

    list_display = ("name", "meaning")
    fields = ("name", "meaning", "members")
    search_fields = ("name",)

    @admin.display(description="allows")
    def meaning(self, group: Group) -> str:
        return access.MEANINGS.get(group.name, "nothing by itself")

    @admin.display(description="given to")
    def members(self, group: Group) -> str:
        names = list(group.user_set.order_by("username").values_list("username", flat=True)[:101])
        return ", ".join(names[:100]) + (" and others" if len(names) > 100 else "") or "nobody"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit trail, to read only."""

    ordering = ("-at", "-pk")
    list_display = ("at", "actor_name", "verb", "object_type", "object_name")
    search_fields = ("object_name", "verb", "actor_name")  # as the index has them
    fields = ("at", "actor_name", "verb", "object_type", "object_id", "object_name", "detail")


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    """What proves that the audit trail was not changed."""

    list_display = ("number", "at", "count", "key_id", "hash")
    fields = ("number", "at", "until_pk", "count", "purged", "previous", "hash", "key_id", "signature")


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """The outbox. The secret of a mail's link is not even read."""

    list_display = ("to", "subject", "state", "queued_at", "sent_at", "kept", "error")
    list_filter = ("state", "kept")
    search_fields = ("to", "subject")
    fields = ("to", "subject", "body", "state", "queued_at", "not_before", "give_up_at", "tries", "sent_at", "kept")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        return super().get_queryset(request).defer("secret")
