"use strict";
{
  const told = JSON.parse(document.getElementById("data").textContent);
  const say = (name, values) => told.words[name].replace(/\{(\w+)\}/g, (_, field) => values[field]);
  const rows = told.rows, specs = told.specs, DAY = 86400000, UNKNOWN = 255;
  const options = { actions: false, renderer: "svg", tooltip: true, defaultStyle: false, logLevel: 1, formatLocale: told.locale.number, timeFormatLocale: told.locale.time };
  const views = {};
  const last = rows.whole.length ? rows.whole[1].at : 0;

  // A bar is a day, or where there are too many of them the mean of a week's known days; unknown stays unknown.
  // Weeks begin on the runner's own first day: the first and the last one of a range may be short.
  const weekOf = (at) => Math.floor((at / DAY + 3 - told.first_weekday) / 7);
  const weeks = (days) => {
    const found = [];
    for (let end = days.length, start; end > 0; end = start) {
      start = end - 1;
      while (start > 0 && weekOf(days[start - 1].at) === weekOf(days[end - 1].at)) start -= 1;
      const week = days.slice(start, end), known = week.filter((d) => d.known), last = week[week.length - 1];
      const [from, to] = [week[0], last].map((d) => d.day ?? d.label);
      const some = known.length < week.length ? `, ${say("known", { known: known.length, days: week.length })}` : "";
      const bar = { ...last, at: week[0].at, days: week.length, label: (week.length > 1 ? say("mean_week", { first: from, last: to }) : to) + some };
      for (const part of ["hill", "speed", "long", "base"]) bar[part] = known.length ? known.reduce((s, d) => s + d[part], 0) / known.length : null;
      found.push(bar);
    }
    return found.reverse();
  };
  const within = (name, from) => rows[name].filter((r) => (r.until ?? r.at + DAY) > from).map((r) => r.until ? { ...r, at: Math.max(r.at, from) } : r);
  const chosen = (days) => {
    const from = days ? last - (days - 1) * DAY : -Infinity;
    const inside = within("days", from);
    return {
      load: { days: inside.length > 200 ? weeks(inside) : inside, unknown: within("unknown", from) },
      ratios: { ratios: within("ratios", from), withheld: within("withheld", from), thresholds: rows.thresholds },
      strength: { tightness: within("tightness", from), curls: within("curls", from), whole: [{ at: Math.max(rows.whole[0]?.at ?? from, from) }, { at: last }] },
    };
  };
  const draw = async (place, spec, sets, words) => {
    const box = document.getElementById(place);
    if (!box) return;
    const filled = structuredClone(spec);
    const width = Math.max(200, box.clientWidth - (place === "strength" || place.startsWith("trace") ? 58 : 4));
    for (const part of filled.vconcat ?? [filled]) part.width = width;
    if (!filled.vconcat) filled.autosize = { type: "fit-x", contains: "padding" };
    if (width < 480) {
      // On a phone: legends below one another, and fewer days named.
      filled.config.legend = { ...filled.config.legend, layout: { top: { anchor: "start", direction: "vertical" } }, columnPadding: 10 };
      const fewer = (node) => {
        if (node && typeof node === "object") {
          if (node.type === "temporal" && node.axis) node.axis.tickCount = 3;
          Object.values(node).forEach(fewer);
        }
      };
      fewer(filled);
    }
    filled.datasets = sets;
    filled.description = words;
    views[place]?.finalize();
    views[place] = await window.vegaEmbed(box, filled, options);
    // Each mark on its own would be a stop for a screen reader; the chart is one image with one description.
    const svg = box.querySelector("svg");
    if (svg) {
      svg.querySelectorAll("[role], [aria-roledescription]").forEach((e) => { for (const n of ["role", "aria-roledescription", "aria-label"]) e.removeAttribute(n); });
      svg.setAttribute("role", "img"); svg.setAttribute("aria-label", words); svg.setAttribute("tabindex", "-1");
    }
  };
  const show = async () => {
    const pick = document.querySelector('input[name="range"]:checked');
    if (!pick) return;
    const sets = chosen(Number(pick.value)), words = pick.parentElement.textContent.trim();
    for (const name of ["load", "ratios", "strength"]) await draw(name, specs[name], sets[name], document.getElementById(name)?.dataset.words + ": " + words);
    document.getElementById("charts").dataset.drawn = pick.value;
  };

  const decoded = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const course = (trace) => {
    const [speed, grade, demand] = ["v", "g", "h"].map((name) => decoded(trace[name]));
    return Array.from(speed, (_, i) => ({
      minute: (i + 0.5) * trace.s / 60,
      speed: speed[i] === UNKNOWN ? null : speed[i] * 0.04 * rows.speed_factor,
      grade: grade[i] === UNKNOWN ? null : grade[i] * 0.4 - 50,
      demand: demand[i] === UNKNOWN ? null : demand[i] * 0.05,
    }));
  };
  const toggle = async (button) => {
    const detail = document.getElementById(button.getAttribute("aria-controls"));
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    detail.hidden = isOpen;
    const box = detail.querySelector(".chart");
    if (!isOpen && box) {
      const grades = course(rows.traces[Number(box.dataset.trace)]);
      await draw(box.id, specs.run, { run: grades }, told.words.course);
      box.dataset.drawn = "yes";
    }
  };
  document.querySelectorAll(".open").forEach((b) => b.addEventListener("click", () => toggle(b)));
  document.querySelectorAll('input[name="range"]').forEach((i) => i.addEventListener("change", show));

  const PAGE = 30;
  let shown = PAGE;
  const list = () => {
    const kind = document.querySelector('input[name="kind"]:checked')?.value ?? "all";
    let count = 0, matching = 0;
    document.querySelectorAll("#runs tr.run").forEach((row) => {
      const fits = kind === "all" || row.dataset.kinds.split(" ").includes(kind);
      matching += fits;
      row.hidden = !(fits && count < shown);
      if (!row.hidden) count += 1;
      if (row.hidden && !row.nextElementSibling.hidden) row.querySelector(".open")?.click();
    });
    const more = document.getElementById("more");
    if (more) more.hidden = count >= matching;
    document.getElementById("count").textContent = say("shown", { shown: count, all: matching });
  };
  document.querySelectorAll('input[name="kind"]').forEach((i) => i.addEventListener("change", () => { shown = PAGE; list(); }));
  document.getElementById("more")?.addEventListener("click", () => { shown += 200; list(); });
  document.querySelectorAll(".spells-more").forEach((b) => b.addEventListener("click", () => { document.querySelectorAll("details.spell[hidden]").forEach((d) => { d.hidden = false; }); b.hidden = true; }));
  if (document.getElementById("count")) list();

  let waiting;
  let wide = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === wide) return;
    wide = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      await show();
      for (const box of document.querySelectorAll(".detail:not([hidden]) .chart")) await draw(box.id, specs.run, { run: course(rows.traces[Number(box.dataset.trace)]) }, told.words.course);
    }, 150);
  });
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  show();
}
