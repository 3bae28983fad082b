-- Every athlete and series has one row for each day between first and last: a missing row would silently shift a window.
select athlete_id, series, count(*) as rows, date_diff('day', min(date), max(date)) + 1 as days
from marts.daily_load
group by all
having rows <> days
