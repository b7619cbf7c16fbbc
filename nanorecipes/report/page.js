
"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const load = async (id) => {
    const text = byId(id).textContent.trim();
    if (text[0] === "{" || text[0] === "[") return JSON.parse(text);
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  };
  const { strings, rows } = await load("data");
  const pictures = await load("pictures");
  const s = (index) => strings[index];
  const pairs = (list) => list.map(([a, b]) => [s(a), s(b)]);
  const all = rows.map((r, n) => ({
    n, state: s(r[0]), recipe: s(r[1]), version: s(r[2]), time: s(r[3]), cost: r[4],
    model: s(r[5]), settings: s(r[6]), backend: s(r[7]), task: s(r[8]), row: r,
    problem: s(r[12]), link: s(r[13]), name: s(r[16]), text: null,
  }));
  const words = (item) => {
    if (item.text === null) {
      const parts = [...item.row[9], ...item.row[10], ...item.row[11]].map(([a, b]) => `${s(a)} ${s(b)}`);
      item.text = [item.recipe, item.state, item.model, item.settings, item.task, item.problem, item.name, ...parts]
        .join("\n").toLowerCase();
    }
    return item.text;
  };
  const usd = (value) => "$" + (value >= 100 ? value.toFixed(2) : value.toFixed(3));
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const failed = (item) => item.state !== "done" && item.state !== "warned" && item.state !== "planned";

  const compare = (item, title) => {
    const box = make("div", "compare");
    const [after, before] = [pictures[item.row[14]], pictures[item.row[15]]];
    const picture = (src, className, alt) => {
      const img = make("img", className);
      img.loading = "lazy"; img.decoding = "async"; img.alt = alt; img.src = src;
      box.append(img);
    };
    if (after === undefined && before === undefined) {
      box.append(make("p", "nothing", item.link ? "This picture can't be shown small." : "No picture."));
      return box;
    }
    if (after !== undefined) picture(after, "after", `Result: ${title}`);
    if (before === undefined) return box;
    picture(before, "before", `Source: ${title}`);
    if (after === undefined) {
      box.style.setProperty("--at", "100%");
      box.append(make("span", "tag left", "source"));
      return box;
    }
    const slider = make("input");
    slider.type = "range"; slider.min = 0; slider.max = 100; slider.value = 50;
    slider.setAttribute("aria-label", `Compare source and result: ${title}`);
    slider.addEventListener("input", () => box.style.setProperty("--at", `${slider.value}%`));
    box.append(make("span", "edge"), make("span", "tag left", "source"), make("span", "tag right", "result"), slider);
    return box;
  };

  const card = (item) => {
    const title = `${item.recipe || "unknown recipe"}, ${item.name || `row ${item.n + 1}`}`;
    const article = make("article", failed(item) ? "failed" : "");
    article.tabIndex = -1;
    article.setAttribute("aria-label", title);
    const body = make("div", "body");
    const line = make("div", "line");
    line.append(make("h3", "", item.recipe || "unknown recipe"), make("span", `state ${item.state}`, item.state));
    body.append(line);
    const cost = item.cost === null ? "cost unknown" : usd(item.cost) + (item.backend === "sandbox" ? " (sandbox, not charged)" : "");
    body.append(make("p", "facts", [cost, item.model, item.settings, item.time.replace("T", " ").replace("+00:00", " UTC")].filter(Boolean).join(" · ")));
    if (item.problem) body.append(make("p", `problem ${item.state}`, item.problem));
    const list = make("dl");
    const fact = (name, value) => list.append(make("dt", "", name), make("dd", "", value));
    for (const [name, value] of [...pairs(item.row[11]), ...pairs(item.row[10])]) fact(name, value);
    if (item.task) fact("task", item.task);
    if (item.version) fact("version", item.version);
    body.append(list);
    if (item.link) {
      const link = make("a", "", item.name);
      link.href = item.link;
      body.append(link);
    }
    const sections = pairs(item.row[9]);
    if (sections.length) {
      const details = make("details");
      details.append(make("summary", "", "Prompt"));
      details.addEventListener("toggle", () => {
        if (details.childElementCount > 1) return;
        for (const [name, text] of sections) {
          const part = make("div", `section ${/^(edit|subject|details|protect)$/.test(name) ? name : ""}`);
          if (name) part.append(make("b", "", name));
          part.append(text);
          details.append(part);
        }
      });
      body.append(details);
    }
    article.append(compare(item, title), body);
    return article;
  };

  const main = byId("rows");
  const step = 48;
  let chosen = [];
  let shown = 0;
  const more = (count = step) => {
    const part = document.createDocumentFragment();
    for (const item of chosen.slice(shown, shown + count)) part.append(card(item));
    shown = Math.min(chosen.length, shown + count);
    main.append(part);
  };
  const order = {
    name: (a, b) => a.n - b.n,
    new: (a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.n - b.n),
    old: (a, b) => (a.time > b.time ? 1 : a.time < b.time ? -1 : a.n - b.n),
    dear: (a, b) => (b.cost ?? -1) - (a.cost ?? -1) || a.n - b.n,
    cheap: (a, b) => (a.cost ?? Infinity) - (b.cost ?? Infinity) || a.n - b.n,
  };
  const totals = () => {
    const sums = new Map();
    let [total, fake, unknown, bad] = [0, 0, 0, 0];
    for (const item of chosen) {
      if (failed(item)) bad += 1;
      if (item.cost === null) { unknown += 1; continue; }
      total += item.cost;
      if (item.backend === "sandbox") fake += item.cost;
      sums.set(item.recipe, (sums.get(item.recipe) ?? 0) + item.cost);
    }
    const lines = [`${chosen.length} of ${all.length} rows`, `${usd(total)} in all`];
    if (fake) lines.push(`${usd(fake)} of it on the sandbox, not charged`);
    if (bad) lines.push(`${bad} without a picture`);
    if (unknown) lines.push(`${unknown} with unknown cost`);
    byId("totals").textContent = lines.join("\n");
    const most = [...sums].sort((a, b) => b[1] - a[1]);
    const rest = most.splice(7).reduce((sum, [, cost]) => sum + cost, 0);
    if (rest) most.push(["all others", rest]);
    const widest = Math.max(...most.map(([, cost]) => cost), 1e-9);
    byId("chart").replaceChildren(...most.map(([name, cost]) => {
      const entry = make("li");
      const label = make("span", "name", name || "unknown recipe");
      label.title = name;
      const room = make("span");
      const bar = make("div", "bar");
      bar.style.width = `${(100 * cost) / widest}%`;
      room.append(bar);
      entry.append(label, room, make("span", "sum", usd(cost)));
      return entry;
    }));
  };
  const render = () => {
    const parts = byId("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [recipe, state] = [byId("recipe").value, byId("state").value];
    chosen = all.filter((item) => (!recipe || item.recipe === recipe) && (!state || item.state === state)
      && parts.every((part) => words(item).includes(part)));
    chosen.sort(order[byId("sort").value]);
    shown = 0;
    main.replaceChildren();
    more();
    if (!chosen.length) main.append(make("p", "none", all.length ? "No row matches." : "This folder holds no picture that tells how it was made."));
    totals();
  };

  const options = (id, values) => {
    for (const [value, count] of [...values].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
      const option = make("option", "", `${value || "unknown"} (${count})`);
      option.value = value;
      byId(id).append(option);
    }
  };
  const counted = (key) => all.reduce((map, item) => map.set(item[key], (map.get(item[key]) ?? 0) + 1), new Map());
  options("recipe", counted("recipe"));
  options("state", counted("state"));
  let timer = 0;
  byId("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(render, 80); });
  for (const id of ["recipe", "state", "sort"]) byId(id).addEventListener("change", render);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting) && shown < chosen.length) more(); },
    { rootMargin: "1500px" }).observe(byId("more"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing) return;
    const here = event.target.closest("article");
    if (event.key === "/") { event.preventDefault(); byId("text").focus(); }
    if (event.key === "p" && here) { const d = here.querySelector("details"); if (d) d.open = !d.open; }
    if (event.key !== "j" && event.key !== "k") return;
    if (event.key === "j" && here && !here.nextElementSibling) more();
    const next = !here ? main.querySelector("article") : event.key === "j" ? here.nextElementSibling : here.previousElementSibling;
    if (!next || next.tagName !== "ARTICLE") return;
    (next.querySelector("input[type=range]") ?? next).focus();
    next.scrollIntoView({ block: "center" });
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
