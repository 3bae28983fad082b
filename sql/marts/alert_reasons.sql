-- Why each day had its state: one row per athlete, day and rule that held, most serious first.
with alerts as (
    select athlete_id, date, state as day_state, from_json(reasons, '["json"]') as reasons from landing.alerts
),

one_each as (
    select
        athlete_id,
        date,
        day_state,
        generate_subscripts(reasons, 1) as place,
        unnest(reasons) as reason
    from alerts
),

final as (
    select
        athlete_id,  -- whose
        date,  -- the athlete's calendar day
        day_state,  -- the state of the day
        place::integer as place,  -- 1 for the most serious
        reason ->> 'rule' as rule,  -- the rule that held
        reason ->> 'state' as state,  -- how serious this reason is by itself
        (reason ->> 'value')::double as value,  -- its number; null for rules without one
        (reason ->> 'threshold')::double as threshold,  -- what the number is held against; null for rules without one
        reason ->> 'sentence' as sentence,  -- the reason in a sentence
        reason ->> 'evidence' as evidence,  -- how strong the ground is
        reason -> 'causes' as causes  -- the runs behind it: session_id, share (0-1), sentence
    from one_each
)

select * from final order by athlete_id, date, place
