"use strict";

// The timeline: stacked areas of attempts a second by verdict, with campaigns as bars above them.
// Colours are read from the legend's swatches, so that light and dark need no second list.
globalThis.SekishoTimeline = class {
  static ACTIONS = ["allow", "puzzle", "challenge", "deny"];

  constructor(box) {
    this.box = box;
    this.lengthS = Number(box.dataset.minutes) * 60;
    this.seconds = new Map();
    this.campaigns = [];
    this.empty = box.querySelector(".empty");
    this.plot = null;
    this.clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", timeStyle: "medium" });
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  // Takes rows of [second, allow, puzzle, challenge, deny] and campaigns as [first, last, live].
  show(nowS, rows, campaigns) {
    for (const [second, ...counts] of rows) this.seconds.set(second, counts);
    for (const second of this.seconds.keys()) if (second <= nowS - 900) this.seconds.delete(second);
    this.campaigns = campaigns;
    this.nowS = nowS;
    this.empty.hidden = this.seconds.size > 0;
    if (this.plot) this.plot.setData(this.data());
    else this.rebuild();
  }

  rebuild() {
    this.plot?.destroy();
    this.box.replaceChildren(this.empty);
    this.plot = new uPlot(this.options(), this.data(), this.box);
  }

  data() {
    const times = [];
    const stacked = SekishoTimeline.ACTIONS.map(() => []);
    for (let second = this.nowS - this.lengthS; second < this.nowS; second += 1) {
      times.push(second);
      let sum = 0;
      const counts = this.seconds.get(second);
      stacked.forEach((series, column) => series.push((sum += counts ? counts[column] : 0)));
    }
    return [times, ...stacked];
  }

  size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  colour(action) {
    const swatch = document.querySelector(`.swatch[data-action="${action}"]`);
    return getComputedStyle(swatch).backgroundColor;
  }

  options() {
    const quiet = getComputedStyle(document.querySelector("footer")).color;
    const line = getComputedStyle(document.querySelector(".figures")).borderTopColor;
    const paper = getComputedStyle(document.body).backgroundColor;
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: quiet, font, ticks: { show: false } };
    const time = (_, splits) => splits.map((second) => this.clock.format(second * 1000));
    const area = (action) => ({ fill: this.colour(action), stroke: paper, width: 1, points: { show: false } });
    const areas = SekishoTimeline.ACTIONS.map(area);
    return {
      ...this.size(),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      padding: [24, 12, 0, 0],
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(5, high * 1.08)] } },
      axes: [
        { ...axis, grid: { show: false }, values: time, space: 110, size: 28 },
        { ...axis, grid: { stroke: line, width: 1 }, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
      ],
      series: [{}, ...areas],
      // Each series is a running sum: the band between two of them is one verdict's share.
      bands: [4, 3, 2].map((upper) => ({ series: [upper, upper - 1] })),
      hooks: { draw: [(plot) => this.drawCampaigns(plot)], setCursor: [(plot) => this.read(plot.cursor.idx)] },
    };
  }

  // Writes the counts of the second under the pointer into the legend, and clears them when it leaves.
  read(index) {
    const second = index === null || index === undefined ? undefined : this.nowS - this.lengthS + index;
    const counts = this.seconds.get(second) ?? [0, 0, 0, 0];
    const say = (name, text) => (document.querySelector(`[data-value="${name}"]`).textContent = text);
    SekishoTimeline.ACTIONS.forEach((action, column) => say(action, second ? counts[column] : ""));
    say("time", second ? this.clock.format(second * 1000) : "");
  }

  drawCampaigns(plot) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.fillStyle = this.colour("campaign");
    for (const [first, last, live] of this.campaigns) {
      const left = Math.max(bbox.left, plot.valToPos(first, "x", true));
      const right = live ? bbox.left + bbox.width : plot.valToPos(last, "x", true);
      if (right < bbox.left) continue;
      ctx.beginPath();
      ctx.roundRect(left, 8 * scale, Math.max(6 * scale, right - left), 6 * scale, 3 * scale);
      ctx.fill();
    }
    ctx.restore();
  }
};
