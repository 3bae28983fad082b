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
        members.session_id,  -- the run that it is a recording of; null: it is of none
        coalesce(members.is_primary, false) as is_primary,  -- it speaks for that run
        members.why  -- why it belongs to it
    from activities
    left join members on members.activity_id = activities.activity_id
)

select * from final order by athlete_id, start_at, activity_id
