-- The total series holds each session's load once: anything else is a run counted twice or lost.
with by_day as (
    select athlete_id, local_date as date, sum(load_efm) as sessions_efm from marts.sessions group by all
)

select by_day.athlete_id, by_day.date, by_day.sessions_efm, daily_load.load_efm
from by_day
left join marts.daily_load as daily_load
    on daily_load.athlete_id = by_day.athlete_id and daily_load.date = by_day.date and daily_load.series = 'total'
where (daily_load.load_efm is null or abs(daily_load.load_efm - sessions_efm) > 1e-6 * greatest(1, sessions_efm))
