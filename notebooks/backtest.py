"""The rules against the runner's own tightness: other thresholds, every form, chance, windows.

Run: hamload notebook backtest.
"""

import marimo

app = marimo.App(width="medium", app_title="hamload: back-test")


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
                "# Back-test\nWould the rules have spoken before the hamstrings grew tight? A *flare* is the first day"
                " of tightness of 4 or more out of 10 after a calm week. One runner's few flares prove nothing: read"
                " this as a diary."
            ),
            mo.callout(
                mo.md(f"{home.notice} The tightness in it is drawn by chance around made-up training."), kind="warn"
            )
            if home.notice
            else mo.md(""),
        ]
    )


@app.cell
def _(home, mo):
    _athletes = list(home.athletes()["athlete_id"])
    athlete = mo.ui.dropdown(_athletes, value=_athletes[0], label="Runner")
    _values = home.coefficients().set_index("name")["value"]
    _sliders = {
        "alerts.deload.uncoupled": (1.1, 2.5, 0.05, "Deload, uncoupled"),
        "alerts.deload.ewma": (1.0, 2.2, 0.05, "Deload, EWMA"),
        "alerts.deload.heavy_uncoupled": (1.1, 2.5, 0.05, "Deload, heavy runs uncoupled"),
        "alerts.deload.spike": (1.05, 2.0, 0.05, "Deload, one run's spike"),
        "alerts.caution.ewma": (1.0, 2.0, 0.05, "Caution, EWMA"),
        "alerts.backtest.tightness": (2, 8, 1, "Tightness that is a flare"),
    }
    thresholds = mo.ui.dictionary(
        {
            name: mo.ui.slider(
                min(low, _values[name]), max(high, _values[name]), step, _values[name], label=label, show_value=True
            )
            for name, (low, high, step, label) in _sliders.items()
        }
    )
    return athlete, thresholds


@app.cell
def _(athlete, mo, thresholds):
    mo.vstack(
        [
            mo.md("## Thresholds\nEach begins where this home has it. Nothing here changes the home."),
            athlete,
            mo.hstack(list(thresholds.elements.values()), wrap=True, justify="start", gap=1.5),
        ]
    )


@app.cell
def _(athlete, hamload, home, mo, thresholds):
    try:
        test = home.backtest(athlete.value, thresholds.value)
    except hamload.HamloadError as _error:
        mo.stop(True, mo.callout(mo.md(f"**{_error.what}** {_error.remedy}"), kind="warn"))
    mo.vstack(
        [
            mo.callout(mo.md(" ".join(test.sentences)), kind="info"),
            mo.md(
                "What followed each time a rule began to hold: a flare within two weeks (*hit*), tightness logged and"
                " no flare (*false alarm*), or nothing logged. Lower thresholds speak more often, and so also before"
                " more flares: look at the false alarms beside the hits."
            ),
            test.chart("rules", width=560),
            mo.ui.table(test.rules().round(2), selection=None),
        ]
    )
    return (test,)


@app.cell
def _(mo, test):
    mo.vstack(
        [
            mo.md(
                "## Every form of the ratio\nThe same load in three forms, each with its deload threshold (dotted), and"
                " the days on which tightness flared (upright lines). The coupled form holds the last week on both"
                " sides and can never exceed 4; that alone makes its two halves move together."
            ),
            test.chart("forms", width=640),
        ]
    )


@app.cell
def _(mo, test):
    _nulls = test.nulls()
    mo.vstack(
        [
            mo.md(
                "## Against chance\nThe ratio computed again with the chronic load of other days, drawn at random"
                " (Impellizzeri et al. 2020). The diamond is what the ratio caught, the bar what 90 % of the draws"
                " caught, the tick their median. A diamond within or left of its bar owes nothing to its denominator."
                " Shuffled ratios also fire more often, and who speaks often is often right."
            ),
            test.chart("nulls", width=560)
            if len(_nulls)
            else mo.callout(mo.md("No day has a ratio yet: there is nothing to compare."), kind="info"),
            mo.ui.table(_nulls.round(2), selection=None) if len(_nulls) else mo.md(""),
        ]
    )


@app.cell
def _(mo, test):
    mo.vstack(
        [
            mo.md(
                "## Other windows\n7 and 28 days are a convention. The share of days above the same threshold, in %,"
                " with others (times fired and flares caught where the pointer is). Where neighbours differ much, the"
                " threshold depends on the convention, not on the hamstrings."
            ),
            test.chart("windows"),
        ]
    )


if __name__ == "__main__":
    app.run()
