"""Pages of profiles, aliases and job runs."""

from django.urls import path

from profiles import overview, views
from profiles.aliases import views as aliases
from profiles.jobs import views as runs
from profiles.oauth import views as oauth
from profiles.schedules import views as schedules
from profiles.sight import views as sight

urlpatterns = [
    path("integration-profiles/", views.profile_list, name="profile_list"),
    path("integration-profiles/new/", views.profile_new, name="profile_new"),
    path("integration-profiles/new/<slug:vendor>/", views.profile_create, name="profile_create"),
    path("integration-profiles/<int:pk>/", views.profile_detail, {"tab": overview.OVERVIEW}, name="profile_detail"),
    path(
        "integration-profiles/<int:pk>/subscriptions/",
        views.profile_detail,
        {"tab": overview.SUBSCRIPTIONS},
        name="profile_subscriptions",
    ),
    path("integration-profiles/<int:pk>/jobs/", views.profile_detail, {"tab": overview.JOBS}, name="profile_jobs"),
    path(
        "integration-profiles/<int:pk>/connection/",
        views.profile_detail,
        {"tab": overview.CONNECTION},
        name="profile_connection",
    ),
    path("integration-profiles/<int:pk>/processes/<slug:process>/", views.profile_switch, name="profile_switch"),
    path("integration-profiles/<int:pk>/edit/", views.profile_edit, name="profile_edit"),
    path("integration-profiles/<int:pk>/delete/", views.profile_delete, name="profile_delete"),
    path("integration-profiles/<int:pk>/download/", views.profile_download, name="profile_download"),
    path("integration-profiles/<int:pk>/validate/", views.profile_validate, name="profile_validate"),
    path("integration-profiles/<int:pk>/authorize/", oauth.authorize, name="profile_authorize"),
    path("integration-profiles/<int:pk>/waiting/", oauth.waiting, name="profile_waiting"),
    path("integration-profiles/<int:pk>/disconnect/", oauth.disconnect, name="profile_disconnect"),
    path("authorizations/<int:pk>/", oauth.result, name="authorization_result"),
    path("authorizations/stopped/<slug:outcome>/", oauth.stopped, name="authorization_stopped"),
    path("aliases/", aliases.alias_list, name="alias_list"),
    path("aliases/<int:pk>/", aliases.alias_detail, name="alias_detail"),
    path("aliases/<int:pk>/children/new/", aliases.alias_child_new, name="alias_child_new"),
    path("aliases/<int:pk>/edit/", aliases.alias_edit, name="alias_edit"),
    path("aliases/<int:pk>/removal-limits/", aliases.alias_limits, name="alias_limits"),
    path("aliases/<int:pk>/delete/", aliases.alias_delete, name="alias_delete"),
    path("scheduled-jobs/<int:pk>/", schedules.scheduled_job_edit, name="scheduled_job_edit"),
    path("scheduled-jobs/<int:pk>/pause/", schedules.scheduled_job_pause, name="scheduled_job_pause"),
    path("scheduled-jobs/<int:pk>/run/", schedules.scheduled_job_run, name="scheduled_job_run"),
    path("limited-sight/", sight.sight_list, name="sight_list"),
    path("limited-sight/new/", sight.sight_new, name="sight_new"),
    path("limited-sight/<int:pk>/", sight.sight_edit, name="sight_edit"),
    path("limited-sight/<int:pk>/delete/", sight.sight_delete, name="sight_delete"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/<int:pk>/", runs.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:pk>/cancel/", runs.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/again/", runs.run_again, name="run_again"),
    path("runs/<int:pk>/confirm/", runs.run_confirm, name="run_confirm"),
]
