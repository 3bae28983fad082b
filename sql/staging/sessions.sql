-- One row per real run: the primary activity's facts with its load. Copies of the same run stay in landing.members.
with members as (
    select * from landing.members where is_primary
),

copies as (
    select session_id, count(*) - 1 as copies from landing.members group by session_id
),

joined as (
    select
        members.session_id,
        activities.athlete_id,
        activities.local_date,
        activities.start_at,
        activities.sport,
        activities.title,
        -- Where the duration alone was believed, the distance was missing or beyond belief.
        case
            when session_loads.basis <> 'duration' then coalesce(session_loads.distance_m, activities.distance_m)
        end as distance_m,
        activities.elapsed_time_s,
        activities.ascent_m,
        session_loads.* exclude (session_id, athlete_id, start_at, inputs, distance_m),
        activities.source,
        activities.name,
        activities.format,
        activities.device,
        activities.is_simulated,
        activities.document_id,
        activities.samples,
        activities.heart_rate_coverage,
        activities.altitude_coverage,
        copies.copies
    from members
    join landing.activities as activities on activities.activity_id = members.activity_id
    join landing.session_loads as session_loads on session_loads.session_id = members.session_id
    join copies on copies.session_id = members.session_id
)

select * from joined
