"use strict";
// Charts: the programs are unpacked once; all charts are drawn when there is time, so that they are there to be printed,
// and those of a very long page when they are scrolled to.
const MOST_AT_ONCE = 40;
const NARROW = 560; // pixels of a chart
const SHORT = 20; // letters of a name on a narrow one
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
      background: page, font, aria: false, padding: 4,
      view: { stroke: null },
      axis: {
        labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelLimit: width < NARROW ? 150 : 320,
      },
      axisY: { ticks: false, domain: false, labelPadding: 8 },
      axisYDiscrete: { grid: false, labelColor: ink },
      axisX: { grid: true },
      rule: { color: mark },
      line: { color: accent },
      point: { stroke: accent, strokeWidth: 1.5, opacity: 1, filled: false },
      text: { color: ink, fontSize: 12 },
      rect: { stroke: page, strokeWidth: 2 },
      range: { ramp: [colour("soft"), accent], heatmap: [colour("soft"), accent] },
    };
  }

  // on a narrow screen the middle of long names goes, and names that differ stay so
  function shortened(names) {
    const cut = (name, share) => {
      if (name.length <= SHORT) return name;
      const head = Math.max(1, Math.round((SHORT - 1) * share));
      return `${name.slice(0, head)}…${name.slice(head + 1 - SHORT)}`;
    };
    for (const share of [0.45, 0.3, 0.6, 0.15]) {
      const short = names.map((name) => cut(name, share));
      if (new Set(short).size === names.length) return Object.fromEntries(names.map((name, index) => [name, short[index]]));
    }
    return Object.fromEntries(names.map((name, index) => [name, cut(`${index + 1} ${name}`, 0.45)]));
  }

  async function draw(figure) {
    const box = figure.querySelector(".draw");
    const isNarrow = box.clientWidth < NARROW;
    const { spec, columns, rows } = page.charts[figure.id];
    const coloured = JSON.stringify(page.specs[spec]).replace(/"value":"@(\w+)"/g, (_, name) => `"value":"${colour(name)}"`);
    const named = rows.map((row) => Object.fromEntries(columns.map((name, column) => [name, row[column]])));
    const drawn = { ...JSON.parse(coloured), datasets: { rows: named } };
    const shorts = isNarrow ? shortened([...new Set(named.map((row) => row.model))]) : {};
    for (const param of drawn.params) Object.assign(param, { narrow: { value: isNarrow }, shorts: { value: shorts } }[param.name]);
    const result = await vegaEmbed(box, drawn, {
      mode: "vega-lite", renderer: "svg", config: theme(box.clientWidth), downloadFileName: `assay-${figure.id}`,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      scaleFactor: { png: 2 }, tooltip: { theme: dark.matches ? "dark" : "light" },
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
