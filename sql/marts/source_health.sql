-- Per athlete and source: when it last answered, how far it covers, its newest activity, and what is wrong now.
with reports as (
    select * from landing.reports
),

given as (
    select distinct athlete_id, source, document_id from landing.deliveries
),

-- A clock that was wrong must not make a source look fresher than it is.
activities as (
    select given.athlete_id, given.source, max(activities.start_at) as newest_activity_at, count(*) as activities
    from given
    join landing.activities as activities
        on activities.athlete_id = given.athlete_id and activities.document_id = given.document_id
    join landing.athletes as athletes on athletes.athlete_id = given.athlete_id
    where activities.local_date <= athletes.as_of + 1
    group by all
),

final as (
    select
        reports.athlete_id,
        reports.source,
        max(reports.reported_at) filter (not reports.is_failure) as last_success_at,
        max(reports.covered_until) as covered_until,
        any_value(activities.newest_activity_at) as newest_activity_at,
        coalesce(any_value(activities.activities), 0) as activities,
        arg_max(reports.is_failure, reports.reported_at) as is_failing,
        arg_max(reports.message, reports.reported_at) as message,
        arg_max(reports.remedy, reports.reported_at) as remedy
    from reports
    left join activities on activities.athlete_id = reports.athlete_id and activities.source = reports.source
    group by reports.athlete_id, reports.source
)

select * from final order by athlete_id, source
