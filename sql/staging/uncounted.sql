-- What was offered and could not be counted, with the reason and, where it is told, the day of the run that may be
-- missing because of it. The list of it and the days that are unknown read this one table, so that they agree.
with current as (
    select athlete_id, source, name, arg_max(document_id, position) as document_id
    from landing.deliveries
    group by all
),

-- A document whose file has been replaced by another since is gone.
refused as (
    select
        unreadable.athlete_id,  -- whose
        unreadable.source,  -- where it came from
        unreadable.name,  -- the file, or the service's own name of it
        unreadable.document_id,  -- the raw document; null where nothing was kept
        unreadable.reason,  -- why it could not be counted
        unreadable.is_no_activity,  -- it was read, and holds none: a settings file, a workout plan
        unreadable.may_be_run,  -- whether a run may be missing because of it
        unreadable.local_date  -- the day of that run, where its name tells; else null
    from landing.unreadable as unreadable
    left join current
        on current.athlete_id = unreadable.athlete_id
        and current.source = unreadable.source
        and current.name = unreadable.name
    where unreadable.document_id is null or unreadable.document_id = coalesce(current.document_id, unreadable.document_id)
),

outside_the_calendar as (
    select
        activities.athlete_id,
        activities.source,
        activities.name,
        activities.document_id,
        'This run is dated ' || activities.local_date || ', which cannot be: the clock of the device was wrong.' as reason,
        false as is_no_activity,
        true as may_be_run,
        null::date as local_date
    from landing.activities as activities
    left join landing.members as members on members.activity_id = activities.activity_id
    where members.activity_id is null
      and activities.sport in ('run', 'treadmill')
      and coalesce(activities.elapsed_time_s, 0) > 0
),

without_duration as (
    select
        athlete_id,
        source,
        name,
        document_id,
        'This run has neither a second of recording nor a duration.' as reason,
        false as is_no_activity,
        true as may_be_run,
        local_date
    from landing.activities
    where sport in ('run', 'treadmill')
      and coalesce(elapsed_time_s, 0) <= 0
      and activity_id not in (select activity_id from landing.members)
),

unknown_sport as (
    select athlete_id, source, name, document_id, array_to_string(notes, '; ') as reason,
        false as is_no_activity,
        true as may_be_run,
        local_date
    from landing.activities
    where sport = 'unknown'
),

final as (
    select * from refused
    union all
    select * from outside_the_calendar
    union all
    select * from without_duration
    union all
    select * from unknown_sport
)

select * from final
