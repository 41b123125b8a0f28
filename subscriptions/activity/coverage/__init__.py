"""What *covered* means: for which time, and for which seats, the absence of activity proves anything.

- `intervals`: the time whose log was read to a believable end, by profile and team, and where the next pull begins.
- `plausibility`: whether a reading that came to its end is believed.
- `reach`: from when on the coverage that reaches until now vouches for a seat. A log that was read before the seat was
  known vouches for nothing, since what it held of the seat went to nobody; nor does the log of another team.
- `reasons`: in words, why nothing is known of a seat.
- `timeline`: the time of a profile as a drawing and a table.
"""
