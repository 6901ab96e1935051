"""Face parsers, a kind of plug-in: those that ship, and what an adaptive attacker puts around one."""

#: Edges at which the shipped parsers see best: renders and real pictures differ least at moderate detail.
SHIPPED_EDGES = (32, 160)
#: Edge at which the official pipelines parse (AD-NeRF ``data_util/face_parsing``).
OFFICIAL_SIZE = 512
