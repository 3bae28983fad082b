-- A session's load is the sum of its four parts: a difference means that some load was shown twice or nowhere.
select session_id, load_efm, load_hill_efm + load_speed_efm + load_long_efm + load_base_efm as parts_efm
from marts.sessions
where abs(load_efm - (load_hill_efm + load_speed_efm + load_long_efm + load_base_efm)) > 1e-6 * greatest(1, load_efm)
