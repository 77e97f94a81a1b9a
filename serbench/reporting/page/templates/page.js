"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const body = document.querySelector(".board tbody");
  const rows = [...body.querySelectorAll("tr.row")];
  const heads = [...document.querySelectorAll(".board th[data-key]")];
  const form = document.querySelector(".filters");
  const order = document.getElementById("order");
  const words = new Set(["model", "features", "corpus", "protocol"]);
  const upward = new Set(["rank", "seconds", ...words]);
  let sorting = { key: "rank", up: true };

  const text = (number) => data.texts[number];
  const share = (value) => (value === null ? "–" : value.toFixed(1));

  function element(name, content = [], settings = {}) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
    made.append(...[content].flat());
    return made;
  }

  function compare(one, other) {
    const { key, up } = sorting;
    const [a, b] = [one.dataset[key], other.dataset[key]];
    if (a === "" || b === "") return (a === "") - (b === "") || one.dataset.rank - other.dataset.rank;
    const difference = words.has(key) ? a.localeCompare(b) : a - b;
    return (up ? difference : -difference) || one.dataset.rank - other.dataset.rank;
  }

  function sort(key, up) {
    sorting = { key, up };
    for (const head of heads) {
      if (head.dataset.key === key) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    order.value = [...order.options].some((option) => option.value === key) ? key : "";
    for (const row of rows.toSorted(compare)) {
      body.append(row);
      if (row.detail) body.append(row.detail);
    }
  }

  function filter() {
    const wanted = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...form.querySelectorAll("[data-filter]")].filter((select) => select.value);
    let shown = 0;
    for (const row of rows) {
      const own = [row.id, row.dataset.model, row.dataset.features, row.dataset.corpus, row.dataset.protocol].join(" ").toLowerCase();
      const kept = wanted.every((word) => own.includes(word)) &&
        chosen.every((select) => row.dataset[select.dataset.filter] === select.value);
      row.hidden = !kept;
      if (row.detail) row.detail.hidden = !kept || !row.open;
      shown += kept;
    }
    document.getElementById("count").textContent = `${shown} of ${rows.length} rows`;
  }

  function table(caption, names, lines, settings = {}) {
    const head = element("thead", element("tr", names.map((name) => element("th", String(name), { scope: "col" }))));
    const cells = (line) => line.map((value, place) =>
      place ? element("td", String(value ?? "–"), { class: /^[a-z]/i.test(value ?? "") ? "" : "number" })
        : element("th", String(value), { scope: "row" }));
    return element("table", [element("caption", caption), head, element("tbody", lines.map((line) => element("tr", cells(line))))], settings);
  }

  function matrix(row, labels) {
    const size = labels.length;
    const head = element("tr", [element("td", ""), ...labels.map((label) => element("th", label, { scope: "col" }))]);
    const lines = labels.map((label, line) => {
      const counts = row.confusion.slice(size * line, size * (line + 1));
      const total = counts.reduce((sum, count) => sum + count, 0) || 1;
      const cells = counts.map((count, column) => element("td", String(count), {
        style: `background: rgb(var(--shade) / ${(0.75 * count / total).toFixed(2)})` + (line === column ? "; font-weight: 700" : ""),
        title: `${label} taken for ${labels[column]}: ${count} of ${total} (${(100 * count / total).toFixed(0)} %)`,
      }));
      return element("tr", [element("th", label, { scope: "row" }), ...cells]);
    });
    const caption = element("caption", "Utterances; lines: true emotion, columns: predicted; shaded by share of the line");
    return element("table", [caption, element("thead", head), element("tbody", lines)], { class: "matrix" });
  }

  function drawing(name, settings, content = []) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
    made.append(...[content].flat());
    return made;
  }

  function chart(curves, name) {
    const [wide, high, left, top, foot] = [330, 200, 42, 8, 34];
    const scale = name === "loss" ? 1 : 100;
    const parts = [[name, "var(--honest)", "training"], ["val_" + name, "var(--random)", "validation"]].filter(([key]) => curves[key]);
    const values = parts.flatMap(([key]) => [curves[key].mean, ...curves[key].folds].flat()).map((value) => scale * value);
    const most = name === "loss" ? Math.max(...values) : 100;
    const last = curves.epochs.at(-1);
    const x = (epoch) => left + (wide - left - 6) * (epoch - 1) / Math.max(last - 1, 1);
    const y = (value) => top + (high - top - foot) * (1 - value / most);
    const path = (points) => points.map((value, place) => `${place ? "L" : "M"}${x(curves.epochs[place]).toFixed(1)} ${y(scale * value).toFixed(1)}`).join("");
    const shapes = [0, most / 2, most].flatMap((value) => [
      drawing("line", { class: "axis", x1: left, x2: wide - 6, y1: y(value), y2: y(value) }),
      drawing("text", { class: "tick", x: left - 5, y: y(value) + 4, "text-anchor": "end" }, name === "loss" ? value.toFixed(1) : value.toFixed(0)),
    ]);
    for (const epoch of [1, last]) shapes.push(drawing("text", { class: "tick", x: x(epoch), y: high - 18, "text-anchor": "middle" }, String(epoch)));
    shapes.push(drawing("text", { class: "tick", x: (left + wide) / 2, y: high - 4, "text-anchor": "middle" }, "epoch"));
    for (const [key, colour] of parts) {
      for (const fold of curves[key].folds) shapes.push(drawing("path", { d: path(fold), fill: "none", stroke: colour, "stroke-width": 0.7, opacity: 0.4 }));
      shapes.push(drawing("path", { d: path(curves[key].mean), fill: "none", stroke: colour, "stroke-width": 2.2, "stroke-dasharray": key === name ? "" : "6 3" }));
    }
    const title = { loss: "Loss (nats)", uar: "UAR (%)", accuracy: "Accuracy (%)" }[name];
    const ends = parts.map(([key, , label]) => `${label} ends at ${(scale * curves[key].mean.at(-1)).toFixed(name === "loss" ? 2 : 1)}`).join(", ");
    const legend = parts.flatMap(([, colour, label]) => [element("span", label === "training" ? "— " : "╌ ", { style: `color: ${colour}` }), `${label} `]);
    return element("section", [
      element("h3", title), element("small", [...legend, "(thick: mean of folds)"]), element("br"),
      drawing("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `${title} over ${last} epochs: ${ends}` }, shapes),
    ]);
  }

  function section(title, content) {
    return element("section", [element("h3", title), content]);
  }

  function command(row) {
    const copy = element("button", "Copy", { type: "button", "aria-label": "Copy the command" });
    copy.addEventListener("click", () => navigator.clipboard?.writeText(row.run).then(() => { copy.textContent = "Copied"; }, () => {}));
    return element("div", [element("span", "Make it again:"), element("code", row.run), copy], { class: "command" });
  }

  function details(line) {
    const row = data.rows[line.id];
    const labels = text(row.labels).split("\n");
    const protocol = `${line.dataset.protocol}, ${line.dataset.standing}`;
    const parts = [element("h3", `${line.dataset.model} on ${line.dataset.features}, ${line.dataset.corpus}, ${protocol}`, { style: "flex-basis: 100%" })];
    if (row.confusion) {
      parts.push(section("Confusion matrix", matrix(row, labels)));
      const classes = row.classes.map((entry) => [entry[0], ...entry.slice(1, 4).map(share), entry[4]]);
      parts.push(section("Per class", table("%; – is undefined", ["class", "precision", "recall", "F1", "support"], classes)));
      const speakers = row.speakers.map(([name, gender, uar, accuracy, scored, count]) => [name, gender || "–", share(uar), share(accuracy), scored, count]);
      parts.push(section("Per speaker", table("UAR in % over the classes that a speaker has", ["speaker", "gender", "UAR", "accuracy", "classes", "utterances"], speakers)));
      for (const name of ["loss", "uar", "accuracy"]) if (row.curves[name]) parts.push(chart(row.curves, name));
    }
    const folds = row.folds.map(([fold, seed, status, uar, ...rest]) => [fold, seed, status === "ok" ? share(uar) : status, ...rest.map((value) => value === "" ? null : value)]);
    parts.push(section("Folds", table(`UAR in %, ${protocol}`, ["fold", "seed", "UAR", "classes", "utterances", "speakers", "fit s", "epochs", "cell"], folds)));
    if (row.bad.length) parts.push(section("Not done", element("ul", row.bad.map(([fold, status, reason]) => element("li", `fold ${fold}: ${status}: ${text(reason)}`)))));
    const about = row.about.flatMap(([key, value]) => [element("dt", key), element("dd", text(value))]);
    parts.push(element("section", [element("h3", "Parameters and provenance"), element("dl", about)], { class: "about" }));
    if (row.notes.length) parts.push(section("Notes", element("ul", row.notes.map((note) => element("li", text(note))))));
    parts.push(command(row));
    const made = element("tr", element("td", element("div", parts, { class: "panels" }), { colspan: line.children.length }), { class: "detail", id: `details-${line.id}` });
    return made;
  }

  function toggle(line, button) {
    if (!line.detail) {
      line.detail = details(line);
      line.after(line.detail);
      button.setAttribute("aria-controls", line.detail.id);
    }
    line.open = !line.open;
    line.detail.hidden = !line.open;
    button.setAttribute("aria-expanded", String(line.open));
  }

  for (const head of heads) {
    head.firstElementChild.addEventListener("click", () => {
      const key = head.dataset.key;
      sort(key, sorting.key === key ? !sorting.up : upward.has(key));
    });
  }
  for (const line of rows) {
    const button = line.querySelector(".open");
    button.addEventListener("click", () => toggle(line, button));
  }
  order.addEventListener("change", () => sort(order.value || "rank", upward.has(order.value || "rank")));
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); sort("rank", true); }));
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("tr.row")) toggle(named, named.querySelector(".open"));
})();
