-- One real run that counts a row: where it came from, its load with its four parts, its labels (null: not known), its
-- spikes, what is doubted about it.
with sessions as (
    select sessions.*, spikes.spike_distance, spikes.spike_load
    from staging.sessions as sessions
    left join landing.spikes as spikes on spikes.session_id = sessions.session_id
),

final as (
    select
        session_id,
        athlete_id,
        local_date,
        day_source,
        start_at,
        sport,
        title,
        distance_m,
        moving_time_s,
        elapsed_time_s,
        climb_m,
        load_efm,
        load_hill_efm,
        load_speed_efm,
        load_long_efm,
        load_base_efm,
        mean_demand,
        is_hill,
        is_speed,
        is_long,
        is_heavy,
        is_easy,
        spike_distance,
        spike_load,
        confidence,
        confidence_why,
        basis,
        source,
        name,
        format,
        device,
        is_simulated,
        copies,
        samples,
        stream_coverage,
        heart_rate_coverage,
        altitude_coverage,
        easy_speed_mps,
        typical_time_s,
        fast_mps,
        very_fast_mps,
        history_runs,
        model_version,
        document_id,
        flags,
        array_to_string(flags_why, '; ') as flags_why,
        verdict,
        recording_id
    from sessions
)

select * from final order by athlete_id, start_at, session_id
