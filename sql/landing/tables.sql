-- What Python writes into the warehouse: decoded activities, their samples, and what load/ and advice/ make of them.
-- Everything here can be thrown away and rebuilt from the raw documents (`hamload rebuild`).

create schema if not exists landing;

create table if not exists landing.activities (
    activity_id varchar primary key,   -- one provider's record; a multisport document holds several
    athlete_id varchar not null,  -- whose
    document_id varchar not null,      -- the raw document it was decoded from
    part integer not null,             -- its place within that document, from 0
    source varchar not null,           -- files, strava, garmin, ...
    external_id varchar not null,  -- the service's own id; empty for files
    name varchar not null,             -- the file or the service's own name
    format varchar not null,  -- format of the document
    reader varchar not null,           -- the decoder that succeeded
    sport varchar not null,  -- run, treadmill, strength, other or unknown
    sport_detail varchar not null,  -- the source's own word for it
    title varchar not null,  -- the runner's own words
    description varchar not null default '',  -- the runner's own words on it, where the source gives them
    device varchar not null,  -- the watch or phone
    is_simulated boolean not null,  -- no real run: made by hamload's simulator
    start_at timestamptz not null,  -- the moment of the start, UTC
    end_at timestamptz not null,  -- the moment of the end, UTC
    utc_offset_s integer,  -- [s] the recording's own clock, from UTC; null where it tells none
    local_date date not null,          -- the athlete's own calendar day of the start, at the place of the run
    day_source varchar not null,       -- what told the day: the recording's own clock, the place, the service, home
    day_offset_s integer not null,     -- the clock there, from UTC
    place_latitude_deg double,         -- [deg] where it began, to a hundredth of a degree; null where it may not be lent
    place_longitude_deg double,        -- [deg] likewise
    elapsed_time_s double,  -- [s] from start to end
    timer_time_s double,  -- [s] by the watch's own timer
    distance_m double,  -- [m] by its own account
    ascent_m double,  -- [m] by its own account
    rpe double,  -- effort as entered, 0-10
    samples integer not null,          -- how many cleaned samples it has
    speed_source varchar not null,  -- device, distance, positions or none
    altitude_source varchar not null,  -- barometer, gps, none
    used_s double not null,  -- [s] seconds whose samples could be used
    paused_s double not null,  -- [s] timer stopped
    interpolated_s double not null,  -- [s] short gaps that were filled
    lost_s double not null,  -- [s] gaps that were not
    dropped_s double not null,  -- [s] samples that cannot be believed
    usable_share double not null,      -- of the running time, whose samples could be used
    heart_rate_coverage double not null,  -- share (0-1) of the samples with heart rate
    altitude_coverage double not null,  -- share (0-1) of the samples with altitude
    notes varchar[] not null,  -- what decoding had to do
    measures json,                     -- by which it is doubted: see merging.Measures
    profile json                       -- half-minute means, by which it is compared; null where none may be kept
);

create table if not exists landing.samples (
    chunk integer not null,            -- written together: whoever looks for a recording reads its chunk alone
    activity_id varchar not null,  -- the recording
    time_s double not null,            -- since the start
    dt_s float not null,               -- the seconds that this sample stands for
    speed_mps float,  -- [m/s] cleaned; null where it is not known
    grade float,                       -- rise over run
    distance_m double,  -- [m] since the start
    altitude_m float,  -- [m] as cleaned
    latitude_deg double,  -- [deg] WGS 84
    longitude_deg double,  -- [deg] WGS 84
    heart_rate_bpm float,  -- [1/min] heart rate
    cadence_spm float  -- [1/min] steps a minute
);

create table if not exists landing.features (
    activity_id varchar primary key,
    chunk integer,                     -- of its samples; null where they are gone
    features json not null             -- what later sessions' history needs of this run
);

