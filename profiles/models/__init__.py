"""Profiles, aliases, credentials, job runs and open authorizations."""

from profiles.models.alias import ConnectionAlias
from profiles.models.authorization import OAuthState
from profiles.models.credential import Credential
from profiles.models.profile import IntegrationProfile
from profiles.models.run import JobRun
from profiles.models.schedule import ProcessCheck, ScheduledJob

__all__ = [
    "ConnectionAlias",
    "Credential",
    "IntegrationProfile",
    "JobRun",
    "OAuthState",
    "ProcessCheck",
    "ScheduledJob",
]
