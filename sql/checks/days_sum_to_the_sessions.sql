-- The total series holds each session's load once: anything else is a run counted twice or lost.
with by_day as (
    select athlete_id, local_date as date, sum(load_efm) as sessions_efm from marts.sessions group by all
)

-- A day on which a recording could not be read, or is doubted, is unknown, whatever else was run on it.
, with_missing_runs as (
    select athlete_id, local_date as date from staging.uncounted where may_be_run and local_date is not null
    union
    select athlete_id, unnest(unknown_dates) as date from landing.sessions
)

select athlete_id, date, by_day.sessions_efm, total.load_efm
from by_day
full join (from marts.daily_load where series = 'total') as total using (athlete_id, date)
anti join with_missing_runs using (athlete_id, date)
where (sessions_efm is not null and load_efm is null)
    or abs(coalesce(load_efm, 0) - coalesce(sessions_efm, 0)) > 1e-6 * greatest(1, coalesce(sessions_efm, 0))
