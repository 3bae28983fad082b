"""The demand function against what is published, and a year recomputed live. Run: hamload notebook model."""

import marimo

app = marimo.App(width="medium", app_title="hamload: the model")


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
    mo.vstack(
        [
            mo.md(
                "# The model\nWhat each assumption changes. Move a coefficient and see the demand of an instant, the"
                " load of the worked examples, and a year of runs computed anew from their samples. Nothing here"
                " changes the home; to keep a value, write it into `config.toml`."
            ),
            mo.callout(mo.md(home.notice), kind="warn") if home.notice else mo.md(""),
        ]
    )


@app.cell
def _(home, mo):
    _known = home.coefficients().set_index("name")
    _sliders = {
        "model.demand.easy_exponent": (1.0, 3.5, 0.1, "Speed, up to 5 m/s"),
        "model.demand.fast_exponent": (1.0, 5.0, 0.1, "Speed, beyond 5 m/s"),
        "model.demand.grade_exponent": (0.0, 2.0, 0.1, "Uphill"),
        "model.demand.grade_dead_band": (0.0, 0.04, 0.005, "Grade that counts as level"),
        "model.session.long_gain": (0.0, 1.0, 0.05, "Late minutes"),
        "model.session.long_span": (0.5, 3.0, 0.1, "How late that is full"),
    }
    coefficients = mo.ui.dictionary(
        {
            name: mo.ui.slider(
                min(low, _known["value"][name]),
                max(high, _known["value"][name]),
                step,
                _known["value"][name],
                label=f"{label} [{_known['kind'][name]}]",
                show_value=True,
            )
            for name, (low, high, step, label) in _sliders.items()
        }
    )
    return (coefficients,)


@app.cell
def _(coefficients, home, mo):
    _known = home.coefficients().set_index("name")
    mo.vstack(
        [
            mo.md("## Coefficients\n[E] rests on published evidence, [A] is our assumption."),
            mo.hstack(list(coefficients.elements.values()), wrap=True, justify="start", gap=1.5),
            mo.accordion(
                {
                    "What each rests on": mo.md(
                        "\n".join(f"- `{n}`: {_known['source'][n]}" for n in coefficients.elements)
                    )
                }
            ),
        ]
    )


@app.cell
def _(coefficients, hamload, mo):
    mo.vstack(
        [
            mo.md(
                "## Demand of one instant\n**Speed.** Between 3.61 and 4.16 m/s the activity of the biceps femoris rose"
                " by 26 % per stride, and there were more strides a minute: the curve, which counts time, should pass a"
                " little above that point. Beyond 5 m/s the evidence is wide. Two points do not make a curve."
            ),
            hamload.demand_chart("speed", coefficients.value, width=600),
            mo.md(
                "**Uphill.** The band is the measured energy cost (Minetti et al. 2002), as wide as the fit's own"
                " error. That the hamstrings' share of it stays the same is our assumption; downhill counts as level,"
                " because measurements conflict."
            ),
            hamload.demand_chart("grade", coefficients.value, width=600),
        ]
    )


@app.cell
def _(coefficients, hamload, mo):
    _runs = hamload.worked_examples(coefficients.value)
    _runs["change"] = (100 * _runs["change"]).round(1)
    mo.vstack(
        [
            mo.md(
                "## Worked examples\nThe load (EFM) of six runs, as shipped and as set here; the change in %. For an"
                " easy speed of 2.8 m/s and a typical run of 45 minutes."
            ),
            mo.ui.table(_runs.round(1), selection=None),
        ]
    )


@app.cell
def _(home, mo):
    _athletes = list(home.athletes()["athlete_id"])
    athlete = mo.ui.dropdown(_athletes, value=_athletes[0], label="Runner")
    return (athlete,)


@app.cell
def _(athlete, hamload, home, mo):
    try:
        year = home.reassess(athlete.value)
    except hamload.HamloadError as _error:
        mo.stop(True, mo.callout(mo.md(f"**{_error.what}** {_error.remedy}"), kind="warn"))
    return (year,)


@app.cell
def _(athlete, coefficients, mo, year):
    _runs = year.sessions(coefficients.value)
    _whole = _runs["load_efm"].sum() / _runs["stored_efm"].sum() - 1 if _runs["stored_efm"].sum() else 0.0
    _moved = int((_runs["is_heavy"] != _runs["stored_is_heavy"]).sum())
    _kept = int((~_runs["is_reassessed"]).sum())
    mo.vstack(
        [
            mo.md(f"## A year of runs\n{year.first} to {year.last}, {len(_runs)} runs."),
            athlete,
            mo.md(
                f"The whole load changes by **{100 * _whole:+.1f} %**, {_moved} runs are heavy now that were not or the"
                " other way round. Ratios compare a runner with themselves: what lifts every run alike leaves them"
                f" where they are. {f'{_kept} runs have no samples left and keep their load.' if _kept else ''}"
            ),
            year.chart(coefficients.value, width=640),
        ]
    )


@app.cell
def _(mo, year):
    _found = year.sensitivity()
    _found["load_change"] = (100 * _found["load_change"]).round(1)
    mo.vstack(
        [
            mo.md(
                "## One assumption at a time\nEach coefficient lower and higher by a fifth, the others as they are:"
                " change of the year's load in %, the most by which one day's uncoupled ratio moves, and days above the"
                " deload line, then and as stored."
            ),
            mo.ui.table(_found.round(3), selection=None),
        ]
    )


if __name__ == "__main__":
    app.run()
