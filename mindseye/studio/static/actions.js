// How an action is chosen: buttons, sliders, choices, words; and which keys do it.

import { $, element, number } from "./dom.js";

const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const MEANT = { ArrowLeft: /\bleft\b|\bwest\b/i, ArrowRight: /\bright\b|\beast\b/i, ArrowUp: /\bup\b|\bforward\b|\bnorth\b|\bjump\b/i, ArrowDown: /\bdown\b|\bback(ward)?\b|\bsouth\b|\btoggle\b/i };

export class Actions {
  // act(action): do it; changed(): a slider was moved
  constructor(act, changed) {
    Object.assign(this, { act, changed });
    this.place = $("actions");
    this.arrows = {};
  }

  begin(told) {
    this.told = told;
    this.arrows = {};
    this.inputs = [];
    this.spoken = null;
    this.place.replaceChildren();
    this.place.className = `actions ${told.kind}`;
    if (told.kind === "discrete") this.discrete();
    else if (told.kind === "box") this.box();
    else if (told.kind === "choices") this.choices();
    else this.words();
  }

  name(action) {
    if (typeof action === "string") return action;
    if (Array.isArray(action)) return action.map((x) => number(x, 2)).join(", ");
    return this.told?.names?.[action - (this.told.first ?? 0)] ?? String(action);
  }

  // what stands chosen, for holding; null where nothing does
  chosen() {
    if (this.told.kind === "box") return this.inputs.map((input) => Number(input.value));
    if (this.told.kind === "choices") return this.inputs.map((input) => Number(input.value));
    return null;
  }

  // whether the key was an action
  key(event) {
    const { kind } = this.told;
    if (kind === "discrete") {
      const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : null;
      const at = this.arrows[event.key] ?? digit;
      if (at === undefined || at === null || at >= this.told.names.length) return false;
      this.act(this.told.first + at);
      return true;
    }
    if (kind === "box" && ARROWS[event.key]) {
      const along = event.key === "ArrowLeft" || event.key === "ArrowRight" ? 0 : 1;
      const input = this.inputs[along] ?? this.inputs[0];
      const more = event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : -1;
      input.value = Number(input.value) + (more * (input.max - input.min)) / 8;
      input.dispatchEvent(new Event("input"));
      return true;
    }
    if (kind === "words" && /^[0-9]$/.test(event.key)) {
      const button = this.place.querySelectorAll(".commands button")[Number(event.key)];
      button?.click();
      return Boolean(button);
    }
    if (event.key === "Enter" && (kind === "box" || kind === "choices")) {
      this.act(this.chosen());
      return true;
    }
    return false;
  }

  discrete() {
    const { names, first } = this.told;
    for (const key of Object.keys(ARROWS)) {
      const at = names.findIndex((name, i) => MEANT[key].test(name) && !Object.values(this.arrows).includes(i));
      if (at >= 0) this.arrows[key] = at;
    }
    if (!Object.keys(this.arrows).length) {
      Object.keys(ARROWS).forEach((key, i) => i < names.length && (this.arrows[key] = i));
    }
    names.forEach((name, i) => {
      const arrow = Object.keys(ARROWS).find((key) => this.arrows[key] === i);
      const keys = [i < 10 ? String(i) : null, arrow ? ARROWS[arrow] : null].filter(Boolean);
      this.place.append(element("button", { type: "button", "data-action": first + i, onclick: () => this.act(first + i) }, name, " ", ...keys.map((key) => element("kbd", {}, key))));
    });
  }

  box() {
    const { low, high, names } = this.told;
    names.forEach((name, i) => {
      const value = element("output", {}, "0");
      const middle = Math.min(high[i], Math.max(low[i], 0));
      const input = element("input", { type: "range", min: low[i], max: high[i], step: (high[i] - low[i]) / 200 || "any", value: middle });
      const told = () => (value.textContent = number(input.value, 2));
      input.addEventListener("input", () => {
        told();
        this.changed();
      });
      told();
      this.inputs.push(input);
      this.place.append(element("label", { class: "slider" }, element("span", {}, name), input, value));
    });
    if (names.length === 2) this.pad();
    this.place.append(
      element("button", { type: "button", class: "main", onclick: () => this.act(this.chosen()) }, "Act ", element("kbd", {}, "enter")),
      element("button", { type: "button", onclick: () => this.middle() }, "To the middle"),
    );
  }

  // two numbers at once, by mouse or finger; the sliders say the same to the keyboard
  pad() {
    const pad = element("div", { class: "pad", "aria-hidden": "true" }, element("i"));
    const put = (event) => {
      const box = pad.getBoundingClientRect();
      const share = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
      share.forEach((s, i) => {
        const { low, high } = this.told;
        this.inputs[i].value = low[i] + Math.min(1, Math.max(0, s)) * (high[i] - low[i]);
        this.inputs[i].dispatchEvent(new Event("input"));
      });
    };
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      put(event);
    });
    pad.addEventListener("pointermove", (event) => event.buttons && put(event));
    const follow = () => {
      const [x, y] = this.inputs.map((input) => (input.value - input.min) / (input.max - input.min));
      pad.firstChild.style.left = `${100 * x}%`;
      pad.firstChild.style.top = `${100 * (1 - y)}%`;
    };
    this.inputs.forEach((input) => input.addEventListener("input", follow));
    follow();
    this.place.append(pad);
  }

  middle() {
    this.inputs.forEach((input, i) => {
      input.value = Math.min(this.told.high[i], Math.max(this.told.low[i], 0));
      input.dispatchEvent(new Event("input"));
    });
  }

  choices() {
    const { sizes, first, names } = this.told;
    names.forEach((name, i) => {
      const options = Array.from({ length: sizes[i] }, (_, k) => element("option", { value: first[i] + k }, String(first[i] + k)));
      const input = element("select", {}, ...options);
      input.addEventListener("change", () => this.changed());
      this.inputs.push(input);
      this.place.append(element("label", { class: "slider" }, element("span", {}, name), input));
    });
    this.place.append(element("button", { type: "button", class: "main", onclick: () => this.act(this.chosen()) }, "Act ", element("kbd", {}, "enter")));
  }

  words() {
    const input = element("input", { type: "text", maxlength: this.told.max_length, autocomplete: "off", spellcheck: "false", id: "said", "aria-label": "What you do, in words" });
    const form = element("form", { class: "say" }, input, element("button", { type: "submit", class: "main" }, "Do"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const said = input.value.trim();
      if (!said) return;
      input.value = "";
      this.act(said);
    });
    this.place.append(element("div", { class: "commands" }), form);
  }

  // commands are a moment's own
  offer(moment) {
    if (this.told.kind !== "words") return;
    const dream = moment.dream.commands ?? [], real = moment.real?.commands ?? null;
    const all = [...new Set([...dream, ...(real ?? [])])];
    const wasIn = this.place.querySelector(".commands").contains(document.activeElement);
    this.place.querySelector(".commands").replaceChildren(...all.map((command, i) => {
      const where = real === null ? "" : !dream.includes(command) ? "only in reality" : !real.includes(command) ? "only in the dream" : "";
      return element("button", { type: "button", "data-action": command, class: where ? "lone" : null, onclick: () => this.act(command) },
        command, " ", where ? element("small", {}, where) : null, i < 10 ? element("kbd", {}, String(i)) : null);
    }));
    // a button that was pressed is gone; the keyboard stays here
    if (wasIn) this.place.querySelector(".commands button")?.focus();
  }
}
