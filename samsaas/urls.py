"""The site map."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from profiles.oauth import views as oauth
from samsaas import audit_trail, health, help_pages, sign_in
from samsaas.demo import views as demo
from samsaas.home import views as home

urlpatterns = [
    path("", home.home, name="home"),
    path("checklist/<str:step>/", home.checklist_tick, name="checklist_tick"),
    path("oauth_redirect.do", oauth.redirect_back, name="oauth_redirect"),
    path("", include("profiles.urls")),
    path("", include("subscriptions.urls")),
    path("", include("reclamation.urls")),
    path("audit/", audit_trail.audit_list, name="audit_list"),
    path("audit/verify/", audit_trail.audit_verify, name="audit_verify"),
    path("audit/csv/", audit_trail.audit_csv, name="audit_csv"),
    path("audit/export/", audit_trail.audit_export, name="audit_export"),
    path("accounts/login/", sign_in.SignIn.as_view(), name="login"),
    path("accounts/logout/", sign_in.SignOut.as_view(), name="logout"),
    path("accounts/password/", sign_in.ChangePassword.as_view(), name="password_change"),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("help/", help_pages.help_list, name="help_list"),
    path("help/images/<str:name>", help_pages.help_image, name="help_image"),
    path("help/<slug:document>/", help_pages.help_page, name="help_page"),
    path("core/", admin.site.urls),
    path("demo/<int:days>/later/", demo.demo_later, name="demo_later"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
