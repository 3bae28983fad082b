-- The state of each athlete on each day, with its reasons (JSON: rule, value, threshold, sentence, evidence, causes).
with alerts as (
    select * from landing.alerts
),

final as (
    select
        athlete_id,  -- whose
        date,  -- the athlete's calendar day, at whose end this was the state
        state,  -- stop, deload, caution, build, steady, baseline, returning or unknown
        headline,  -- the state in a sentence
        reasons,  -- each rule that held: rule, state, value, threshold, sentence, evidence, causes (runs with their shares)
        advice,  -- what to do, as it was told on that day
        is_new,  -- the day on which the runner was to be told
        is_continuation,  -- told as the continuation of a spell that ended within two weeks
        held,  -- only hysteresis keeps the state: it has not cleared by the margin
        episode,  -- counts the spells of caution or deload
        clears_when,  -- what would end the state
        is_acknowledged,  -- the runner has taken note of it
        plan,  -- the deload's budget, day by day; null in other states and where it could not be solved
        told  -- the same words as templates and values, from which another language says them
    from alerts
)

select * from final order by athlete_id, date
