// Steps through a run that was laid out beforehand: looks up what held at a step, and draws it. Decides nothing about runs.
// One file for the widget (the default export) and for the page that stands alone (mount).

const NS = "http://www.w3.org/2000/svg";
const PLAY_MS = 700, MOST_ROWS = 12, MOST_ENTRIES = 14, FEW_ENTRIES = 5, MOST_READERS = 4, MOST_LANES = 24, SHOWN = 10;
let views = 0;

function make(tag, attributes = {}, ...children) {
  const svg = tag.startsWith("svg:");
  const node = svg ? document.createElementNS(NS, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "html") node.innerHTML = value; // only ever the looks, never what a history says
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// The last place whose step is not after this one, or -1.
function place(steps, step) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function at([steps, values], step) {
  const found = place(steps, step);
  return found < 0 ? null : values[found];
}

function began([steps], step) {
  const found = place(steps, step);
  return found < 0 ? -1 : steps[found];
}

export function mount(root, looks, host) {
  const view = views++ ? `-${views}` : "";
  const id = (name) => `coagent-${name}${view}`;
  const state = { step: 0, even: true, playing: null, picked: [], all: false, entries: false, scene: null, still: false, said: "" };
  const parts = {};

  root.classList.add("coagent-stepper");
  root.id = id("stepper");
  root.tabIndex = 0;
  root.setAttribute("role", "application");
  root.setAttribute("aria-label", "Steps through a recorded run; press ? for the keys");
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  const keyed = (event) => onkey(event);
  root.addEventListener("keydown", keyed);

  const last = () => Math.max(state.scene.at.length - 1, 0);
  const rank = (lane) => `var(--coagent-rank-${(lane % looks.ranks) + 1})`;

  function build() {
    root.replaceChildren();
    const scene = state.scene;
    if (scene.problem) {
      root.append(make("p", { class: "coagent-problem", id: id("problem"), role: "alert" }, scene.problem));
      return;
    }
    const button = (name, label, key, act) =>
      make("button", { type: "button", id: id(name), "aria-label": label, title: label, onclick: act }, ...[
        { first: "|◀", back: "◀", forth: "▶", last: "▶|", play: "Play", notice: "Next notice", undo: "Next undo",
          verdict: "Verdict", spacing: "By seconds" }[name], key ? make("kbd", { "aria-hidden": "true" }, key) : null]);
    parts.slider = make("input", { type: "range", id: id("slider"), min: 0, max: last(), value: state.step,
      "aria-label": "Step", oninput: (event) => go(Number(event.target.value)) });
    parts.play = button("play", "Play or pause", "space", play);
    parts.spacing = button("spacing", "Space the time line by seconds instead of evenly", "t", spacing);
    parts.now = make("div", { class: "coagent-now", id: id("status"), role: "status", "aria-live": "polite" });
    parts.line = make("div", { class: "coagent-line", id: id("timeline") });
    parts.other = make("div", { class: "coagent-line", id: id("timeline-other") });
    for (const name of ["objects", "agents", "choices", "compare", "verdict"]) {
      parts[name] = make("section", { class: "coagent-part", id: id(name), "aria-label": name });
    }
    root.append(
      make("h2", { id: id("title") }, scene.title),
      make("p", { class: "coagent-sub" }, scene.subtitle),
      scene.aggregated ? make("p", { class: "coagent-warn", id: id("aggregated"), role: "note" }, scene.aggregated) : "",
      make("div", { class: "coagent-bar", role: "toolbar", "aria-label": "Stepping" },
        button("first", "First step", "Home", () => go(0)), button("back", "One step back", "←", () => go(state.step - 1)),
        parts.play, button("forth", "One step forward", "→", () => go(state.step + 1)),
        button("last", "Last step", "End", () => go(last())), parts.slider,
        button("notice", "Next notice (shift: the one before)", "n", () => jump("notice", 1)),
        button("undo", "Next undo or redo (shift: the one before)", "u", () => jump("undo", 1)),
        button("verdict-key", "Go to the verdict", "v", verdict), parts.spacing),
      parts.now, parts.line, parts.other, legend(), parts.objects, parts.agents, parts.choices, parts.compare, parts.verdict);
    root.querySelector(`#${id("verdict-key")}`).prepend("Verdict");
    drawVerdict();
    drawCompare();
    draw();
  }

  // stepping

  function go(step, quiet = false) {
    const scene = state.scene;
    if (scene.problem) return;
    const next = Math.min(Math.max(Math.round(step) || 0, 0), last());
    if (next === state.step && quiet) return;
    state.step = next;
    draw();
    if (!quiet && host && host.stepped) host.stepped(state.step);
  }

  function jump(kind, way) {
    const steps = state.scene.jumps[kind];
    const next = way > 0 ? steps.find((one) => one > state.step) : steps.findLast((one) => one < state.step);
    if (next !== undefined) { state.said = ""; go(next); return; }
    const what = kind === "notice" ? "notice" : "undo or redo";
    state.said = steps.length ? `No ${what} ${way > 0 ? "after" : "before"} this step.` : `This run has no ${what}.`;
    draw();
    state.said = "";
  }

  function play() {
    if (state.playing) { clearInterval(state.playing); state.playing = null; }
    else {
      if (state.step >= last()) go(0);
      state.playing = setInterval(() => {
        if (!root.isConnected || state.step >= last()) { clearInterval(state.playing); state.playing = null; draw(); return; }
        go(state.step + 1);
      }, PLAY_MS);
    }
    draw();
  }

  function spacing() { state.even = !state.even; draw(); }

  function verdict() {
    if (!state.scene.verdict && host && host.send) host.send({ do: "verdict" });
    parts.verdict.scrollIntoView({ block: "nearest" });
    const first = parts.verdict.querySelector(".coagent-witness") || parts.verdict;
    first.setAttribute("tabindex", "0");
    first.focus();
  }

  function onkey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || state.scene.problem) return;
    const tag = event.target.tagName;
    const typing = tag === "TEXTAREA" || (tag === "INPUT" && event.target.type === "text");
    if (typing) { event.stopPropagation(); return; }
    const keys = {
      ArrowRight: () => go(state.step + 1), ArrowLeft: () => go(state.step - 1), Home: () => go(0), End: () => go(last()),
      PageDown: () => go(state.step + 10), PageUp: () => go(state.step - 10),
      n: () => jump("notice", 1), N: () => jump("notice", -1), p: () => jump("notice", -1),
      u: () => jump("undo", 1), U: () => jump("undo", -1), v: verdict, t: spacing, "?": help,
      Escape: () => { state.picked = []; draw(); },
    };
    const button = tag === "BUTTON" || event.target.classList.contains("coagent-edge");
    if (event.key === " " && !button) keys[" "] = play;
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  function help() {
    state.said = "Keys: ← → a step, PageUp PageDown ten, Home End, n p next and previous notice, u next undo, " +
      "v verdict, t spacing, space play, Escape lets go of what is picked.";
    draw();
    state.said = "";
  }

  // drawing

  function draw() {
    const scene = state.scene;
    if (!scene || scene.problem) return;
    const count = scene.at.length;
    parts.slider.max = last();
    parts.slider.value = state.step;
    parts.slider.setAttribute("aria-valuetext", `step ${state.step + 1} of ${count}`);
    parts.play.firstChild.textContent = state.playing ? "Pause" : "Play";
    parts.spacing.setAttribute("aria-pressed", String(!state.even));
    parts.now.replaceChildren(...(count
      ? [make("b", {}, `Step ${state.step + 1} of ${count.toLocaleString("en")}, ${scene.at[state.step].toFixed(1)} s: `), scene.texts[state.step]]
      : ["Nothing has happened in this run yet."]), ...(state.said ? [make("div", { class: "coagent-muted" }, state.said)] : []));
    parts.now.dataset.step = state.step;
    drawLine(parts.line, scene, state.step, "");
    if (scene.other) drawLine(parts.other, scene.other, Math.min(state.step, scene.other.at.length - 1), scene.other.title);
    else parts.other.replaceChildren();
    drawObjects();
    drawAgents();
    drawChoices();
  }

  function drawLine(box, scene, step, name) {
    const count = scene.at.length;
    if (!count) { box.replaceChildren(); return; }
    const lanes = Math.min(scene.agents.length, MOST_LANES), left = looks.left, top = name ? 44 : 24;
    const lane = lanes > 6 ? looks.lane - 12 : looks.lane;
    const wide = Math.max(Math.round(root.clientWidth || 1240) - 38, 640);
    const room = Math.max(Math.floor((wide - left - 24) / 22), 10);
    const shown = Math.min(count, room);
    const from = count <= room ? 0 : Math.min(Math.max(step - Math.floor(room / 2), 0), count - room);
    const until = from + shown, column = Math.min((wide - left - 24) / shown, 46);
    const begin = scene.at[from], span = Math.max(scene.at[until - 1] - begin, 1e-9);
    const inside = (one) => Math.min(Math.max(one, from - 0.5), until - 0.5);
    const x = (one, time) => state.even ? left + (inside(one) - from + 0.5) * column
      : left + 8 + (wide - left - 40) * Math.min(Math.max((time - begin) / span, 0), 1);
    const y = (place) => top + (place + 0.5) * lane;
    const bottom = y(lanes - 1) + 30, height = bottom + (count > room ? 48 : 24);
    const svg = make("svg:svg", { viewBox: `0 0 ${wide} ${height}`, role: "img",
      "aria-label": `Time line${name ? " of the other run" : ""}, ${lanes} lanes, step ${step + 1} of ${count}` });
    svg.append(make("svg:defs", { html: looks.defs }));
    if (name) svg.append(text(left, 18, name, "var(--coagent-muted)", { "font-size": 12 }));
    const now = x(step, scene.at[step]);
    svg.append(make("svg:rect", { x: now - Math.min(column, 30) / 2, y: top - 18, width: Math.min(column, 30), height: bottom - top + 18,
      fill: "var(--coagent-marked)", rx: 3 }));
    for (let place = 0; place < lanes; place++) {
      const agent = scene.agents[place];
      svg.append(make("svg:line", { x1: left, x2: wide - 16, y1: y(place), y2: y(place), stroke: "var(--coagent-line)" }),
        text(left - 14, y(place) - 1, cut(agent, 12), rank(place), { "text-anchor": "end", "font-weight": 600 }),
        text(left - 14, y(place) + 13, `rank ${place + 1}`, "var(--coagent-muted)", { "text-anchor": "end", "font-size": 10 }));
    }
    const dim = (first) => (first > step ? "coagent-future" : null);
    for (const [place, kind, first, end, t0, t1] of within(scene.stretches, from, until, 2, 3)) {
      if (place < lanes) svg.append(stretch(kind, place, x(first, t0), x(end, t1), y(place), dim(first)));
    }
    for (const [source, target, one, time] of within(scene.arrows, from, until, 2, 2)) {
      if (Math.max(source, target) >= lanes) continue;
      const down = target >= source, [a, b] = source === target ? [y(target) - 26, y(target) - 11]
        : down ? [y(source) + 10, y(target) - 11] : [y(source) - 10, y(target) + 11];
      svg.append(make("svg:line", { class: `coagent-arrow ${dim(one) || ""}`, x1: x(one, time), x2: x(one, time), y1: a, y2: b,
        stroke: "var(--coagent-notice)", "stroke-width": one === step ? 3 : 1.8, "marker-end": "url(#coagent-notice-head)" }));
    }
    const right = {};
    for (const [place, kind, one, time, op] of within(scene.marks, from, until, 2, 2)) {
      if (place >= lanes) continue;
      const picked = !name && state.picked.includes(op), where = x(one, time);
      if (picked) svg.append(make("svg:circle", { class: "coagent-picked", cx: where, cy: y(place), r: 13, fill: "none",
        stroke: "var(--coagent-rank-1)", "stroke-width": 3, "stroke-dasharray": "4 2", "data-op": op }));
      svg.append(mark(kind, place, where, y(place), dim(one)));
      if (["read", "write", "repair"].includes(kind) && (state.even ? column >= 20 || picked : where - (right[place] ?? -99) > 6)) {
        svg.append(text(where, y(place) - 13, brief(op), "var(--coagent-ink)", { "text-anchor": "middle", "font-size": 10, class: dim(one),
          "font-weight": picked ? 700 : 400 }));
        right[place] = where + 7 * brief(op).length;
      }
    }
    svg.append(make("svg:line", { x1: left, x2: wide - 16, y1: bottom, y2: bottom, stroke: "var(--coagent-faint)" }),
      text(left - 14, bottom + 15, "seconds", "var(--coagent-muted)", { "text-anchor": "end", "font-size": 10 }));
    let said = "", free = -99;
    for (let one = from; one < until; one++) {
      const time = scene.at[one].toFixed(1), where = x(one, scene.at[one]);
      if (time === said || where < free) continue;
      svg.append(make("svg:line", { x1: where, x2: where, y1: bottom, y2: bottom + 4, stroke: "var(--coagent-faint)" }),
        text(where, bottom + 15, time, "var(--coagent-muted)", { "text-anchor": "middle", "font-size": 10 }));
      said = time;
      free = where + 12 + 6.2 * time.length;
    }
    if (count > room) overview(svg, scene, step, from, until, left, bottom + 26, wide - left - 16);
    if (scene.parts !== undefined && scene.parts >= from && scene.parts < until) {
      const where = x(scene.parts, scene.at[scene.parts]) - column / 2;
      svg.append(make("svg:line", { x1: where, x2: where, y1: top - 14, y2: bottom, stroke: "var(--coagent-doubt)", "stroke-width": 2, "stroke-dasharray": "3 3" }),
        text(where + 5, top - 6, "the runs part", "var(--coagent-doubt)", { "font-size": 11 }));
    }
    const hit = make("svg:rect", { class: "coagent-hit", x: left, y: top - 18, width: wide - left - 16, height: bottom - top + 18, fill: "transparent" });
    hit.addEventListener("click", (event) => {
      const place = (event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width * wide;
      let best = from;
      for (let one = from; one < until; one++) if (Math.abs(x(one, scene.at[one]) - place) < Math.abs(x(best, scene.at[best]) - place)) best = one;
      go(best);
    });
    svg.append(hit);
    box.replaceChildren(svg);
  }

  function overview(svg, scene, step, from, until, left, y, width) {
    const count = scene.at.length, x = (one) => left + width * one / Math.max(count - 1, 1);
    const bins = new Float64Array(120);
    for (const one of scene.marks) bins[Math.min(119, Math.floor(120 * one[2] / count))]++;
    const most = Math.max(...bins, 1);
    bins.forEach((value, bin) => value && svg.append(make("svg:rect", { x: left + width * bin / 120, width: width / 120 - 0.5,
      y: y + 16 - 14 * value / most, height: 14 * value / most, fill: "var(--coagent-faint)", opacity: 0.7 })));
    for (const one of scene.jumps ? scene.jumps.notice.slice(0, 400) : []) {
      svg.append(make("svg:line", { x1: x(one), x2: x(one), y1: y - 1, y2: y + 3, stroke: "var(--coagent-notice)" }));
    }
    svg.append(make("svg:rect", { x: x(from), y: y - 1, width: Math.max(x(until - 1) - x(from), 4), height: 18, fill: "none",
      stroke: "var(--coagent-rank-1)", "stroke-width": 2, rx: 2 }),
      text(left - 14, y + 12, "whole run", "var(--coagent-muted)", { "text-anchor": "end", "font-size": 10 }));
    const hit = make("svg:rect", { class: "coagent-hit", x: left, y: y - 2, width, height: 20, fill: "transparent" });
    hit.addEventListener("click", (event) => {
      const box = hit.getBoundingClientRect();
      go((event.clientX - box.left) / box.width * (count - 1));
    });
    svg.append(hit);
  }

  // Entries that begin before `until` and end at or after `from`; they are sorted by their beginning.
  function within(list, from, until, begin, end) {
    return list.filter((one) => one[begin] < until && one[end] >= from);
  }

  function text(x, y, words, fill, more = {}) {
    return make("svg:text", { x, y, fill, "font-size": 12, ...more }, words);
  }

  function stretch(kind, place, left, right, y, style) {
    const [above, height] = looks.stretches[kind], width = Math.max(right - left, 3);
    const box = { x: left, y: y + above, width, height, class: style };
    const plain = make("svg:rect", { ...box, rx: 4, fill: rank(place), "fill-opacity": 0.2 });
    if (kind === "inference") return plain;
    if (kind === "tool") return make("svg:rect", { ...box, fill: rank(place) });
    const edge = kind === "parked" ? "var(--coagent-faint)" : "var(--coagent-notice)";
    const over = make("svg:rect", { ...box, rx: kind === "judging" ? 4 : 0, fill: `url(#coagent-${kind})`, stroke: edge });
    return kind === "judging" ? make("svg:g", {}, plain, over) : over;
  }

  function mark(kind, place, x, y, style) {
    const [path, filled] = looks.glyphs[kind];
    const colour = looks.fixed[kind] ? `var(--coagent-${looks.fixed[kind]})` : rank(place);
    return make("svg:path", { d: path, class: style, transform: `translate(${x} ${y + (looks.raised[kind] || 0)})`,
      fill: filled ? colour : path.endsWith("Z") ? "var(--coagent-paper)" : "none", stroke: colour, "stroke-width": 1.5, "stroke-linejoin": "round" });
  }

  function sign(kind, place, style) {
    const svg = make("svg:svg", { width: 20, height: 20, viewBox: "-10 -10 20 20", "aria-hidden": "true", class: style });
    if (kind === "notice") svg.append(make("svg:line", { x1: 0, x2: 0, y1: -8, y2: 8, stroke: "var(--coagent-notice)", "stroke-width": 1.8, "marker-end": "url(#coagent-notice-head)" }));
    else if (looks.stretches[kind]) svg.append(stretch(kind, place, -9, 9, -looks.stretches[kind][0] - looks.stretches[kind][1] / 2));
    else svg.append(mark(kind, place, 0, -(looks.raised[kind] || 0)));
    return svg;
  }

  function legend() {
    const scene = state.scene, kinds = new Set([...scene.stretches, ...scene.marks].map((one) => one[1]));
    if (scene.arrows.length) kinds.add("notice");
    return make("div", { class: "coagent-legend", "aria-label": "Legend" },
      Object.keys(looks.words).filter((kind) => kinds.has(kind)).map((kind) => make("span", {}, sign(kind, 0), looks.words[kind])));
  }

  // Without the agent where the name is long: the lane says whose it is.
  function brief(op) { return op.length <= 5 ? op : "." + op.split(".").pop(); }

  function cut(words, most) { return words.length <= most ? words : words.slice(0, most - 1) + "…"; }

  // objects

  function drawObjects() {
    const scene = state.scene;
    const held = scene.objects.filter((one) => one[1] <= state.step && written(one));
    const still = scene.objects.filter((one) => one[1] <= state.step && !written(one));
    const ordered = held.length > MOST_ROWS && !state.all
      ? held.map((one) => [lastEvent(one, state.step), one]).sort((a, b) => b[0] - a[0]).map(([, one]) => one) : held;
    const chosen = (state.all ? ordered : ordered.slice(0, MOST_ROWS)).slice();
    chosen.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const rows = chosen.map((one) => [one[0], card(one, state.step), lastEvent(one, state.step), folded(one, state.step - 1)]);
    const prefix = common(scene.objects.map(([path]) => path));
    const readers = scene.agents.slice(0, MOST_READERS);
    const head = make("tr", {}, ["object", "now", "serial order, T(o)", "as applied"].map((one) => make("th", { scope: "col" }, one)),
      readers.map((one, place) => make("th", { scope: "col", style: `color:${rank(place)}` }, `${cut(one, 12)} would read`)));
    const body = rows.map(([path, card, since, earlier]) => {
      const changed = since === state.step && (earlier.value !== card.value || earlier.writer !== card.writer);
      return make("tr", { class: changed ? "coagent-changed" : null, "data-path": path },
        make("td", { class: `coagent-mono${path.length - prefix.length > 42 ? "" : " coagent-whole"}` }, path.slice(prefix.length), changed ? make("span", { class: "coagent-tag", style: "margin-left:6px" }, "changed") : null),
        make("td", { class: "coagent-mono coagent-cell" }, cellText(card.value), by(card.writer)),
        make("td", {}, orderList(card.trajectory, card.earlier, ([op, value, how]) => [`${op} `, mono(value, 26), how === "in place" ? null : tag(how)])),
        make("td", {}, orderList(card.physical, card.before, ([act, op, value]) => [`${op} `, make("span", { class: "coagent-muted" }, act), " ", mono(value, 26)])),
        readers.map((agent) => readCell(card, agent)));
    });
    const more = ordered.length - rows.length;
    parts.objects.replaceChildren(
      make("h3", {}, "Objects"),
      make("p", { class: "coagent-sub" }, [prefix ? `under ${prefix}` : "", scene.filtered ? "reads are filtered by rank: what the serial order shows there" : "reads are of what is there",
        scene.untouched ? `${scene.untouched.toLocaleString("en")} more cells that nobody touches` : ""].filter(Boolean).join("; ")),
      rows.length ? make("div", { class: "coagent-wide", tabindex: rows.length > 12 ? 0 : null }, make("table", { id: id("objects-table") }, make("thead", {}, head), make("tbody", {}, body)))
        : make("p", { class: "coagent-muted" }, "Nothing that is written in this run has been touched yet."),
      still.length ? make("details", { open: state.still, ontoggle: (event) => { state.still = event.target.open; } },
        make("summary", {}, `${still.length} read so far that nobody writes in this run`),
        make("div", { class: "coagent-still" }, still.slice(0, 200).map(([path, , start]) => make("span", { class: "coagent-mono" }, path.slice(prefix.length), " = ", cellText(start))))) : "",
      more > 0 || state.all ? make("button", { type: "button", onclick: () => { state.all = !state.all; draw(); } }, state.all ? "Show fewer" : `Show ${more} more`) : "",
      scene.agents.length > MOST_READERS ? make("p", { class: "coagent-muted" }, `What the first ${MOST_READERS} of ${scene.agents.length} agents would read.`) : "");
  }

  // Whether anything writes the object in this run.
  function written([, , , events]) { return events.length ? 1 : 0; }

  function happened(events, step) {
    let low = 0, high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle][0] <= step) low = middle + 1; else high = middle;
    }
    return low;
  }

  function lastEvent([, , , events], step) {
    const count = happened(events, step);
    return count ? events[count - 1][0] : -1;
  }

  // What `coagent.notebook.object_card` does, with the same events; a test holds the two together at every step.
  function folded([, , start, events], step) {
    const found = { value: start, writer: null, trajectory: new Map(), physical: [] }, gone = new Set();
    for (const [, act, op, after, by] of events.slice(0, happened(events, step))) {
      if (act === "gone" || act === "left") {
        found.trajectory.delete(op);
        if (act === "gone") gone.add(op);
        continue;
      }
      if (act === "forked") continue;
      if (act === "undone") {
        [found.value, found.writer] = [after, by];
        if (found.trajectory.has(op)) found.trajectory.set(op, [found.trajectory.get(op)[0], "undone for now"]);
      } else if (act !== "taken out") {
        if (act !== "masked") [found.value, found.writer] = [after, by];
        if (!gone.has(op)) found.trajectory.set(op, [after, act === "masked" ? "masked" : "in place"]);
      }
      found.physical.push([act, op, after]);
    }
    return found;
  }

  function card(line, step) {
    const order = state.scene.order, found = folded(line, step);
    const serial = [...found.trajectory].map(([op, how]) => [op, ...how]).sort((a, b) => order.serial[a[0]] - order.serial[b[0]]);
    const reads = {};
    for (const agent of Object.keys(order.bounds)) {
      const fork = (order.forked[agent] || []).find(([from, until]) => from <= step && (until === null || step < until));
      if (fork) {
        const own = line[3].slice(0, happened(line[3], step)).filter((one) => one[1] === "forked" && order.owner[one[2]] === agent && one[0] >= fork[0]).pop();
        const base = own ? null : folded(line, fork[0]);
        reads[agent] = own ? [own[3], own[4]] : [base.value, base.writer];
      } else if (order.bounds[agent] === null) reads[agent] = [found.value, found.writer];
      else {
        const below = serial.filter(([op]) => order.serial[op] < order.bounds[agent]).pop();
        reads[agent] = below ? [below[1], below[0]] : [line[2], null];
      }
    }
    return { value: found.value, writer: found.writer, trajectory: serial.slice(-SHOWN), earlier: Math.max(serial.length - SHOWN, 0),
      physical: found.physical.slice(-SHOWN), before: Math.max(found.physical.length - SHOWN, 0), reads };
  }

  function cellText(value) { return value === null ? make("span", { class: "coagent-muted" }, "absent") : value; }
  function mono(value, most = 200) {
    return make("span", { class: "coagent-mono", title: value && value.length > most ? value : null }, value === null ? cellText(value) : cut(value, most));
  }
  function by(writer) { return writer ? make("span", { class: "coagent-muted" }, ` by ${writer}`) : null; }
  function tag(words, tone = "coagent-muted") { return make("span", { class: `coagent-tag ${tone}`, style: "margin-left:5px" }, words); }

  function orderList(list, earlier, words) {
    if (!list.length) return make("span", { class: "coagent-muted" }, "none");
    return [earlier ? make("div", { class: "coagent-muted" }, `${earlier} before`) : "", ...list.map((one) => make("div", {}, words(one)))];
  }

  function readCell(card, agent) {
    const [value, writer] = card.reads[agent], differs = value !== card.value;
    return make("td", { class: "coagent-mono coagent-cell" }, cellText(value), by(writer), differs ? tag("≠ now", "coagent-bad") : null);
  }

  function common(paths) {
    if (paths.length < 2) return "";
    let prefix = paths[0].slice(0, paths[0].lastIndexOf("/") + 1);
    while (prefix && !paths.every((one) => one.startsWith(prefix))) prefix = prefix.slice(0, prefix.slice(0, -1).lastIndexOf("/") + 1);
    return prefix;
  }

  // agents

  function drawAgents() {
    const scene = state.scene;
    const most = scene.agents.length > 4 ? FEW_ENTRIES : MOST_ENTRIES;
    const columns = (scene.aggregated ? [] : scene.agents).slice(0, MOST_LANES).map((agent, place) => {
      const status = at(scene.status[agent] || [[], []], state.step) || { mode: "not launched", attempt: 1, pending: [] };
      const lines = scene.contexts[agent] || [], entries = lines.slice(0, known(lines, state.step));
      const shown = (state.entries ? entries : entries.slice(-most)).map((line) => [at(line, state.step), began(line, state.step)]);
      return make("div", { class: "coagent-agent", style: `border-color:${rank(place)}`, "data-agent": agent },
        make("div", {}, make("b", { style: `color:${rank(place)}` }, agent), ` ${status.mode}`, status.attempt > 1 ? `, attempt ${status.attempt}` : "",
          status.pending.length ? tag(`notice pending: ${status.pending.join(", ")}`, "coagent-bad") : null),
        make("ol", {}, shown.length < entries.length ? make("li", { class: "coagent-muted" }, make("span", {}), make("span", {}, `${entries.length - shown.length} before`)) : "",
          shown.map(([card, since]) => entry(card, since, place))));
    });
    const many = scene.agents.some((agent) => (scene.contexts[agent] || []).length > most);
    // So many are not laid out while they are off the screen.
    parts.agents.classList.toggle("coagent-many", scene.agents.length > 4);
    parts.agents.replaceChildren(make("h3", {}, "What each agent has in its context"),
      Object.keys(scene.contexts).length || !scene.aggregated ? "" : make("p", { class: "coagent-muted" }, "Contexts are left out of an aggregated run."),
      make("div", { class: "coagent-agents" }, columns),
      many ? make("button", { type: "button", onclick: () => { state.entries = !state.entries; draw(); } }, state.entries ? "Show the newest only" : "Show all entries") : "");
  }

  // How many entries of a context there are at a step; they are in the order in which they came.
  function known(lines, step) {
    let low = 0, high = lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle][0][0] <= step) low = middle + 1; else high = middle;
    }
    return low;
  }

  function entry(card, since, place) {
    const stale = card.stale && card.stale.length && !card.fate;
    const kinds = { judge: card.state === "keep" ? "keep" : "revise", notice: "consume" };
    const kind = card.replaces ? "repair" : kinds[card.kind] || card.kind;
    const told = card.told !== undefined ? [" → ", mono(card.told)] : [];
    return make("li", { class: [since === state.step ? "coagent-new" : "", stale ? "coagent-stale" : "", card.fate ? "coagent-gone" : ""].join(" "), "data-op": card.op },
      looks.glyphs[kind] || looks.stretches[kind] ? sign(kind, place) : make("span", {}),
      make("div", {}, card.op && card.kind !== "notice" ? make("b", {}, `${card.op} `) : null,
        make("span", { class: "coagent-what" }, (card.kind === "notice" ? "notice: " : card.kind === "held" ? "held back: " : card.kind === "parked" ? "waits with " : "") + card.text, ...told),
        card.note ? make("span", { class: "coagent-muted" }, ` (${card.note})`) : null,
        card.was ? make("span", { class: "coagent-muted" }, ` (was ${card.was})`) : null,
        card.because ? make("span", { class: "coagent-muted" }, ` because of ${card.because}`) : null,
        stale ? tag(card.news !== undefined ? "stale: notice sent" : "stale premise", "coagent-bad") : null,
        card.fate ? tag(card.fate) : null,
        card.kind === "notice" || card.kind === "parked" ? (card.state ? tag(card.state, card.state === "pending" ? "coagent-bad" : "coagent-muted") : null) : null));
  }

  // choices, forks and comparison

  function drawChoices() {
    const scene = state.scene, open = scene.choices;
    if (!open) { parts.choices.hidden = true; return; }
    parts.choices.hidden = false;
    const can = Boolean(host && host.send);
    const taken = place(open.at, state.step);
    if (taken < 0) {
      parts.choices.replaceChildren(make("h3", {}, "What may happen next"), make("p", { class: "coagent-muted" }, "What was open here is not known; it is where the run stands now."));
      return;
    }
    const here = open.open[taken] || [], chosen = open.schedule[taken];
    const written = open.schedule.join(",");
    parts.choices.replaceChildren(make("h3", {}, `What may happen next, after ${taken} choice${taken === 1 ? "" : "s"}`),
      make("p", { class: "coagent-sub" }, can ? "Taking another choice than the one taken here forks the run; the run so far stays beside it for comparison."
        : "Open the run in a notebook to take another choice."),
      here.length ? make("div", { class: "coagent-choices" }, here.map((words, place) => make("button", { type: "button", id: id(`choice-${place}`), disabled: !can,
        class: place === chosen ? "coagent-taken" : null, "aria-pressed": String(place === chosen), onclick: () => host.send({ do: "take", after: taken, choice: place }) },
        `${place}: ${words}${place === chosen ? " ✓ taken" : ""}`))) : make("p", { class: "coagent-muted" }, "Nothing: the run is over."),
      make("div", { class: "coagent-field" }, make("label", { for: id("schedule") }, "Schedule"),
        make("input", { type: "text", id: id("schedule"), value: written, readonly: !can, "aria-label": "The schedule, choice indexes with commas",
          onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); host.send({ do: "follow", schedule: event.target.value }); } } }),
        can ? [make("button", { type: "button", id: id("follow"), onclick: () => host.send({ do: "follow", schedule: root.querySelector(`#${id("schedule")}`).value }) }, "Run this schedule"),
          make("button", { type: "button", id: id("finish"), onclick: () => host.send({ do: "finish", after: taken }) }, "First choices to the end from here"),
          scene.other ? make("button", { type: "button", id: id("alone"), onclick: () => host.send({ do: "alone" }) }, "Put the other run away") : ""] : ""),
      make("p", { class: "coagent-bad", id: id("refused"), role: "alert" }, scene.refused || ""));
  }

  function drawCompare() {
    const compare = state.scene.compare;
    parts.compare.hidden = !compare;
    if (!compare) { parts.compare.replaceChildren(); return; }
    const row = ([what, here, there]) => {
      const same = here === there;
      return make("tr", { class: same ? null : "coagent-changed" }, make("td", {}, what, same ? null : tag("differs", "coagent-doubt")),
        make("td", { class: "coagent-mono" }, here ?? "absent"), make("td", { class: "coagent-mono" }, there ?? "absent"));
    };
    parts.compare.replaceChildren(make("h3", {}, "Side by side"),
      make("div", { class: "coagent-wide" }, make("table", { id: id("compare-table") },
        make("thead", {}, make("tr", {}, ["at the end", compare.here, compare.there].map((one) => make("th", { scope: "col" }, one)))),
        make("tbody", {}, compare.rows.map(row)))));
  }

  // verdict

  function drawVerdict() {
    const judged = state.scene.verdict;
    if (!judged) {
      parts.verdict.replaceChildren(make("h3", {}, "Verdict"), make("p", { class: "coagent-muted" },
        host && host.send ? "Not judged yet; press v." : "This run was not judged."));
      return;
    }
    const tone = { ok: "coagent-good", violated: "coagent-bad" }[judged.verdict] || "coagent-doubt";
    const sign = { ok: "✓ ", violated: "✗ " }[judged.verdict] || "? ";
    const says = make("div", { class: "coagent-says", id: id("edge-says"), "aria-live": "polite" },
      judged.edges.length ? "Point at an edge, or go there with Tab: it says why. Enter shows its two operations on the time line." : "No edges: nobody must come before anybody.");
    const svg = make("svg:svg", { width: Math.max(judged.width, 240), height: judged.height, viewBox: `0 0 ${Math.max(judged.width, 240)} ${judged.height}`,
      role: "group", "aria-label": "Precedence graph" });
    svg.append(make("svg:defs", { html: looks.defs }));
    judged.edges.forEach((edge, place) => svg.append(drawEdge(edge, place, says)));
    judged.nodes.forEach(([name, x], place) => svg.append(
      make("svg:rect", { x: x - judged.half, y: judged.line - 16, width: 2 * judged.half, height: 32, rx: 16, fill: "var(--coagent-paper)",
        stroke: rank(place), "stroke-width": 2 }),
      text(x, judged.line + 4, cut(name, 14), rank(place), { "text-anchor": "middle", "font-weight": 600, "font-size": 11 })));
    parts.verdict.replaceChildren(make("h3", {}, "Verdict"),
      ...judged.sentences.map((one, place) => make("p", { class: place ? null : tone, id: place ? null : id("verdict-says") }, (place ? "" : sign) + one)),
      judged.nodes.length ? make("div", { class: "coagent-graph" }, svg) : "", judged.nodes.length ? says : "",
      judged.left_out ? make("p", { class: "coagent-muted" }, `${judged.left_out} more kinds of edges between two are left out.`) : "",
      judged.nodes.length ? make("p", { class: "coagent-muted" }, "Forward edges above the line, backward ones below. ww solid, wr dotted, rw dashed; the witness is thick, on a coloured ground.") : "");
  }

  function drawEdge(edge, place, says) {
    const known = looks.dashes[edge.kind] !== undefined, colour = known ? `var(--coagent-edge-${edge.kind})` : "var(--coagent-faint)";
    const tell = () => says.replaceChildren(make("b", {}, `${edge.kind}: `), edge.says, edge.witness ? tag("in the witness", "coagent-bad") : "");
    const pick = () => {
      state.picked = edge.ops.filter(Boolean);
      const where = state.picked.map((op) => state.scene.ops[op]).filter(Boolean).map((one) => one[2]);
      tell();
      if (where.length) go(Math.max(...where)); else draw();
    };
    const group = make("svg:g", { class: `coagent-edge${edge.witness ? " coagent-witness" : ""}`, id: id(`edge-${place}`), tabindex: 0, role: "button",
      "aria-label": `${edge.kind} edge${edge.witness ? ", in the witness" : ""}: ${edge.says}`, onmouseenter: tell, onfocus: tell, onclick: pick,
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); pick(); } } });
    group.append(make("svg:path", { class: "coagent-ring", d: edge.arc, fill: "none", stroke: edge.witness ? "var(--coagent-marked)" : "transparent", "stroke-width": 13 }),
      make("svg:path", { d: edge.arc, fill: "none", stroke: colour, "stroke-width": edge.witness ? 3 : 1.4, "stroke-dasharray": looks.dashes[edge.kind] || null,
        "marker-end": known ? `url(#coagent-${edge.kind}-head)` : null }),
      text(edge.x, edge.y, edge.label, colour, { "text-anchor": "middle", "font-size": 10, "font-weight": edge.witness ? 700 : 400,
        stroke: "var(--coagent-panel)", "stroke-width": 4, "paint-order": "stroke" }));
    return group;
  }

  let drawn = 0;
  const sized = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - drawn) > 8 && state.scene && !state.scene.problem) { drawn = root.clientWidth; draw(); }
  });
  sized.observe(root);

  return {
    show(scene, step) {
      const atEnd = state.scene && state.scene.at && state.step === last();
      state.scene = scene;
      state.step = scene.problem ? 0 : Math.min(step ?? (atEnd ? last() : state.step), last());
      build();
    },
    go: (step) => go(step, true),
    step: () => state.step,
    object: (path, step) => card(state.scene.objects.find((one) => one[0] === path), step),
    destroy() { sized.disconnect(); clearInterval(state.playing); root.removeEventListener("keydown", keyed); },
  };
}

export default {
  render({ model, el }) {
    const root = document.createElement("div");
    el.append(root);
    const host = {
      send: (message) => model.send(message),
      stepped: (step) => { model.set("step", step); model.save_changes(); },
    };
    const view = mount(root, model.get("looks"), host);
    const shown = () => view.show(model.get("scene"), model.get("step"));
    const stepped = () => { if (model.get("step") !== view.step()) view.go(model.get("step")); };
    shown();
    model.on("change:scene", shown);
    model.on("change:step", stepped);
    return () => { model.off("change:scene", shown); model.off("change:step", stepped); view.destroy(); };
  },
};
