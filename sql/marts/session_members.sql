-- Which activities make a session, what each gives to it, and why it belongs there. The one that speaks comes first.
with members as (
    select * from landing.members
),

activities as (
    select * from landing.activities
),

final as (
    select
        members.session_id,
        members.athlete_id,
        members.activity_id,
        members.is_primary,
        members.gives,
        members.why,
        members.shift_s as clock_shift_s,
        activities.source,
        activities.external_id,
        activities.name,
        activities.format,
        activities.device,
        activities.title,
        activities.start_at,
        activities.end_at,
        activities.local_date,
        activities.day_source,
        activities.distance_m,
        activities.used_s,
        activities.usable_share as stream_coverage,
        activities.heart_rate_coverage,
        activities.altitude_coverage,
        activities.altitude_source,
        activities.document_id
    from members
    join activities on activities.activity_id = members.activity_id
)

select * from final order by athlete_id, session_id, is_primary desc, start_at, activity_id
