-- Every day of an athlete's series has exactly one state: a day without one would be a day on which hamload went quiet.
with days as (
    select distinct athlete_id, date from marts.daily_load
)

select days.athlete_id, days.date, count(alerts.state) as states
from days
left join marts.alerts as alerts on alerts.athlete_id = days.athlete_id and alerts.date = days.date
group by all
having states <> 1
