"""Addresses of accounts, invitations, and the pages behind their mails."""

from django.urls import path

from samsaas.accounts import links, own_views, views

urlpatterns = [
    path("", views.account_list, name="account_list"),
    path("<int:pk>/", views.account_detail, name="account_detail"),
    path("<int:pk>/edit/", views.account_edit, name="account_edit"),
    path("<int:pk>/deactivate/", views.account_deactivate, name="account_deactivate"),
    path("<int:pk>/activate/", views.account_activate, name="account_activate"),
    path("<int:pk>/sign-out/", views.account_sign_out, name="account_sign_out"),
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
    path("lost-password/", links.password_reset, name="password_reset"),
    path("lost-password/sent/", links.password_reset_done, name="password_reset_done"),
    path("new-password/<uidb64>/<token>/", links.SetPassword.as_view(), name="password_reset_confirm"),
]
