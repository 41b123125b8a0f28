"""Profiles, aliases, credentials, job runs and open authorizations."""

from profiles.models.alias import ConnectionAlias
from profiles.models.authorization import OAuthState
from profiles.models.credential import Credential
from profiles.models.profile import IntegrationProfile
from profiles.models.run import JobRun
from profiles.models.schedule import ProcessCheck, ScheduledJob
from profiles.models.sight import LimitedSight

__all__ = [
    "ConnectionAlias",
    "Credential",
    "IntegrationProfile",
    "JobRun",
    "LimitedSight",
    "OAuthState",
    "ProcessCheck",
    "ScheduledJob",
]
