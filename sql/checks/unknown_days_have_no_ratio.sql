-- A ratio whose window holds an unknown day must be withheld: shown, it would take missing data for rest.
select athlete_id, date, series, unknown_days_28, acwr_uncoupled, acwr_coupled, acwr_ewma
from marts.daily_load
where unknown_days_28 > 0
  and (acwr_uncoupled is not null or acwr_coupled is not null or acwr_ewma is not null)
