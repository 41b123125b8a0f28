"""The site map."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from profiles.oauth import views as oauth
from samsaas import audit_trail, health, help_pages, sign_in
from samsaas.api import views as api
from samsaas.demo import views as demo
from samsaas.finder import views as finder
from samsaas.home import views as home
from samsaas.list_exports import views as list_exports
from samsaas.lists import view_pages, views as lists
from samsaas.metrics import views as metrics
from samsaas.personal_data import views as personal_data
from samsaas.retention import views as retention

urlpatterns = [
    path("", home.home, name="home"),
    path("checklist/<str:step>/", home.checklist_tick, name="checklist_tick"),
    path("find/", finder.find, name="find"),
    path("find/options/", finder.find_options, name="find_options"),
    path("find/<slug:record>/", finder.find_open, name="find_open"),
    path("lists/density/", lists.list_density, name="list_density"),
    path("lists/columns/", lists.list_columns, name="list_columns"),
    path("lists/views/", view_pages.view_list, name="view_list"),
    path("lists/views/save/", view_pages.view_save, name="view_save"),
    path("lists/views/default/", view_pages.view_default, name="view_default"),
    path("lists/views/<int:pk>/", view_pages.view_edit, name="view_edit"),
    path("lists/views/<int:pk>/delete/", view_pages.view_delete, name="view_delete"),
    path("exports/<int:pk>/", list_exports.exported_list, name="exported_list"),
    path("oauth_redirect.do", oauth.redirect_back, name="oauth_redirect"),
    path("", include("profiles.urls")),
    path("", include("subscriptions.urls")),
    path("", include("reclamation.urls")),
    path("", include("samsaas.notifications.urls")),
    path("", include("samsaas.reports.urls")),
    path("audit/", audit_trail.audit_list, name="audit_list"),
    path("audit/verify/", audit_trail.audit_verify, name="audit_verify"),
    path("audit/export/", audit_trail.audit_export, name="audit_export"),
    path("people/<int:pk>/erase/", personal_data.person_erase, name="person_erase"),
    path("people/<int:pk>/data/", personal_data.person_data, name="person_data"),
    path("retention/", retention.retention, name="retention"),
    path("retention/run/", retention.retention_run, name="retention_run"),
    path("api/v1/", include("samsaas.api.urls")),
    path("api-tokens/", api.token_list, name="token_list"),
    path("api-tokens/new/", api.token_new, name="token_new"),
    path("api-tokens/<int:pk>/revoke/", api.token_revoke, name="token_revoke"),
    path("api-reference/", api.api_reference, name="api_reference"),
    path("accounts/login/", sign_in.SignIn.as_view(), name="login"),
    path("accounts/logout/", sign_in.SignOut.as_view(), name="logout"),
    # The same two pages under the names by which django-allauth finds them.
    path("accounts/login/", sign_in.SignIn.as_view(), name="account_login"),
    path("accounts/logout/", sign_in.SignOut.as_view(), name="account_logout"),
    path("accounts/password/", sign_in.ChangePassword.as_view(), name="password_change"),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("accounts/", include("samsaas.accounts.urls")),
    path("help/", help_pages.help_list, name="help_list"),
    path("help/images/<str:name>", help_pages.help_image, name="help_image"),
    path("help/<slug:document>/", help_pages.help_page, name="help_page"),
    path("core/", admin.site.urls),
    path("demo/<int:days>/later/", demo.demo_later, name="demo_later"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
