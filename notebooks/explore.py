"""Load by part, ratios, one run's samples, and what drove an alert. Run: hamload notebook explore."""

import marimo

app = marimo.App(width="medium", app_title="hamload: explore")


@app.cell
def _():
    import marimo as mo

    import hamload

    return hamload, mo


@app.cell
def _(hamload, mo):
    try:
        home = hamload.open_or_simulated()
    except hamload.HamloadError as _error:
        mo.stop(True, mo.callout(mo.md(f"**{_error.what}** {_error.remedy}"), kind="danger"))
    return (home,)


@app.cell
def _(home, mo):
    _told = f"Published {home.published_at:%Y-%m-%d %H:%M} UTC, {home.age.total_seconds() / 3600:.0f} hours ago."
    mo.vstack(
        [
            mo.md("# Explore\nWhat was run, what it asked of the hamstrings, and what was said about it."),
            mo.callout(mo.md(home.notice), kind="warn") if home.notice else mo.md(""),
            mo.md(
                f"{_told} Hamstring load (EFM, easy-flat-minute equivalents) is a model, not a measurement, and none of"
                " this is medical advice."
            ),
        ]
    )


@app.cell
def _(home, mo):
    _athletes = list(home.athletes()["athlete_id"])
    athlete = mo.ui.dropdown(_athletes, value=_athletes[0], label="Runner")
    days = mo.ui.slider(steps=[28, 84, 182, 365, 730], value=182, label="Days", show_value=True)
    labels = mo.ui.multiselect(["hill", "speed", "long", "heavy", "easy"], label="Only runs that are")
    return athlete, days, labels


@app.cell
def _(athlete, home, mo):
    _dates = home.daily(athlete.value, "total")["date"].dt.date
    mo.stop(_dates.empty, mo.callout(mo.md(f"There is no run of {athlete.value} yet."), kind="warn"))
    until = mo.ui.date(value=_dates.iloc[-1], start=_dates.iloc[0], stop=_dates.iloc[-1], label="up to")
    return (until,)


@app.cell
def _(athlete, days, labels, mo, until):
    mo.hstack([athlete, days, until, labels], justify="start", wrap=True, gap=1.5)


@app.cell
def _(athlete, days, home, mo, until):
    mo.vstack(
        [
            mo.md(
                "## Load by part\nEach day's load, and where it came from. The lines are the means of the last 7 and of"
                " the last 28 days. Grey days are unknown: no source has reported on them. They are not rest."
            ),
            home.chart("load", days.value, athlete.value, until=until.value, width=640),
        ]
    )


@app.cell
def _(athlete, days, home, mo, until):
    mo.vstack(
        [
            mo.md(
                "## Ratios\nThe last week against the weeks before it, in two forms, with the lines at which hamload"
                " speaks. Grey where a ratio would compare with nothing. Such ratios have strong critics: a high one is"
                " a sign among several, and no one's risk can be read from it."
            ),
            home.chart("ratios", days.value, athlete.value, until=until.value, width=640).properties(height=260),
        ]
    )


@app.cell
def _(athlete, days, home, labels, mo, until):
    import datetime as dt

    runs = home.sessions(
        athlete.value, since=until.value - dt.timedelta(days=days.value - 1), until=until.value, labels=labels.value
    )
    mo.vstack(
        [
            mo.md(
                f"## Runs\n{len(runs)} runs. The colour is the first of hill, speed and long that a run bears, each"
                " against this runner's own last 90 days; *not known* is a run that could not be told apart."
            ),
            home.chart("sessions", days.value, athlete.value, until=until.value, labels=labels.value, width=640),
        ]
    )
    return (runs,)


@app.cell
def _(mo, runs):
    mo.stop(runs.empty, mo.callout(mo.md("No run bears these labels in these days."), kind="info"))
    _newest = runs.iloc[::-1]
    _told = [
        f"{row.local_date:%Y-%m-%d}  {row.title or 'a run'}, {row.load_efm:.0f} EFM" for row in _newest.itertuples()
    ]
    _names = {
        f"{text} ({place})" if text in _told[:place] else text: row
        for place, (text, row) in enumerate(zip(_told, _newest["session_id"], strict=True))
    }
    run = mo.ui.dropdown(_names, value=next(iter(_names)), label="Run")
    return (run,)


@app.cell
def _(home, mo, run, runs):
    _row = runs.set_index("session_id").loc[run.value]
    _samples = home.samples(run.value)
    _parts = ", ".join(f"{name} {_row[f'load_{name}_efm']:.0f}" for name in ("hill", "speed", "long", "base"))
    mo.vstack(
        [
            mo.md("## One run, second by second"),
            run,
            mo.md(
                f"**{_row['load_efm']:.1f} EFM** ({_parts}) in {_row['moving_time_s'] / 60:.0f} min;"
                f" {len(_samples):,} samples; confidence: {_row['confidence']}. Demand 1 is easy running on the flat."
            ),
            home.chart("run", session_id=run.value, width=640)
            if len(_samples)
            else mo.callout(mo.md("No samples of this run are kept: it came as a summary, or had to expire.")),
        ]
    )


@app.cell
def _(athlete, home, mo, until):
    _days = home.alerts(athlete.value, until=until.value)
    _told = _days[_days["is_new"] | (_days["date"] == _days["date"].max())].iloc[::-1]
    _names = {f"{row.date:%Y-%m-%d}  {row.state}": row.date for row in _told.itertuples()}
    day = mo.ui.dropdown(_names, value=next(iter(_names)), label="Day")
    return (day,)


@app.cell
def _(athlete, day, home, mo):
    _alert = home.alerts(athlete.value, since=day.value, until=day.value).iloc[0]
    _reasons = home.reasons(athlete.value, since=day.value, until=day.value)
    _chart = home.chart("causes", athlete_id=athlete.value, until=day.value, width=520)
    mo.vstack(
        [
            mo.md("## What drove an alert"),
            day,
            mo.md(f"**{_alert['headline']}**"),
            mo.md("\n".join(f"- {row.sentence} *({row.evidence})*" for row in _reasons.itertuples())),
            mo.md(f"Withheld: {_alert['withheld']}." if isinstance(_alert["withheld"], str) else ""),
            mo.md("Which runs made up the number that counted, rule by rule:")
            if _chart.datasets["causes"]
            else mo.md("No single runs stand behind this state."),
            _chart if _chart.datasets["causes"] else mo.md(""),
        ]
    )


@app.cell
def _(home, mo):
    mo.accordion({"What each column of a run means": mo.ui.table(home.columns("sessions"), selection=None)})


if __name__ == "__main__":
    app.run()
