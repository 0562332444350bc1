// Dream beside reality: pictures, numbers, texts, and what is predicted.

import { $, element, number, percent } from "./dom.js";

export class Sides {
  constructor() {
    this.shown = 0;
    this.texts = new Map();
  }

  begin(hello) {
    this.hello = hello;
    this.texts.clear();
    const isText = hello.kind === "text";
    $("talk").hidden = !isText;
    $("talk").replaceChildren();
    $("sides").classList.toggle("texts", isText);
    $("sides").classList.toggle("alone", !hello.has_real);
    for (const side of ["dream", "real"]) {
      const place = $(side).querySelector(".shown");
      place.replaceChildren();
      if (hello.kind === "picture") {
        place.append(element("canvas", { role: "img", width: 1, height: 1, "aria-label": side === "dream" ? "The dream" : "Reality" }));
      }
      $(side).querySelector(".told").replaceChildren();
    }
    $("real").classList.toggle("missing", !hello.has_real);
    if (!hello.has_real) {
      $("real").querySelector(".shown").replaceChildren(element("p", { class: "why" }, hello.why_no_real || "There is only the dream here."));
    }
    $("difference-box").hidden = hello.kind !== "picture" || !hello.has_real;
    if ($("difference-box").hidden) $("difference").hidden = true;
    $("difference").querySelector(".shown").replaceChildren(element("canvas", { role: "img", width: 1, height: 1, "aria-label": "Difference of dream and reality" }));
  }

  async show(moment, story) {
    const mine = ++this.shown;
    for (const side of ["dream", "real"]) this.tell(side, moment[side], moment);
    if (this.hello.kind === "text") {
      this.texts.set(moment.node, { dream: moment.dream.text, real: moment.real?.text ?? null });
      this.talk(story);
      return;
    }
    if (this.hello.kind === "numbers") {
      this.numbers(moment);
      return;
    }
    const sides = [moment.dream.png, moment.real?.png].map((png) => (png ? createImageBitmap(png) : null));
    const [dream, real] = await Promise.all(sides);
    // decoding may finish out of order
    if (mine !== this.shown) return;
    if (dream) paint($("dream").querySelector("canvas"), dream);
    if (real) paint($("real").querySelector("canvas"), real);
    this.last = { dream, real };
    this.difference();
    $("stage").dataset.painted = moment.node;
  }

  difference() {
    const { dream, real } = this.last ?? {};
    const canvas = $("difference").querySelector("canvas");
    if ($("difference").hidden || !canvas || !dream || !real) return;
    const context = paint(canvas, dream);
    context.globalCompositeOperation = "difference";
    context.drawImage(real, 0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "source-over";
  }

  tell(name, side, moment) {
    const place = $(name).querySelector(".told");
    const state = $(name).querySelector(".state");
    const over = side && (side.terminated ? "ended" : side.truncated ? "out of time" : "");
    state.textContent = over || "";
    $(name).classList.toggle("over", Boolean(over));
    if (!side) return;
    const isDream = name === "dream";
    const end = isDream && side.continuation !== null ? 1 - side.continuation : null;
    const rows = [
      [isDream ? "Reward, predicted" : "Reward", number(side.reward), null],
      ["In all", number(side.total), null],
      end === null ? null : ["Would end here", percent(end), end],
      side.uncertainty === null ? null : ["Uncertainty", number(side.uncertainty), Math.min(1, side.uncertainty)],
      isDream && moment.apart !== null ? ["Apart from reality", percent(moment.apart), Math.min(1, moment.apart)] : null,
    ].filter(Boolean);
    place.replaceChildren(...rows.map(([label, value, share]) => {
      const bar = share === null ? null : element("span", { class: "bar-of", "aria-hidden": "true" }, element("span"));
      if (bar) bar.firstChild.style.width = `${100 * share}%`;
      return element("div", {}, element("dt", {}, label), element("dd", {}, value, bar));
    }));
  }

  numbers(moment) {
    for (const name of ["dream", "real"]) {
      const values = moment[name]?.numbers;
      if (!values) continue;
      const names = this.hello.numbers ?? [];
      const rows = values.map((value, i) => {
        const other = moment[name === "dream" ? "real" : "dream"]?.numbers?.[i];
        const differs = other !== undefined && Math.abs(other - value) > 0.05 * (1 + Math.abs(other));
        return element("tr", { class: differs ? "differs" : null }, element("th", { scope: "row" }, names[i] ?? `number ${i}`), element("td", {}, number(value)));
      });
      $(name).querySelector(".shown").replaceChildren(element("table", { class: "numbers" }, element("tbody", {}, ...rows)));
    }
  }

  // everything said on the way here
  talk(story) {
    const turns = story.path().map((node) => {
      const said = this.texts.get(node.node);
      const parts = [];
      if (node.action !== null) parts.push(element("p", { class: "you" }, element("span", { class: "unseen" }, "You: "), String(node.action)));
      if (!said) parts.push(element("p", { class: "bubble" }, "…"));
      else if (said.real === null) parts.push(bubble("dream", "Dream", said.dream));
      else if (said.real === said.dream) parts.push(bubble("both", "Dream and reality alike", said.dream));
      else parts.push(element("div", { class: "two" }, bubble("dream", "Dream", said.dream), bubble("real", "Reality", said.real)));
      return element("li", { "data-node": node.node }, ...parts);
    });
    const talk = $("talk");
    talk.replaceChildren(...turns);
    talk.scrollTop = talk.scrollHeight;
  }
}

function bubble(kind, who, text) {
  return element("div", { class: `bubble ${kind}` }, element("b", {}, who), element("p", {}, text ?? "–"));
}

function paint(canvas, picture) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  return context;
}
