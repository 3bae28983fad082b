-- One row per real run that counts. What is doubted and not accepted, and what the runner excluded, is set aside.
with all_sessions as (
    select * from staging.all_sessions
)

select * from all_sessions where counts
