-- Per athlete and source: whether the night asks it, when it last answered, how far it covers, its newest activity, and
-- what is wrong or waiting now. A source that is asked and has never answered is a row too.
with sources as (
    select * from landing.sources
),

asked as (
    select * from landing.reports
),

reports as (
    select
        athlete_id,
        source,
        max(reported_at) as last_asked_at,
        -- Being told to wait before anything was listed is no failure, and no answer either.
        max(reported_at) filter (not is_failure and (resumes_at is null or covered_until is not null))
            as last_success_at,
        max(covered_until) as covered_until,
        arg_max(is_failure, reported_at) as is_failing,
        arg_max(message, reported_at) as message,
        arg_max(remedy, reported_at) as remedy,
        -- arg_max alone would pass over the newest report where that has none.
        arg_max({resumes_at: resumes_at}, reported_at).resumes_at as resumes_at
    from asked
    group by all
),

failing as (
    select asked.athlete_id, asked.source, min(asked.reported_at) as failing_since
    from asked
    join reports on reports.athlete_id = asked.athlete_id and reports.source = asked.source
    where asked.is_failure and (reports.last_success_at is null or asked.reported_at > reports.last_success_at)
    group by all
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
        sources.athlete_id,  -- whose
        sources.source,  -- files, folder:PATH, strava, garmin or garmin_personal
        sources.is_asked,  -- whether the night asks it
        reports.last_asked_at,  -- when it was last asked, UTC
        reports.last_success_at,  -- when it last answered, UTC; null: never
        reports.covered_until,  -- the last day that it vouches for: a day without a run up to then was rest
        activities.newest_activity_at,  -- start of its newest activity, UTC
        coalesce(activities.activities, 0) as activities,  -- how many activities it gave
        coalesce(reports.is_failing, false)
            or (sources.is_asked and reports.last_asked_at is null)
            or (not sources.is_asked and sources.source <> 'files') as is_failing,  -- it failed when last asked, is no longer asked, or was never asked
        failing.failing_since,  -- since when it fails, UTC; null where it does not
        case
            when sources.is_asked and reports.last_asked_at is null then 'It has not been asked yet.'
            when not sources.is_asked and sources.source <> 'files' then 'The night no longer asks it.'
            else coalesce(reports.message, '')
        end as message,  -- what is wrong, or what the runner should know
        case
            when sources.is_asked and reports.last_asked_at is null then 'Run: hamload sync'
            when starts_with(sources.source, 'folder:') and not sources.is_asked
                then 'Add it to [[folders]] in config.toml again, or run: hamload forget ' || sources.source
            when not sources.is_asked and sources.source <> 'files'
                then 'Run: hamload auth ' || replace(sources.source, '_', '-') || ', or: hamload forget '
                    || replace(sources.source, '_', '-')
            else coalesce(reports.remedy, '')
        end as remedy,  -- what mends it
        reports.resumes_at  -- a limit was reached: it may be asked again then, UTC
    from sources
    left join reports on reports.athlete_id = sources.athlete_id and reports.source = sources.source
    left join failing on failing.athlete_id = sources.athlete_id and failing.source = sources.source
    left join activities on activities.athlete_id = sources.athlete_id and activities.source = sources.source
)

select * from final order by athlete_id, source
