"""Pages of software subscriptions and software models."""

from django.urls import path

from subscriptions.views import software, subscriptions

urlpatterns = [
    path("subscriptions/", subscriptions.subscription_list, name="subscription_list"),
    path("subscriptions/export/", subscriptions.subscription_export, name="subscription_export"),
    path("subscriptions/<int:pk>/", subscriptions.subscription_detail, name="subscription_detail"),
    path("software-models/", software.software_model_list, name="software_model_list"),
    path("software-models/<int:pk>/", software.software_model_detail, name="software_model_detail"),
]
