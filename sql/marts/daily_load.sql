-- One row per athlete, calendar day and series. A rest day is 0; an unknown day is null, and so is every ratio whose
-- window holds one (withheld_why says so).
with days as (
    select * from staging.days
),

metrics as (
    select * from landing.day_metrics
),

counted as (
    select
        *,
        count(*) over last_28 as days_28,
        count(*) filter (load_efm is null) over last_28 as unknown_days_28
    from days
    window last_28 as (partition by athlete_id, series order by date rows between 27 preceding and current row)
),

final as (
    select
        counted.athlete_id,
        counted.date,
        counted.series,
        counted.load_efm,
        counted.load_efm is not null as is_known,
        counted.sessions,
        metrics.acute_rolling,
        metrics.chronic_rolling,
        metrics.acwr_coupled,
        metrics.acwr_uncoupled,
        metrics.acute_ewma,
        metrics.chronic_ewma,
        metrics.acwr_ewma,
        metrics.monotony,
        metrics.strain,
        counted.unknown_days_28,
        case
            when metrics.acwr_uncoupled is not null then null
            when counted.unknown_days_28 > 0 then counted.unknown_days_28 || ' of the last 28 days are unknown'
            when counted.days_28 < 28 then 'building a baseline: day ' || counted.days_28 || ' of 28'
            when metrics.is_returning then 'two weeks or more without running: a ratio would compare with nothing'
            else 'no such load in the weeks before'
        end as withheld_why
    from counted
    left join metrics
        on metrics.athlete_id = counted.athlete_id
        and metrics.date = counted.date
        and metrics.series = counted.series
)

select * from final order by athlete_id, date, series
