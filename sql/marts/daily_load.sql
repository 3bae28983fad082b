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
        counted.athlete_id,  -- whose
        counted.date,  -- the athlete's calendar day
        counted.series,  -- total, heavy, hill, speed or long
        counted.load_efm,  -- [EFM] load of the day; 0 is rest, null is unknown
        counted.load_efm is not null as is_known,  -- whether the load of the day is known
        counted.sessions,  -- runs of the day that count
        metrics.acute_rolling,  -- [EFM/day] mean of the last 7 days
        metrics.chronic_rolling,  -- [EFM/day] mean of the last 28 days
        metrics.acwr_coupled,  -- acute over chronic, the acute week included in both; at most 4
        metrics.acwr_uncoupled,  -- acute over the 21 days before it
        metrics.acute_ewma,  -- [EFM/day] exponentially weighted mean, N = 7 (Williams 2017)
        metrics.chronic_ewma,  -- [EFM/day] exponentially weighted mean, N = 28
        metrics.acwr_ewma,  -- acute_ewma over chronic_ewma
        metrics.monotony,  -- mean over standard deviation of the last 7 days (Foster 1998); null in a week of rest
        metrics.strain,  -- [EFM] load of the last 7 days times monotony
        counted.unknown_days_28,  -- unknown days among the last 28
        case
            when metrics.acwr_uncoupled is not null then null
            when counted.unknown_days_28 > 0 then counted.unknown_days_28 || ' of the last 28 days are unknown'
            when counted.days_28 < 28 then 'building a baseline: day ' || counted.days_28 || ' of 28'
            when metrics.is_returning then 'two weeks or more without running: a ratio would compare with nothing'
            else 'no such load in the weeks before'
        end as withheld_why  -- why there is no ratio; null where there is one
    from counted
    left join metrics
        on metrics.athlete_id = counted.athlete_id
        and metrics.date = counted.date
        and metrics.series = counted.series
)

select * from final order by athlete_id, date, series
