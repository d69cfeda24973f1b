"use strict";
// Charts: the programs are unpacked once; all charts are drawn when there is time, so that they are there to be printed,
// and those of a very long page when they are scrolled to.
const MOST_AT_ONCE = 40;
const NARROW = 560; // pixels of a chart
const FONT = 12; // pixels
const FEWEST = 8; // letters of a shortened name
const [LONGEST, HIGHEST] = [320, 130]; // pixels of a name beside and above a chart
const RECOMMENDED = 2; // its priority
const SIDES = ["right", "left", "bottom-right", "top-left", "top-right", "bottom-left", "bottom", "top"];
(async () => {
  const page = JSON.parse(document.getElementById("charts").textContent);
  const views = new Map();
  let pinned = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)");

  async function unpack() {
    const packed = atob(document.getElementById("vega").textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  function theme(width) {
    const [ink, quiet, line, mark, accent, page] = ["ink", "quiet", "line", "mark", "accent", "page"].map(colour);
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: page, font, aria: false, padding: { left: 4, top: 4, right: 12, bottom: 4 },
      view: { stroke: null },
      axis: {
        labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: FONT, titleFontSize: FONT, titleFontWeight: "normal", titlePadding: 8, labelLimit: 0,
      },
      axisY: { ticks: false, domain: false, labelPadding: 8 },
      axisYDiscrete: { grid: false, labelColor: ink },
      axisX: { grid: true },
      rule: { color: mark },
      line: { color: accent },
      point: { stroke: accent, strokeWidth: 1.5, opacity: 1, filled: false },
      text: { color: ink, fontSize: FONT },
      rect: { stroke: page, strokeWidth: width < NARROW ? 0.5 : 2 },
      range: { ramp: [colour("soft"), accent], heatmap: [colour("soft"), accent] },
    };
  }

  const pen = document.createElement("canvas").getContext("2d");
  function widest(names) {
    pen.font = `${FONT}px ${getComputedStyle(document.body).fontFamily}`;
    return Math.max(0, ...names.map((name) => pen.measureText(name).width));
  }

  // where names need more pixels than there are, the middle of long ones goes, and names that differ stay so
  function shortened(names, pixels) {
    const cut = (name, share, letters) => {
      const all = [...name];
      if (all.length <= letters) return name;
      const head = Math.max(1, Math.round((letters - 1) * share));
      return `${all.slice(0, head).join("")}…${all.slice(head + 1 - letters).join("")}`;
    };
    const cutAll = (letters) => {
      for (const share of [0.45, 0.3, 0.6, 0.15]) {
        const short = names.map((name) => cut(name, share, letters));
        if (new Set(short).size === names.length) return short;
      }
      return names.map((name, index) => cut(`${index + 1} ${name}`, 0.45, letters));
    };
    let [short, letters] = [names, Math.max(0, ...names.map((name) => [...name].length))];
    while (letters > FEWEST && widest(short) > pixels) short = cutAll((letters -= 1));
    return Object.fromEntries(names.map((name, index) => [name, short[index]]));
  }

  // the names of points go where they overlap neither points nor each other; without room for it one is left out
  function placed(vega) {
    const names = vega.marks.find((mark) => mark.name === "names_marks");
    if (!names) return vega;
    const weight = { signal: `datum.datum.priority === ${RECOMMENDED} ? "bold" : "normal"` };
    const font = { fontSize: { value: FONT }, fontWeight: weight, fill: names.encode.update.fill };
    Object.assign(names, {
      from: { data: "dots_marks" },
      interactive: false,
      encode: { update: { text: { field: "datum.short" }, ...font } },
      transform: [{
        type: "label", size: { signal: "[width, height]" }, padding: 4,
        anchor: [...SIDES, ...SIDES], offset: [...SIDES.map(() => 7), ...SIDES.map(() => 20)],
        avoidMarks: vega.marks.some((mark) => mark.name === "front_marks") ? ["front_marks"] : [],
        sort: { field: ["datum.datum.priority", "datum.datum.highlighted"], order: ["descending", "descending"] },
      }],
    });
    return vega;
  }

  async function draw(figure) {
    const box = figure.querySelector(".draw");
    const { spec, columns, rows } = page.charts[figure.id];
    const coloured = JSON.stringify(page.specs[spec]).replace(/"value":"@(\w+)"/g, (_, name) => `"value":"${colour(name)}"`);
    const named = rows.map((row) => Object.fromEntries(columns.map((name, column) => [name, row[column]])));
    const drawn = { ...JSON.parse(coloured), datasets: { rows: named } };
    const unique = (column) => [...new Set(named.map((row) => row[column]).filter(Boolean))];
    const isNamed = drawn.layer.some((layer) => layer.name === "names");
    const room = box.clientWidth * (isNamed ? 0.3 : 0.42);
    const tops = shortened(unique("task"), HIGHEST);
    const shorts = shortened(unique("model"), Math.min(LONGEST, room));
    for (const param of drawn.params) Object.assign(param, { shorts: { value: shorts }, tops: { value: tops } }[param.name]);
    const result = await vegaEmbed(box, drawn, {
      mode: "vega-lite", renderer: "svg", config: theme(box.clientWidth), downloadFileName: `assay-${figure.id}`,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      patch: placed, scaleFactor: { png: 2 }, tooltip: { theme: dark.matches ? "dark" : "light" },
      logLevel: 1, // errors alone: that a layer is empty is no news
    });
    views.get(figure.id)?.finalize();
    views.set(figure.id, result);
    figure.dataset.drawn = "";
    if (pinned.length) await result.view.signal("pinned", pinned).runAsync();
  }

  const rest = () => new Promise((go) => (window.requestIdleCallback ?? setTimeout)(go));
  const isDrawn = (figure) => "drawn" in figure.dataset;
  async function drawAll(figures) {
    for (const figure of figures) {
      await rest();
      await draw(figure);
    }
    document.documentElement.dataset.charts = "drawn";
  }

  if (!("DecompressionStream" in window)) return; // a browser from before 2023: the tables hold everything
  document.documentElement.classList.add("charts");
  await unpack();
  const figures = [...document.querySelectorAll("figure.chart")];
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting && !isDrawn(target)) draw(target);
  }, { rootMargin: "800px" });
  const isEager = (figure) => figures.length <= MOST_AT_ONCE && !figure.closest("details");
  await drawAll(figures.filter(isEager));
  for (const figure of figures) if (!isEager(figure)) seen.observe(figure);
  dark.addEventListener("change", () => drawAll(figures.filter(isDrawn)));
  document.addEventListener("pins", (event) => {
    pinned = event.detail;
    for (const { view } of views.values()) view.signal("pinned", pinned).runAsync();
  });
})();
