-- What the runner said: logged with `hamload log`, or written into an activity's title or notes. One entry a row.
with logged as (
    select athlete_id, date, logged_at, kind, content, entry_id, 'log' as origin from landing.journal
),

said as (
    select athlete_id, local_date as date, start_at as logged_at, kind, content, activity_id as entry_id, 'title' as origin
    from landing.said
),

final as (
    select * from logged
    union all
    select * from said
)

select * from final
