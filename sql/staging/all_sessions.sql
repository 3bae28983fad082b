-- One row per real run, whether it counts or not: what speaks for it, with its load. Copies stay in landing.members.
with members as (
    select * from landing.members where is_primary
),

gathered as (
    select * from landing.sessions
),

copies as (
    select session_id, count(*) - 1 as copies from landing.members group by session_id
),

composed as (
    select * from landing.composed
),

-- What is known from summaries alone has neither streams nor channels.
recorded as (
    select
        session_loads.session_id,
        1 - coalesce(gathered.beside_time_s / nullif(session_loads.moving_time_s, 0), 0) as share
    from landing.session_loads as session_loads
    left join gathered on gathered.session_id = session_loads.session_id
),

joined as (
    select
        members.session_id,
        activities.athlete_id,
        coalesce(gathered.local_date, activities.local_date) as local_date,
        coalesce(gathered.day_source, activities.day_source) as day_source,
        coalesce(gathered.start_at, activities.start_at) as start_at,
        activities.sport,
        coalesce(nullif(gathered.title, ''), activities.title) as title,
        -- Where the duration alone was believed, the distance was missing or beyond belief.
        case
            when session_loads.basis <> 'duration'
            then coalesce(session_loads.distance_m, gathered.distance_m, activities.distance_m)
        end as distance_m,
        coalesce(gathered.elapsed_time_s, activities.elapsed_time_s) as elapsed_time_s,
        activities.ascent_m,
        session_loads.* exclude (session_id, athlete_id, start_at, inputs, distance_m),
        activities.source,
        activities.name,
        activities.format,
        activities.device,
        activities.is_simulated,
        activities.document_id,
        coalesce(composed.samples, activities.samples) as samples,
        recorded.share * coalesce(composed.usable_share, activities.usable_share) as stream_coverage,
        recorded.share * coalesce(composed.heart_rate_coverage, activities.heart_rate_coverage) as heart_rate_coverage,
        recorded.share * coalesce(composed.altitude_coverage, activities.altitude_coverage) as altitude_coverage,
        copies.copies,
        coalesce(gathered.recording_id, members.activity_id) as recording_id,
        coalesce(gathered.flags, []) as flags,
        coalesce(gathered.flags_why, []) as flags_why,
        coalesce(gathered.verdict, '') as verdict,
        coalesce(gathered.counts, true) as counts,
        coalesce(gathered.is_usual, true) as is_usual
    from members
    join landing.activities as activities on activities.activity_id = members.activity_id
    join landing.session_loads as session_loads on session_loads.session_id = members.session_id
    join copies on copies.session_id = members.session_id
    join recorded on recorded.session_id = members.session_id
    left join gathered on gathered.session_id = members.session_id
    left join composed on composed.recording_id = gathered.recording_id
)

select * from joined
