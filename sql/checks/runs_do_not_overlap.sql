-- Nobody runs two runs at once: two sessions of one athlete that move at the same moments count these minutes twice.
-- Beyond 120 s, which are merging's overlap_s and one half-minute of its means.
with sessions as (
    select
        members.session_id,
        members.athlete_id,
        coalesce(gathered.split_from, []) as split_from,
        coalesce(gathered.recording_id, members.activity_id) as recording_id,
        activities.start_at,
        activities.end_at,
        case
            when gathered.recording_id is distinct from members.activity_id then coalesce(gathered.start_at, activities.start_at)
            else activities.start_at
        end as zero_at,
        coalesce(gathered.elapsed_time_s, epoch(activities.end_at) - epoch(activities.start_at)) as elapsed_time_s
    from landing.members as members
    join landing.activities as activities on activities.activity_id = members.activity_id
    left join landing.sessions as gathered on gathered.session_id = members.session_id
    -- What does not count counts nothing twice, and where the start is hidden nobody knows the hour.
    where members.is_primary and coalesce(gathered.is_hour_known and gathered.counts, true)
),

spans as (
    select *, epoch(zero_at) as first_s, epoch(zero_at) + elapsed_time_s as last_s from sessions
),

pairs as (
    select a.session_id, b.session_id as other_session_id
    from spans as a
    join spans as b
        on a.athlete_id = b.athlete_id
        and a.session_id < b.session_id
        and least(a.last_s, b.last_s) - greatest(a.first_s, b.first_s) > 120
    -- Two that the runner split from each other may overlap; with any third run neither may.
    where not exists (
        select 1 from landing.members as members
        where members.session_id = b.session_id and list_contains(a.split_from, members.activity_id)
    )
),

asked as (
    select * from spans
    where session_id in (select session_id from pairs) or session_id in (select other_session_id from pairs)
),

-- Every second in which one of them moves, by its samples; without any, in which its clock ran.
recorded as (
    select distinct
        asked.session_id,
        unnest(range(
            floor(asked.first_s + samples.time_s)::bigint,
            greatest(ceil(asked.first_s + samples.time_s + samples.dt_s), floor(asked.first_s + samples.time_s) + 1)::bigint
        )) as second
    from asked
    join landing.samples as samples on samples.activity_id = asked.recording_id
    where samples.speed_mps >= 0.5
),

moving as (
    select * from recorded
    union all
    select session_id, unnest(range(floor(epoch(start_at))::bigint, floor(epoch(end_at))::bigint)) as second
    from asked
    where not exists (select 1 from landing.samples as samples where samples.activity_id = asked.recording_id)
)

select pairs.session_id, pairs.other_session_id, count(*) as seconds
from pairs
join moving as one on one.session_id = pairs.session_id
join moving as other on other.session_id = pairs.other_session_id and other.second = one.second
group by all
having count(*) > 120
