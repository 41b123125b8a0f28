"""Whether a token still opens the team that the profile is connected to. Facts of one team never vouch for another."""

from __future__ import annotations

from profiles.connectors import base
from profiles.models import IntegrationProfile


def check_team(profile: IntegrationProfile, team: base.Team) -> None:
    """Raises `base.Refused` if the token opens another team than the profile's."""
    if team.team_id == profile.team_id:
        return
    raise base.Refused(
        f"The token opens the team {team.name or team.team_id}, but this profile belongs to "
        f"{profile.team_name or profile.team_id or 'no team yet'}. Nothing was changed.",
        remedy="Press Get OAuth Token and approve the access as an admin of this profile's own team.",
    )
