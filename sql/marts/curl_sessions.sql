-- Done hamstring curls, one session a row.
with curl_sessions as (
    select * from staging.curl_sessions
)

select * from curl_sessions order by athlete_id, start_at
