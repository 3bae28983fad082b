-- Runs that do not count: doubted ones, whose days are unknown until the runner decides, and those the runner excluded.
with all_sessions as (
    select * from staging.all_sessions where not counts
),

final as (
    select
        session_id,
        athlete_id,
        local_date,
        start_at,
        sport,
        title,
        name,
        source,
        device,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        load_efm as load_if_counted_efm,
        flags,
        array_to_string(flags_why, '; ') as why,
        verdict,
        copies,
        is_simulated,
        recording_id
    from all_sessions
)

select * from final order by athlete_id, start_at, session_id
