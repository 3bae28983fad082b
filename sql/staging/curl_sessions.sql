-- Done hamstring curls, recognised from the sets that a watch recorded (FIT `set`, leg curls and hip raises on a ball).
with sets as (
    select * from landing.strength_sets where set_type = 'active'
),

activities as (
    select * from landing.activities
),

curls as (
    select *
    from sets
    where category = 'leg_curl' or (category = 'hip_raise' and contains(coalesce(name, ''), 'leg_curl'))
),

final as (
    select
        curls.activity_id as curl_session_id,
        activities.athlete_id,
        activities.local_date,
        activities.start_at,
        count(*) as sets,
        sum(curls.repetitions)::bigint as repetitions,
        list(distinct coalesce(curls.name, curls.category) order by coalesce(curls.name, curls.category)) as exercises,
        activities.source
    from curls
    join activities on activities.activity_id = curls.activity_id
    group by all
)

select * from final
