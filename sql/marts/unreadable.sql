-- What was offered and could not be counted, with the reason. It is listed until it is gone, and stops nothing.
select * from staging.uncounted order by athlete_id, source, name
