"""Addresses of accounts, invitations, and the pages behind their mails."""

from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path

from samsaas.accounts import links, own_views, saml_views, sign_on_views, views
from samsaas.reauthenticate import recent_password_required as sure

urlpatterns = [
    path("", views.account_list, name="account_list"),
    path("<int:pk>/", views.account_detail, name="account_detail"),
    path("<int:pk>/edit/", views.account_edit, name="account_edit"),
    path("<int:pk>/deactivate/", views.account_deactivate, name="account_deactivate"),
    path("<int:pk>/activate/", views.account_activate, name="account_activate"),
    path("<int:pk>/sign-out/", views.account_sign_out, name="account_sign_out"),
    path("<int:pk>/second-factor/", views.account_remove_factors, name="account_remove_factors"),
    path("<int:pk>/password-link/", views.account_send_link, name="account_send_link"),
    path("invitations/", views.invitation_list, name="invitation_list"),
    path("invitations/new/", views.invitation_new, name="invitation_new"),
    path("invitations/<int:pk>/", views.invitation_detail, name="invitation_detail"),
    path("invitations/<int:pk>/resend/", views.invitation_resend, name="invitation_resend"),
    path("invitations/<int:pk>/withdraw/", views.invitation_withdraw, name="invitation_withdraw"),
    path("welcome/<str:token>/", links.invitation_accept, name="invitation_accept"),
    path("me/", own_views.own_account, name="own_account"),
    path("me/time-zone/", own_views.own_zone, name="own_zone"),
    path("me/sign-out/", own_views.own_sign_out, name="own_sign_out"),
    # django-allauth's pages, with the names by which it finds them. What changes a factor asks for the password again.
    path("second-factor/", factor.index, name="mfa_index"),
    path("second-factor/code/", own_views.second_factor_code, name="mfa_authenticate"),
    path("second-factor/app/", sure(totp.activate_totp), name="mfa_activate_totp"),
    path("second-factor/app/remove/", sure(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", sure(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("second-factor/keys/", keys.list_webauthn, name="mfa_list_webauthn"),
    path("second-factor/keys/add/", sure(keys.add_webauthn), name="mfa_add_webauthn"),
    path("second-factor/keys/<int:pk>/remove/", sure(keys.remove_webauthn), name="mfa_remove_webauthn"),
    path("sso/<str:provider_id>/", sign_on_views.start, name="openid_connect_login"),
    path("sso/<str:provider_id>/back/", sign_on_views.callback, name="openid_connect_callback"),
    path("saml/", saml_views.start, name="saml_login"),
    path("saml/back/", saml_views.consume, name="saml_acs"),
    path("saml/finish/", saml_views.finish, name="saml_finish"),
    path("saml/metadata/", saml_views.metadata, name="saml_metadata"),
    path("lost-password/", links.password_reset, name="password_reset"),
    path("lost-password/sent/", links.password_reset_done, name="password_reset_done"),
    path("new-password/<str:token>/", links.password_reset_confirm, name="password_reset_confirm"),
]
