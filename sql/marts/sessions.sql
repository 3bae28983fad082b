-- One real run that counts a row: where it came from, its load with its four parts, its labels (null: not known), its
-- spikes, what is doubted about it.
with sessions as (
    select sessions.*, spikes.spike_distance, spikes.spike_load
    from staging.sessions as sessions
    left join landing.spikes as spikes on spikes.session_id = sessions.session_id
),

final as (
    select
        session_id,  -- one real run; stays the same when copies of it arrive
        athlete_id,  -- whose
        local_date,  -- the athlete's calendar day of the start, at the place of the run
        day_source,  -- what told the day: the recording's own clock, the place, the service, home
        start_at,  -- the moment of the start, UTC
        sport,  -- run or treadmill
        title,  -- the runner's own words
        distance_m,  -- [m] null where it is not known or not believed
        moving_time_s,  -- [s] time in motion
        elapsed_time_s,  -- [s] from start to end, pauses included
        climb_m,  -- [m] climb, from the cleaned altitude; null without one
        load_efm,  -- [EFM] hamstring load: easy-flat-minute equivalents, the sum of the four parts
        load_hill_efm,  -- [EFM] part on climbs; 0 where is_hill is null (not known)
        load_speed_efm,  -- [EFM] part at speed beyond the athlete's own P90; 0 where is_speed is null
        load_long_efm,  -- [EFM] part in the late minutes; 0 where is_long is null
        load_base_efm,  -- [EFM] all the rest, and what could not be told apart
        mean_demand,  -- mean demand of the moving time; 1 is easy running on the flat
        is_hill,  -- a hilly run, against the athlete's own 90 days; null: not known
        is_speed,  -- a fast run, against the athlete's own 90 days; null: not known
        is_long,  -- a long run, against the athlete's own 90 days; null: not known
        is_heavy,  -- hilly, fast or long, or among the athlete's own largest loads; null: not known
        is_easy,  -- none of these, and gentle on average; null: not known
        spike_distance,  -- distance over the longest of the 30 days before; 1.1 is 10 % beyond it; null: nothing to compare with
        spike_load,  -- load over the largest of the 30 days before; null: nothing to compare with
        confidence,  -- how far the load can be trusted: high, medium, low, very low
        confidence_why,  -- why no more than that
        basis,  -- what the load was computed from: streams, streams without altitude, treadmill, summary, duration
        source,  -- where the recording that speaks for the run came from
        name,  -- the file, or the service's own name of it
        format,  -- format of the document
        device,  -- the watch or phone
        is_simulated,  -- no real run: made by hamload's simulator
        copies,  -- further recordings of the same run, which are not counted
        samples,  -- cleaned samples of the recording; 0: none are kept
        stream_coverage,  -- share (0-1) of the running time whose samples could be used
        heart_rate_coverage,  -- share (0-1) of the samples with heart rate
        altitude_coverage,  -- share (0-1) of the samples with altitude
        easy_speed_mps,  -- [m/s] the athlete's easy speed that this load is relative to
        typical_time_s,  -- [s] T, the athlete's typical moving time then
        fast_mps,  -- [m/s] own 90-day P90 of level-equivalent speed then; null: too few runs
        very_fast_mps,  -- [m/s] own 90-day P98; null: too few runs
        history_runs,  -- runs in the 90 days before
        model_version,  -- the formulas and coefficients that made this row
        document_id,  -- the raw document of the recording that speaks
        flags,  -- what is doubted about the recording
        array_to_string(flags_why, '; ') as flags_why,  -- the same in words
        verdict,  -- what the runner decided on the doubts: accepted, accepted whole, or nothing yet
        recording_id  -- its samples in landing.samples
    from sessions
)

select * from final order by athlete_id, start_at, session_id
