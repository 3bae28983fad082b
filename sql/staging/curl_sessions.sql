-- Done hamstring curls, one session a day: logged by hand, said in a title, or recognised from the sets of a watch.
-- The same curls told twice are one session: what the runner logged goes before a title, a title before the watch.
with sets as (
    select * from landing.strength_sets where lower(set_type) = 'active'
),

activities as (
    select * from landing.activities
),

-- Good mornings stand among a watch's leg curls too, and are none.
curls as (
    select *, lower(category) as muscle, lower(coalesce(name, '')) as exercise
    from sets
    where
        (lower(category) = 'leg_curl' and not contains(lower(coalesce(name, '')), 'good_morning')
            and not contains(lower(coalesce(name, '')), 'extension'))
        or (lower(category) = 'hip_raise' and contains(lower(coalesce(name, '')), 'leg_curl'))
        or (lower(category) = 'banded_exercises' and contains(lower(coalesce(name, '')), 'hamstring_curl'))
        or (lower(category) = 'suspension' and contains(lower(coalesce(name, '')), 'hamstring_curl'))
),

recognised as (
    select
        curls.activity_id as curl_session_id,
        activities.athlete_id,
        activities.local_date,
        activities.start_at,
        count(*) as sets,
        sum(curls.repetitions)::bigint as repetitions,
        any_value(activities.rpe) as rpe,
        bool_and(starts_with(curls.exercise, 'single_leg')) as is_single_leg,
        null::integer as lowering_s,
        list(distinct coalesce(nullif(curls.exercise, ''), curls.muscle)
            order by coalesce(nullif(curls.exercise, ''), curls.muscle)) as exercises,
        activities.source,
        3 as rank
    from curls
    join activities on activities.activity_id = curls.activity_id
    group by all
),

told as (
    select
        entry_id as curl_session_id,
        athlete_id,
        date as local_date,
        logged_at as start_at,
        (content ->> 'sets')::bigint as sets,
        ((content ->> 'sets')::bigint * (content ->> 'repetitions')::bigint)::bigint as repetitions,
        (content ->> 'rpe')::double as rpe,
        (content ->> 'is_single_leg')::boolean as is_single_leg,
        (content ->> 'lowering_s')::integer as lowering_s,
        []::varchar[] as exercises,
        case origin when 'log' then 'journal' else 'title' end as source,
        case origin when 'log' then 1 else 2 end as rank
    from staging.journal
    where kind = 'curls'
),

every as (
    select * from recognised
    union all by name
    select * from told
),

-- Of one day and one way of telling, the last word counts.
ordered as (
    select *, row_number() over (
        partition by athlete_id, local_date order by rank, start_at desc, curl_session_id
    ) as place
    from every
),

days as (
    select
        athlete_id,
        local_date,
        list(distinct source order by source) as told_by,
        arg_min(rpe, place) filter (rpe is not null) as rpe,
        arg_min(lowering_s, place) filter (lowering_s is not null) as lowering_s,
        coalesce(flatten(list(exercises)) , []) as exercises
    from ordered
    group by athlete_id, local_date
),

final as (
    select
        ordered.curl_session_id,  -- one session of curls, the best told of its day
        ordered.athlete_id,  -- whose
        ordered.local_date,  -- the athlete's calendar day
        ordered.start_at,  -- when, or when it was written down, UTC
        ordered.sets,  -- sets done
        ordered.repetitions,  -- repetitions over all sets; null where they were not told
        days.rpe,  -- effort, 0-10; null where it was not told
        ordered.is_single_leg,  -- one leg at a time
        days.lowering_s,  -- [s] how slowly the feet were lowered; null where it was not told
        list_sort(list_distinct(days.exercises)) as exercises,  -- what the watch called them
        ordered.source,  -- journal, title, or the source of the recording that told it
        days.told_by  -- every source that told of the same curls
    from ordered
    join days on days.athlete_id = ordered.athlete_id and days.local_date = ordered.local_date
    where ordered.place = 1
)

select * from final
