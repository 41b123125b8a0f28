"""The addresses of reports."""

from django.urls import path

from samsaas.reports import views

urlpatterns = [
    path("reports/", views.report_list, name="report_list"),
    path("reports/new/", views.report_new, name="report_new"),
    path("reports/<int:pk>/", views.report_detail, name="report_detail"),
    path("reports/<int:pk>/edit/", views.report_edit, name="report_edit"),
    path("reports/<int:pk>/test/", views.report_test, name="report_test"),
    path("reports/<int:pk>/delete/", views.report_delete, name="report_delete"),
    path("reports/stop/<str:token>/", views.report_stop, name="report_stop"),
]
