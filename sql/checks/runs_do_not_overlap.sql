-- Nobody runs two runs at once: sessions of one athlete that share half of their time are copies counted twice.
with spans as (
    select activity_id, start_at, end_at from landing.activities
),

sessions as (
    select members.session_id, members.athlete_id, spans.start_at, spans.end_at
    from landing.members as members
    join spans on spans.activity_id = members.activity_id
    left join landing.sessions as gathered on gathered.session_id = members.session_id
    -- What the runner split or excluded may overlap, and where the start is hidden nobody knows the hour.
    where members.is_primary and coalesce(not gathered.is_split and gathered.is_hour_known and gathered.verdict <> 'excluded', true)
)

select a.session_id, b.session_id as other_session_id
from sessions as a
join sessions as b
    on a.athlete_id = b.athlete_id
    and a.session_id < b.session_id
    and epoch(least(a.end_at, b.end_at)) - epoch(greatest(a.start_at, b.start_at))
        >= 0.5 * greatest(1, least(epoch(a.end_at) - epoch(a.start_at), epoch(b.end_at) - epoch(b.start_at)))
