-- One row per athlete, calendar day and series, from the first day any source has reported on to the last day assessed.
-- load_efm is 0 on a reported day without a run, and null where it is not known: no source has reported on the day,
-- or a run of that day could not be told apart (an unlabelled run may or may not have been hilly).
with spans as (
    select athlete_id, covered_from, covered_until
    from landing.reports
    where covered_from is not null and covered_until is not null
),

-- Where the runner excluded a run, the day is known without it only if some source has reported past it.
run_days as (
    select distinct athlete_id, local_date from staging.all_sessions where counts
),

first_days as (
    select athletes.athlete_id, athletes.as_of, min(sessions.local_date) as first_date
    from landing.athletes as athletes
    join staging.all_sessions as sessions on sessions.athlete_id = athletes.athlete_id
    where sessions.verdict <> 'excluded'
    group by all
),

calendar as (
    select
        athlete_id,
        unnest(generate_series(first_date::timestamp, as_of::timestamp, interval 1 day))::date as date
    from first_days
),

-- A recording that could not be counted may be a run that is missing from the day; so may one that is doubted.
missing_runs as (
    select athlete_id, local_date from staging.uncounted where may_be_run and local_date is not null
    union
    select athlete_id, unnest(unknown_dates) as local_date from landing.sessions
),

reported as (
    select
        calendar.athlete_id,
        calendar.date,
        (
            coalesce(bool_or(calendar.date between spans.covered_from and spans.covered_until), false)
            or coalesce(bool_or(run_days.local_date is not null), false)
        )
        and not coalesce(bool_or(missing_runs.local_date is not null), false) as is_reported
    from calendar
    left join spans
        on spans.athlete_id = calendar.athlete_id and calendar.date between spans.covered_from and spans.covered_until
    left join run_days on run_days.athlete_id = calendar.athlete_id and run_days.local_date = calendar.date
    left join missing_runs
        on missing_runs.athlete_id = calendar.athlete_id and missing_runs.local_date = calendar.date
    group by all
),

loads as (
    select
        athlete_id,
        local_date as date,
        count(*) as sessions,
        sum(load_efm) as total,
        case when bool_and(is_heavy is not null) then coalesce(sum(load_efm) filter (is_heavy), 0) end as heavy,
        case when bool_and(is_hill is not null) then sum(load_hill_efm) end as hill,
        case when bool_and(is_speed is not null) then sum(load_speed_efm) end as speed,
        case when bool_and(is_long is not null) then sum(load_long_efm) end as long
    from staging.sessions
    group by all
),

by_series as (
    from loads unpivot include nulls (load_efm for series in (total, heavy, hill, speed, long))
),

names as (
    select unnest(['total', 'heavy', 'hill', 'speed', 'long']) as series
),

final as (
    select
        reported.athlete_id,
        reported.date,
        names.series,
        reported.is_reported,
        coalesce(by_series.sessions, 0) as sessions,
        case
            when not reported.is_reported then null
            when by_series.sessions is null then 0
            else by_series.load_efm
        end as load_efm
    from reported
    cross join names
    left join by_series
        on by_series.athlete_id = reported.athlete_id
        and by_series.date = reported.date
        and by_series.series = names.series
)

select * from final
