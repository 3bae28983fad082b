-- Demand against capacity, one week a row (from the runner's first day of the week on, `week_starts`): what running asked, what curls built, how it felt.
-- A load is null where a day of the week is not known (load_efm), or its runs could not be told apart (heavy_load_efm).
-- Sums run in the order of the days, so that the same days give the same digits whichever way they came.
-- Curls are null where nobody has ever told of any up to then: that is not none. The last week may still be going on.
-- 0 is Monday, as where nobody has said otherwise.
with first as (
    select coalesce(getvariable('first_weekday'), 0)::integer as weekday
),

days as (
    select
        athlete_id,
        date_trunc('week', date - first.weekday)::date + first.weekday as week,
        count(*) filter (series = 'total') as days,
        count(load_efm) filter (series = 'total') as known_days,
        case when bool_and(load_efm is not null) filter (series = 'total')
            then list_sum(list(load_efm order by date) filter (series = 'total')) end as load_efm,
        case when bool_and(load_efm is not null) filter (series = 'heavy')
            then list_sum(list(load_efm order by date) filter (series = 'heavy')) end as heavy_load_efm
    from staging.days, first
    group by all
),

curls as (
    select
        athlete_id,
        date_trunc('week', local_date - first.weekday)::date + first.weekday as week,
        count(*) as curl_sessions,
        sum(repetitions)::bigint as curl_repetitions
    from staging.curl_sessions, first
    group by all
),

first_curls as (
    select athlete_id, min(week) as first_week from curls group by athlete_id
),

-- The tighter side speaks for a day.
felt as (
    select athlete_id, date, kind, max((content ->> 'level')::double) as level
    from staging.journal
    where kind in ('tightness', 'soreness')
    group by all
),

felt_weeks as (
    select
        athlete_id,
        date_trunc('week', date - first.weekday)::date + first.weekday as week,
        list_avg(list(level order by date) filter (kind = 'tightness')) as tightness_mean,
        max(level) filter (kind = 'tightness') as tightness_max,
        count(*) filter (kind = 'tightness') as tightness_entries,
        max(level) filter (kind = 'soreness') as soreness_max
    from felt, first
    group by all
),

tests as (
    select
        athlete_id,
        date_trunc('week', date - first.weekday)::date + first.weekday as week,
        max((content ->> 'repetitions')::bigint) as test_repetitions,
        count(*) filter (kind = 'massage') as massages
    from staging.journal, first
    where kind in ('test', 'massage')
    group by all
),

states as (
    select
        athlete_id,
        date_trunc('week', date - first.weekday)::date + first.weekday as week,
        count(*) filter (state = 'deload') as deload_days,
        count(*) filter (state = 'stop') as stop_days
    from landing.alerts, first
    group by all
),

final as (
    select
        days.athlete_id,  -- whose
        days.week,  -- the Monday of the week
        days.days,  -- days of the week that the series holds
        days.known_days,  -- days whose load is known
        days.load_efm,  -- [EFM] load of the week; null where a day is unknown
        days.heavy_load_efm,  -- [EFM] load of heavy runs; null where a day is unknown or a run could not be told apart
        case when days.week >= first_curls.first_week then coalesce(curls.curl_sessions, 0) end as curl_sessions,  -- curl sessions; null before anybody told of any
        case when days.week >= first_curls.first_week
            then case when curls.curl_sessions is null then 0 else curls.curl_repetitions end
        end as curl_repetitions,  -- repetitions over all of them
        felt_weeks.tightness_mean,  -- mean of the days' reported tightness, 0-10; null without an entry
        felt_weeks.tightness_max,  -- the tightest day, 0-10
        coalesce(felt_weeks.tightness_entries, 0) as tightness_entries,  -- days with an entry
        felt_weeks.soreness_max,  -- the sorest day, 0-10
        tests.test_repetitions,  -- best capacity test: repetitions up to an effort of 8/10
        coalesce(tests.massages, 0) as massages,  -- massages logged
        states.deload_days,  -- days in the state deload
        states.stop_days  -- days in the state stop
    from days
    left join curls on curls.athlete_id = days.athlete_id and curls.week = days.week
    left join first_curls on first_curls.athlete_id = days.athlete_id
    left join felt_weeks on felt_weeks.athlete_id = days.athlete_id and felt_weeks.week = days.week
    left join tests on tests.athlete_id = days.athlete_id and tests.week = days.week
    left join states on states.athlete_id = days.athlete_id and states.week = days.week
)

select * from final order by athlete_id, week
