"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const charts = new Map();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const touch = matchMedia("(pointer: coarse)").matches;
  const PAPER_WIDTH = 660;
  const COLOUR = /^\$([a-z]+\d*)(?:@([\d.]+))?$/;
  let printing = false;

  /* Colours: a token such as "$bloc0@0.2" under a key that names a colour. */
  const property = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  function colour(token) {
    const found = typeof token === "string" && COLOUR.exec(token);
    if (!found) return token;
    const hex = property(found[1]);
    if (!found[2]) return hex;
    const part = (at) => parseInt(hex.slice(at, at + 2), 16);
    return `rgba(${part(1)},${part(3)},${part(5)},${found[2]})`;
  }
  function resolved(value, shared, key = "") {
    if (Array.isArray(value)) {
      if (/color$/.test(key)) return value.map(colour);
      return value.length && typeof value[0] === "object" ? value.map((one) => resolved(one, shared)) : value;
    }
    if (value && typeof value === "object") {
      if ("shared" in value) return shared[value.shared];
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, shared, name)]));
    }
    return /color$/.test(key) ? colour(value) : value;
  }

  function themed(layout, height, width) {
    const narrow = width < 560;
    const axis = {
      color: property("faint"), gridcolor: property("grid"), linecolor: property("rule"),
      tickfont: { size: narrow ? 11 : 12, color: property("soft") },
    };
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: property("ink") };
    const result = {
      ...layout, height, width, font, separators: ".,",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: touch || printing ? false : "zoom",
      hoverlabel: {
        bgcolor: property("paper"), bordercolor: property("rule"), align: "left",
        font: { ...font, size: 12 },
      },
    };
    for (const name of ["xaxis", "yaxis"]) {
      const own = layout[name] || {};
      const title = { ...own.title, font: { size: narrow ? 11 : 12, color: property("soft") } };
      result[name] = { ...axis, ...own, title };
    }
    if (narrow) result.margin = { ...layout.margin, l: 48, r: 8 };
    return result;
  }

  class Chart {
    constructor(element) {
      this.element = element;
      this.spec = data.charts[element.dataset.chart];
      this.plot = element.querySelector(".plot");
      this.hidden = new Set();
      this.keys = [];
      this.drawn = false;
      this.plot.style.minHeight = `${this.spec.height}px`;
      for (const select of element.querySelectorAll("select[data-choice]")) {
        this.keys[select.dataset.choice] = select.value;
        select.addEventListener("change", () => this.choose(select.dataset.choice, select.value));
      }
      for (const button of element.querySelectorAll("button[data-choice]")) {
        if (button.getAttribute("aria-pressed") === "true") this.keys[button.dataset.choice] = button.dataset.key;
        button.addEventListener("click", () => {
          for (const other of button.parentElement.children) {
            other.setAttribute("aria-pressed", String(other === button));
          }
          this.choose(button.dataset.choice, button.dataset.key);
        });
      }
      for (const button of element.querySelectorAll("button[data-group]")) {
        button.addEventListener("click", () => {
          const shown = button.getAttribute("aria-pressed") !== "true";
          button.setAttribute("aria-pressed", String(shown));
          this.hidden[shown ? "delete" : "add"](button.dataset.group);
          this.draw();
        });
      }
    }
    get figure() { return this.spec.figures[this.keys.join("|")]; }
    choose(place, key) {
      this.keys[place] = key;
      this.element.querySelector(".note").textContent = this.figure.note;
      this.draw();
    }
    draw() {
      const figure = this.figure;
      const width = printing ? PAPER_WIDTH : Math.floor(this.plot.clientWidth);
      if (!figure || !width) return;
      const traces = figure.traces.map((trace) => ({
        ...resolved(trace, this.spec.shared),
        visible: !this.hidden.has(trace.legendgroup),
      }));
      const layout = themed(resolved(figure.layout, {}), this.spec.height, width);
      Plotly.react(this.plot, traces, layout, { displayModeBar: false, responsive: false, doubleClick: "reset" });
      this.drawn = true;
      this.width = width;
    }
  }

  for (const element of document.querySelectorAll("[data-chart]")) {
    charts.set(element.dataset.chart, new Chart(element));
  }
  const all = () => [...charts.values()];

  /* Charts are drawn when they come near the screen. */
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const chart = charts.get(entry.target.dataset.chart);
      if (!chart.drawn) chart.draw();
    }
  }, { rootMargin: "400px" });
  for (const chart of all()) seen.observe(chart.element);

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const chart of all()) {
        if (chart.drawn && chart.plot.clientWidth !== chart.width && !printing) chart.draw();
      }
    }, 120);
  });

  /* Light and dark: the system's, until the button says otherwise. */
  const button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  function retheme() {
    button.setAttribute("aria-pressed", String(isDark()));
    for (const chart of all()) if (chart.drawn) chart.draw();
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    retheme();
  });
  dark.addEventListener("change", retheme);
  button.setAttribute("aria-pressed", String(isDark()));

  /* Paper: light, at a fixed width, every chart drawn; what is folded stays so, or evidence alone takes 40 sheets. */
  let before = null;
  function toPaper() {
    if (printing) return;
    printing = true;
    before = root.dataset.theme;
    root.dataset.theme = "light";
    for (const chart of all()) chart.draw();
  }
  function fromPaper() {
    if (!printing) return;
    printing = false;
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    for (const chart of all()) if (chart.drawn) chart.draw();
  }
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", fromPaper);
  paper.addEventListener("change", () => (paper.matches ? toPaper() : fromPaper()));
})();
