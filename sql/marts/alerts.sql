-- The state of each athlete on each day, with its reasons (JSON: rule, value, threshold, sentence, evidence, causes).
with alerts as (
    select * from landing.alerts
),

final as (
    select
        athlete_id,
        date,
        state,
        headline,
        reasons,
        advice,
        is_new,
        is_continuation,
        held,
        episode,
        clears_when,
        is_acknowledged,
        plan,
        told
    from alerts
)

select * from final order by athlete_id, date
