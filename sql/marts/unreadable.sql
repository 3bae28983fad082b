-- What was offered and could not be read, with the reason. It is listed until it is gone, and stops nothing.
select athlete_id, source, name, document_id, reason from landing.unreadable order by athlete_id, source, name
