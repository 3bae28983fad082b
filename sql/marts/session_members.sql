-- Which activities make a session, what each gives to it, and why it belongs there. The one that speaks comes first.
with members as (
    select * from landing.members
),

activities as (
    select * from landing.activities
),

final as (
    select
        members.session_id,  -- the run
        members.athlete_id,  -- whose
        members.activity_id,  -- one recording of it
        members.is_primary,  -- it speaks for the run
        members.gives,  -- what the session has from it: streams, minutes, altitude, title and so on
        members.why,  -- why it belongs to the run
        members.shift_s as clock_shift_s,  -- [s] what its clock lacks to the clock of the one that speaks
        activities.source,  -- where it came from
        activities.external_id,  -- the service's own id
        activities.name,  -- the file, or the service's own name of it
        activities.format,  -- format of the document
        activities.device,  -- the watch or phone
        activities.title,  -- the runner's own words
        activities.start_at,  -- its own start, UTC
        activities.end_at,  -- its own end, UTC
        activities.local_date,  -- the calendar day of its start
        activities.day_source,  -- what told the day
        activities.distance_m,  -- [m] by its own account
        activities.used_s,  -- [s] seconds whose samples could be used
        activities.usable_share as stream_coverage,  -- share (0-1) of the running time whose samples could be used
        activities.heart_rate_coverage,  -- share (0-1) of the samples with heart rate
        activities.altitude_coverage,  -- share (0-1) of the samples with altitude
        activities.altitude_source,  -- barometer, GPS, none
        activities.document_id  -- the raw document
    from members
    join activities on activities.activity_id = members.activity_id
)

select * from final order by athlete_id, session_id, is_primary desc, start_at, activity_id