create table if not exists landing.courses (
    activity_id varchar primary key,   -- the recording
    chunk integer not null,            -- of the samples that it was made from
    easy_speed_mps double not null,    -- [m/s] with which its demand was computed
    model_version varchar not null,    -- and by which model
    step_s double not null,            -- [s] between two points
    speed varchar not null,            -- base64, one byte a point: 0.04 m/s a step; 255 is unknown, as in the others
    grade varchar not null,            -- base64, one byte a point: 0.004 a step from -0.5 on
    demand varchar not null            -- base64, one byte a point: 0.05 a step
);

create table if not exists landing.strength_sets (
    activity_id varchar not null,
    set_index integer not null,
    category varchar not null,
    name varchar,
    repetitions integer,
    weight_kg double,
    duration_s double,
    set_type varchar not null
);

create table if not exists landing.unreadable (
    athlete_id varchar not null,
    source varchar not null,
    name varchar not null,
    document_id varchar,               -- null where nothing was kept
    reason varchar not null,
    is_no_activity boolean not null,   -- it was read, and holds none (a settings file, a workout plan)
    may_be_run boolean not null,       -- whether a run may be missing because of it
    local_date date                    -- the day of that run, where its name tells; else nobody knows
);

create table if not exists landing.decoded (
    athlete_id varchar not null,
    document_id varchar not null,      -- documents that have been through decode/, whatever came out
    facts_hash varchar not null,
    primary key (athlete_id, document_id)
);

create table if not exists landing.superseded (
    athlete_id varchar not null,
    document_id varchar not null,      -- what a file of a watched folder held before it was written anew
    by_document_id varchar not null,   -- what it holds now, of the same run
    primary key (athlete_id, document_id)
);

create table if not exists landing.members (
    activity_id varchar primary key,
    athlete_id varchar not null,
    session_id varchar not null,       -- the run that this activity is a recording of
    is_primary boolean not null,       -- it speaks for the run
    gives varchar[] not null,          -- what the session has from it: streams, minutes, altitude, title, ...
    shift_s double not null,           -- what its clock lacks to the clock of the one that speaks
    why varchar not null
);

create table if not exists landing.sessions (
    session_id varchar primary key,    -- of the moment at which the run began, not of a document
    athlete_id varchar not null,
    primary_id varchar not null,
    recording_id varchar not null,     -- its samples and features: the primary activity's, or those made of several
    start_at timestamptz not null,
    local_date date not null,
    day_source varchar not null,
    elapsed_time_s double,
    moving_time_s double,              -- what its recordings say, before samples are looked at
    distance_m double,
    beside_time_s double not null,     -- of that, what lies beside its recording and is known from summaries alone
    beside_distance_m double,
    title varchar not null,
    rpe double,
    flags varchar[] not null,          -- what is wrong with it
    flags_why varchar[] not null,
    verdict varchar not null,          -- accepted, accepted whole, excluded, or '' where the runner has not decided
    counts boolean not null,           -- whether its load is part of the days
    is_usual boolean not null,         -- whether it shapes what is usual for the athlete
    unknown_dates date[] not null,     -- days that are not known because of it
    split_from varchar[] not null,     -- activities of which the runner said that they are of another run than one of it
    is_hour_known boolean not null
);

create table if not exists landing.maybe_runs (
    activity_id varchar primary key,   -- a ride at a runner's speeds that the runner has not decided on
    athlete_id varchar not null,
    local_date date not null,
    title varchar not null,
    name varchar not null
);

create table if not exists landing.composed (
    recording_id varchar primary key,  -- samples and features made of several activities
    altitude_source varchar not null,
    heart_rate_coverage double not null,
    altitude_coverage double not null,
    usable_share double not null,
    samples integer not null,
    measures json not null             -- what it is doubted by, as one recording
);

