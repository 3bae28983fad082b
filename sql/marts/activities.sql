-- Every activity of every source, running or not, and the session it belongs to: copies of one run stand side by side.
with activities as (
    select * from landing.activities
),

members as (
    select * from landing.members
),

final as (
    select
        activities.* exclude (measures, profile),
        members.session_id,
        coalesce(members.is_primary, false) as is_primary,
        members.why
    from activities
    left join members on members.activity_id = activities.activity_id
)

select * from final order by athlete_id, start_at, activity_id
