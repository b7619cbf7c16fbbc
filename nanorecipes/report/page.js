"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);

  // --- data: as JSON, or packed where it is large

  const load = async (id) => {
    const text = byId(id).textContent.trim();
    if (text[0] === "{" || text[0] === "[") return JSON.parse(text);
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  };
  const { strings, columns, rows } = await load("data");
  const pictures = await load("pictures");
  const at = Object.fromEntries(columns.map((name, n) => [name, n]));
  const texts = ["state", "recipe", "version", "time", "model", "settings", "backend", "task", "problem", "number", "link", "name", "verdict", "composite"];
  const numbers = ["cost", "perhaps", "score"];
  const read = (row, n) => {
    const item = { n, row, words: null };
    for (const name of texts) item[name] = strings[row[at[name]]];
    for (const name of numbers) item[name] = row[at[name]];
    item.day = item.time.slice(0, 10);
    item.reasons = row[at.reasons].map((text) => strings[text]);
    return item;
  };
  const all = rows.map(read);
  const pairs = (item, name) => item.row[at[name]].map(([a, b]) => [strings[a], strings[b]]);
  const picture = (item, name) => pictures[item.row[at[name]]];
  const words = (item) => {
    if (item.words === null) {
      const parts = ["sections", "values", "images"].flatMap((name) => pairs(item, name).flat());
      item.words = [item.recipe, item.state, item.model, item.settings, item.task, item.problem, item.name, item.verdict, ...item.reasons, ...parts]
        .join("\n").toLowerCase();
    }
    return item.words;
  };

  // --- words

  const why = {
    bad: "This row can't be sent.", planned: "Not sent yet.", sending: "Being sent when this page was written.",
    unknown: "Sent, and never answered: perhaps charged.", refused: "The service said no.",
    failed: "Accepted, and no picture came of it.", unfetched: "Paid for; the next call fetches it.",
    missing: "It was made; its file is gone.",
  };
  const tone = (state) => (state === "done" ? "good" : /^(warned|planned|sending|unfetched)$/.test(state) ? "warn" : "bad");
  const held = {
    kept: "What was to stay stayed.", drifted: "Something changed that was to stay.",
    unclear: "The signs are too weak to say.", "not provable": "Pixels can't tell.",
  };
  const toneOf = (verdict) => ({ kept: "good", drifted: "bad" })[verdict] ?? "warn";
  const exact = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 3 });
  const round = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
  const count = new Intl.NumberFormat("en");
  const usd = (value) => (value >= 100 ? round : exact).format(value);
  const rowsOf = (number) => `${count.format(number)} ${number === 1 ? "row" : "rows"}`;
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const isFake = (item) => item.backend === "sandbox";
  const costOf = (item) => {
    const said = [];
    if (item.perhaps !== null) said.push(`${item.state === "planned" ? "would cost" : "perhaps"} ${usd(item.perhaps)}`);
    if (item.cost) said.push(usd(item.cost));
    if (!said.length) return item.cost === null ? "cost unknown" : "nothing charged";
    return said.join(", ") + (isFake(item) ? " (sandbox, not charged)" : "");
  };

  // --- one row as a card

  const compare = (item, title) => {
    const [after, before, heat] = [picture(item, "after"), picture(item, "before"), picture(item, "heat")];
    const box = make("div", "compare");
    const show = (src, className, alt) => {
      const img = make("img", className);
      img.loading = "lazy"; img.decoding = "async"; img.alt = alt; img.src = src;
      box.append(img);
    };
    if (after !== undefined) show(after, "after", `Result: ${title}`);
    if (after !== undefined && heat !== undefined) {
      show(heat, "heat", `Changes, red where they were not allowed: ${title}`);
      const button = make("button", "hot", "Heat");
      button.type = "button";
      button.title = "Where it changed: red was not allowed, blue was";
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(box.classList.toggle("hot")));
      });
      box.append(button);
    }
    if (before !== undefined) show(before, "before", `Source: ${title}`);
    if (after === undefined) {
      box.classList.add(before === undefined ? "bare" : "alone");
      const text = item.link ? "This picture can't be shown small." : why[item.state] ?? "No picture.";
      if (before !== undefined) box.append(make("span", "tag left", "source"));
      box.append(make("p", "nothing", text));
      return box;
    }
    if (before === undefined) return box;
    const slider = make("input");
    slider.type = "range"; slider.min = 0; slider.max = 100; slider.value = 50;
    slider.setAttribute("aria-label", `Compare source and result: ${title}`);
    slider.addEventListener("input", () => box.style.setProperty("--at", `${slider.value}%`));
    box.append(make("span", "edge"), make("span", "tag left", "source"), make("span", "tag right", "result"), slider);
    return box;
  };

  const prompt = (item) => {
    const details = make("details");
    details.append(make("summary", "", "Prompt"));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      for (const [name, text] of pairs(item, "sections")) {
        const part = make("div", `section ${/^(edit|subject|details|protect)$/.test(name) ? name : ""}`);
        if (name) part.append(make("b", "", name));
        part.append(text);
        details.append(part);
      }
    });
    return details;
  };

  const proof = (item) => {
    const box = make("div", `proof ${toneOf(item.verdict)}`);
    const head = make("p");
    head.append(make("b", "", item.verdict), item.score === null ? "" : ` score ${Number(item.score.toFixed(3))}`);
    head.title = `${held[item.verdict]} Score: 1 everything stayed, 0 something surely did not.`;
    const list = make("ul");
    for (const reason of item.reasons) list.append(make("li", "", reason));
    box.append(head, list);
    return box;
  };

  const card = (item) => {
    const row = item.number ? `row ${item.number}` : `picture ${item.n + 1}`;
    const title = `${item.recipe || "unknown recipe"}, ${item.name || row}`;
    const article = make("article", item.verdict === "drifted" ? "bad" : tone(item.state));
    article.tabIndex = -1;
    article.setAttribute("aria-label", title);
    const body = make("div", "body");
    const head = make("div", "head");
    head.append(make("h2", "", item.recipe || "unknown recipe"), make("span", `state ${tone(item.state)}`, item.state));
    const time = item.time.replace("T", " ").replace("+00:00", " UTC");
    const facts = [item.number ? row : "", costOf(item), item.model, item.settings, time];
    body.append(head, make("p", "facts", facts.filter(Boolean).join(" · ")));
    if (item.problem) body.append(make("p", `problem ${tone(item.state)}`, item.problem));
    if (item.composite) body.append(make("p", "facts", `composite: ${item.composite}`));
    if (item.verdict) body.append(proof(item));
    const list = make("dl");
    const fact = (name, value) => list.append(make("dt", "", name), make("dd", "", value));
    for (const [name, value] of [...pairs(item, "images"), ...pairs(item, "values")]) fact(name, value);
    if (item.task) fact("task", item.task);
    if (list.childElementCount) body.append(list);
    if (item.row[at.sections].length) body.append(prompt(item));
    if (item.link) {
      const link = make("a", "open", item.name);
      link.href = item.link;
      body.append(link);
    }
    article.append(compare(item, title), body);
    return article;
  };

  // --- what is chosen, and its sums

  const main = byId("rows");
  const step = 48;
  let chosen = [];
  let shown = 0;
  let state = "";
  let verdict = "";
  const more = () => {
    const part = document.createDocumentFragment();
    for (const item of chosen.slice(shown, shown + step)) part.append(card(item));
    shown = Math.min(chosen.length, shown + step);
    main.append(part);
  };
  const order = {
    given: (a, b) => a.n - b.n,
    new: (a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.n - b.n),
    old: (a, b) => (a.time > b.time ? 1 : a.time < b.time ? -1 : a.n - b.n),
    dear: (a, b) => (b.cost ?? b.perhaps ?? -1) - (a.cost ?? a.perhaps ?? -1) || a.n - b.n,
    drift: (a, b) => (a.score ?? Infinity) - (b.score ?? Infinity) || a.n - b.n,
    cheap: (a, b) => (a.cost ?? a.perhaps ?? Infinity) - (b.cost ?? b.perhaps ?? Infinity) || a.n - b.n,
  };

  const sums = () => {
    const sum = { real: 0, fake: 0, perhaps: 0, planned: 0 };
    const rowsWith = { perhaps: 0, planned: 0, unknown: 0, bare: 0 };
    for (const item of chosen) {
      if (picture(item, "after") === undefined && !item.link) rowsWith.bare += 1;
      if (item.cost !== null) sum[isFake(item) ? "fake" : "real"] += item.cost;
      else if (item.perhaps === null) rowsWith.unknown += 1;
      if (item.perhaps !== null) {
        const kind = item.state === "planned" ? "planned" : "perhaps";
        sum[kind] += item.perhaps;
        rowsWith[kind] += 1;
      }
    }
    const of = chosen.length === all.length ? "" : ` of ${count.format(all.length)}`;
    byId("count").textContent = `${count.format(chosen.length)}${of} ${all.length === 1 ? "row" : "rows"}`;
    const lines = [];
    const fake = chosen.every(isFake) ? " (sandbox)" : "";
    if (sum.real || !sum.fake) lines.push(["spent", usd(sum.real), ""]);
    if (sum.fake) lines.push(["on the sandbox, not charged", usd(sum.fake), ""]);
    if (rowsWith.perhaps) lines.push([`perhaps charged for ${rowsOf(rowsWith.perhaps)}${fake}`, usd(sum.perhaps), "bad"]);
    if (rowsWith.planned) lines.push([`for ${rowsOf(rowsWith.planned)} not sent yet${fake}`, usd(sum.planned), ""]);
    if (rowsWith.unknown) lines.push(["with unknown cost", rowsOf(rowsWith.unknown), ""]);
    const found = counted(chosen, "verdict");
    if (found.get("drifted")) lines.push(["drifted", rowsOf(found.get("drifted")), "bad"]);
    if (found.get("kept")) lines.push(["kept what they promised", rowsOf(found.get("kept")), ""]);
    if (rowsWith.bare) lines.push(["without a picture", rowsOf(rowsWith.bare), "bad"]);
    byId("sums").replaceChildren(...lines.map(([text, value, mark]) => {
      const entry = make("li", mark);
      entry.append(make("b", "", value), ` ${text}`);
      return entry;
    }));
  };

  const chart = () => {
    const by = byId("by").value;
    const groups = new Map();
    for (const item of chosen) {
      const group = groups.get(item[by]) ?? { sure: 0, perhaps: 0, rows: 0 };
      group.rows += 1;
      group.sure += item.cost ?? 0;
      if (item.state !== "planned") group.perhaps += item.perhaps ?? 0;
      groups.set(item[by], group);
    }
    const ranked = [...groups].sort((a, b) => b[1].sure + b[1].perhaps - a[1].sure - a[1].perhaps);
    const rest = ranked.splice(7);
    if (by === "day") ranked.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    if (rest.length) ranked.push(["all others", rest.reduce((sum, [, g]) => (
      { sure: sum.sure + g.sure, perhaps: sum.perhaps + g.perhaps, rows: sum.rows + g.rows }), { sure: 0, perhaps: 0, rows: 0 })]);
    const widest = Math.max(...ranked.map(([, g]) => g.sure + g.perhaps), 1e-9);
    byId("chart").replaceChildren(...ranked.map(([name, group]) => {
      const entry = make("li");
      const label = make("span", "name", name || "unknown");
      label.title = name;
      const room = make("span", "room");
      for (const kind of ["sure", "perhaps"]) {
        if (!group[kind]) continue;
        const bar = make("span", `bar ${kind}`);
        bar.style.width = `${(100 * group[kind]) / widest}%`;
        room.append(bar);
      }
      const said = [group.sure || !group.perhaps ? usd(group.sure) : "", group.perhaps ? `perhaps ${usd(group.perhaps)}` : ""];
      entry.append(label, room, make("span", "sum", said.filter(Boolean).join(" + ")), make("span", "of", rowsOf(group.rows)));
      return entry;
    }));
  };

  const counted = (items, key) => items.reduce((map, item) => map.set(item[key], (map.get(item[key]) ?? 0) + 1), new Map());
  const choice = (place, pressed, items, key, toneFor, about, choose) => {
    const found = counted(items, key);
    const names = [...counted(all, key).keys()].filter(Boolean).sort();
    const button = (name, text, number) => {
      const made = make("button", `state ${name ? toneFor(name) : ""}`, `${text} ${count.format(number)}`);
      made.type = "button";
      made.setAttribute("aria-pressed", String(pressed === name));
      if (name) made.title = about[name] ?? "";
      made.addEventListener("click", () => {
        choose(pressed === name ? "" : name);
        render();
        byId(place).querySelector("[aria-pressed=true]").focus();
      });
      return made;
    };
    byId(place).hidden = !names.length;
    byId(place).replaceChildren(button("", "all", items.length), ...names.map((name) => button(name, name, found.get(name) ?? 0)));
  };

  const render = () => {
    const parts = byId("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const recipe = byId("recipe").value;
    const fitting = all.filter((item) => (!recipe || item.recipe === recipe) && parts.every((part) => words(item).includes(part)));
    const ofState = (item) => !state || item.state === state;
    const ofVerdict = (item) => !verdict || item.verdict === verdict;
    chosen = fitting.filter((item) => ofState(item) && ofVerdict(item)).sort(order[byId("sort").value]);
    shown = 0;
    main.replaceChildren();
    more();
    if (!chosen.length) main.append(make("p", "none", all.length ? "No row matches." : "There is no picture that tells how it was made."));
    choice("states", state, fitting.filter(ofVerdict), "state", tone, why, (name) => { state = name; });
    choice("verdicts", verdict, fitting.filter(ofState), "verdict", toneOf, held, (name) => { verdict = name; });
    sums();
    chart();
  };

  // --- what a reader does

  const recipes = [...counted(all, "recipe")].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  for (const [name, number] of recipes) {
    const option = make("option", "", `${name || "unknown"} (${count.format(number)})`);
    option.value = name;
    byId("recipe").append(option);
  }
  byId("sort").querySelector("[value=drift]").hidden = !all.some((item) => item.score !== null);
  byId("recipe").parentElement.hidden = recipes.length < 2;
  byId("by").value = recipes.length > 1 ? "recipe" : "state";
  byId("by").addEventListener("change", chart);
  let timer = 0;
  byId("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(render, 80); });
  for (const id of ["recipe", "sort"]) byId(id).addEventListener("change", render);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  // It tells of changes alone: whoever jumps to the end stays there, so it is asked anew each time.
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((e) => e.isIntersecting) || shown >= chosen.length) return;
    more();
    watcher.unobserve(byId("more"));
    watcher.observe(byId("more"));
  }, { rootMargin: "1500px" });
  watcher.observe(byId("more"));

  const go = (here, key) => {
    if (key === "j" && here && !here.nextElementSibling) more();
    const next = !here ? main.querySelector("article") : key === "j" ? here.nextElementSibling : here.previousElementSibling;
    if (!next || next.tagName !== "ARTICLE") return;
    (next.querySelector("input[type=range]") ?? next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "center" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing) return;
    const here = event.target.closest("article");
    if (event.key === "/") { event.preventDefault(); byId("text").focus(); }
    if (event.key === "j" || event.key === "k") go(here, event.key);
    if (event.key === "h") here?.querySelector("button.hot")?.click();
    if (event.key === "p") { const d = here?.querySelector("details"); if (d) d.open = !d.open; }
    if (event.key === "o") here?.querySelector("a.open")?.click();
  });
  const themes = ["auto", "light", "dark"];
  byId("theme").addEventListener("click", () => {
    const now = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
    if (now === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    byId("theme").textContent = `Theme: ${now}`;
  });
  render();
  document.documentElement.dataset.ready = "yes";
})();