create table if not exists landing.session_loads (
    session_id varchar primary key,
    athlete_id varchar not null,
    start_at timestamptz not null,
    inputs varchar not null,           -- changes when what this session was assessed from changes
    load_efm double not null,
    load_hill_efm double not null,
    load_speed_efm double not null,
    load_long_efm double not null,
    load_base_efm double not null,
    moving_time_s double not null,
    distance_m double,
    mean_demand double,
    climb_m double,
    is_hill boolean,
    is_speed boolean,
    is_long boolean,
    is_heavy boolean,
    is_easy boolean,
    basis varchar not null,
    confidence varchar not null,
    confidence_why varchar not null,
    easy_speed_mps double not null,
    typical_time_s double not null,
    fast_mps double,
    very_fast_mps double,
    history_runs integer not null,
    model_version varchar not null
);

create table if not exists landing.frozen_loads (
    activity_id varchar primary key,
    load json not null                 -- its row of session_loads, as it was when its document had to go
);

create table if not exists landing.spikes (
    session_id varchar primary key,
    spike_distance double,
    spike_load double
);

create table if not exists landing.deliveries (
    position integer not null,         -- the order in which they came
    athlete_id varchar not null,
    source varchar not null,
    document_id varchar not null,      -- one document may come from several sources
    name varchar not null,
    put_at timestamptz not null
);

create table if not exists landing.reports (
    source varchar not null,
    athlete_id varchar not null,
    reported_at timestamptz not null,
    covered_from date,
    covered_until date,
    is_failure boolean not null,
    message varchar not null,          -- why it failed, or what the runner should know of an answer
    remedy varchar not null,
    resumes_at timestamptz             -- a limit was reached: nothing more may be asked before
);

create table if not exists landing.sources (
    athlete_id varchar not null,
    source varchar not null,
    is_asked boolean not null,         -- whether the night asks it, as the settings say now
    primary key (athlete_id, source)
);

create table if not exists landing.journal (
    entry_id varchar not null,
    athlete_id varchar not null,
    kind varchar not null,             -- tightness, curls, soreness, ...; also what the runner decided about sessions
    date date not null,                -- the athlete's local day that it speaks of
    logged_at timestamptz not null,
    content json not null,
    primary key (athlete_id, entry_id)
);

create table if not exists landing.said (
    activity_id varchar not null,      -- the activity in whose title or notes it stands
    athlete_id varchar not null,
    local_date date not null,
    start_at timestamptz not null,
    kind varchar not null,
    content json not null
);

create table if not exists landing.athletes (
    athlete_id varchar primary key,  -- the runner, as in config.toml
    name varchar not null,  -- as in config.toml
    time_zone varchar not null,  -- of home
    today date not null,               -- the runner's day on which all this was computed
    as_of date not null,               -- the last day of the series
    easy_speed_mps double,  -- [m/s] the easy speed that every load is relative to; null: not known yet
    found_easy_speed_mps double,       -- [m/s] what the first weeks say, whatever the runner says
    easy_speed_until date,             -- the first six weeks ended here; null while they last
    model_version varchar not null  -- the formulas and coefficients that made the tables
);

create table if not exists landing.day_metrics (
    athlete_id varchar not null,
    date date not null,
    series varchar not null,
    is_returning boolean not null,     -- a break of two weeks or more lies in the chronic window
    acute_rolling double,
    chronic_rolling double,
    acwr_coupled double,
    acwr_uncoupled double,
    acute_ewma double,
    chronic_ewma double,
    acwr_ewma double,
    monotony double,
    strain double,
    primary key (athlete_id, date, series)
);

create table if not exists landing.alerts (
    athlete_id varchar not null,
    date date not null,
    state varchar not null,
    headline varchar not null,
    reasons json not null,
    advice varchar[] not null,
    is_new boolean not null,
    is_continuation boolean not null,
    held boolean not null,
    episode integer not null,
    clears_when varchar not null,
    is_acknowledged boolean not null,
    plan json,                         -- the deload's budget, day by day; null in other states and where unsolved
    told json not null,                -- of each sentence above its template and values, for other languages and units
    primary key (athlete_id, date)
);
