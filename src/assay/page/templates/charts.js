"use strict";
// Charts: the programs are unpacked once, then each chart is drawn when there is time, in the page's colours.
(async () => {
  const carried = JSON.parse(document.getElementById("charts").textContent);
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
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelLimit: width < 560 ? 140 : 320,
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

  async function draw(figure) {
    const place = figure.querySelector(".draw");
    const { spec, columns, rows } = carried.charts[figure.id];
    const coloured = JSON.stringify(carried.specs[spec]).replace(/"value":"@(\w+)"/g, (_, name) => `"value":"${colour(name)}"`);
    const named = rows.map((row) => Object.fromEntries(columns.map((name, column) => [name, row[column]])));
    const result = await vegaEmbed(place, { ...JSON.parse(coloured), datasets: { rows: named } }, {
      mode: "vega-lite", renderer: "svg", config: theme(place.clientWidth), downloadFileName: `assay-${figure.id}`,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      scaleFactor: { png: 2 }, tooltip: { theme: dark.matches ? "dark" : "light" },
      logLevel: 1, // errors alone: that a layer is empty is no news
    });
    views.get(figure.id)?.finalize();
    views.set(figure.id, result);
    figure.dataset.drawn = "";
    if (pinned.length) await result.view.signal("pinned", pinned).runAsync();
  }

  const figures = [...document.querySelectorAll("figure.chart")];
  const isOpen = (figure) => !figure.closest("details:not([open])");
  const rest = () => new Promise((go) => (window.requestIdleCallback ?? setTimeout)(go));
  async function drawAll() {
    for (const figure of figures.filter(isOpen)) {
      await rest();
      await draw(figure);
    }
    document.documentElement.dataset.charts = "drawn";
  }

  if (!("DecompressionStream" in window)) return; // a browser from before 2023: the tables say it all
  document.documentElement.classList.add("charts");
  await unpack();
  await drawAll();
  for (const details of document.querySelectorAll("details.chart")) {
    details.addEventListener("toggle", () => {
      const figure = details.querySelector("figure");
      if (details.open && !("drawn" in figure.dataset)) draw(figure);
    });
  }
  dark.addEventListener("change", drawAll);
  document.addEventListener("pins", (event) => {
    pinned = event.detail;
    for (const { view } of views.values()) view.signal("pinned", pinned).runAsync();
  });
})();
