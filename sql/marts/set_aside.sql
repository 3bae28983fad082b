-- Runs that do not count: doubted ones, whose days are unknown until the runner decides, and those the runner excluded.
with all_sessions as (
    select * from staging.all_sessions where not counts
),

final as (
    select
        session_id,  -- one run that does not count
        athlete_id,  -- whose
        local_date,  -- the athlete's calendar day of the start
        start_at,  -- the moment of the start, UTC
        sport,  -- run or treadmill
        title,  -- the runner's own words
        name,  -- the file, or the service's own name of it
        source,  -- where its recording came from
        device,  -- the watch or phone
        distance_m,  -- [m] null where it is not known
        moving_time_s,  -- [s] time in motion
        elapsed_time_s,  -- [s] from start to end
        load_efm as load_if_counted_efm,  -- [EFM] what its load would be
        flags,  -- what is doubted about it
        array_to_string(flags_why, '; ') as why,  -- the same in words
        verdict,  -- excluded, or empty where the runner has not decided
        copies,  -- further recordings of the same run
        is_simulated,  -- no real run: made by hamload's simulator
        recording_id  -- its samples in landing.samples
    from all_sessions
)

select * from final order by athlete_id, start_at, session_id
