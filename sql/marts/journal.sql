-- What the runner logged or wrote into titles and notes of activities, and did not take back. One entry a row.
with journal as (
    select * from staging.journal
),

final as (
    select
        athlete_id,  -- whose
        date,  -- the athlete's calendar day that it speaks of
        logged_at,  -- when it was written, UTC
        kind,  -- tightness, soreness, curls, test, massage, flag, cleared, note, ack, or a decision about sessions
        (content ->> 'level')::double as level,  -- tightness or soreness, 0-10; null for other kinds
        content ->> 'side' as side,  -- left, right or both; null where it was not told
        content,  -- everything that the entry says
        origin,  -- log, or title: read from an activity's title or notes
        entry_id  -- the entry, or the activity in whose title it stands
    from journal
)

select * from final order by athlete_id, date, logged_at, entry_id
