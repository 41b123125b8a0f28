"""The name of a saved view, and whether it is shared."""

from __future__ import annotations

from typing import Any

from django import forms

from samsaas.lib import text_forms
from samsaas.lib.opened_form import OpenedForm
from samsaas.models import SavedView

NAME_TAKEN = "You have a view of this list with this name. Choose another name, or change that view."


class ViewForm(OpenedForm):
    """A view of one person and one list, which the instance names."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")
        labels = {"shared": "Shared with everybody who may open this list"}
        help_texts = {"shared": ""}

    def clean_name(self) -> str:
        name = text_forms.clean_text(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Give the view a name.")
        held = SavedView.objects.filter(list=self.instance.list, owner=self.instance.owner_id, name=name)
        if held.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(NAME_TAKEN)
        return name

    def texts_of_errors(self) -> str:
        """What is wrong, for a message."""
        return " ".join(text for errors in self.errors.values() for text in map(str, errors))

    def _post_clean(self) -> Any:
        """The instance is changed by the verb alone, which compares it with what the form says."""
