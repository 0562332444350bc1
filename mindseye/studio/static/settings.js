// The panels beside the stage.

import { $, element, number } from "./dom.js";

// what a visit may be begun with, watched by, and turned at
export function settings(told, turn) {
  $("agent").replaceChildren(
    ...told.agents.map((name) => element("option", { value: name }, name)),
    element("option", { value: "" }, told.action.kind === "box" || told.action.kind === "choices" ? "the chosen action, held" : "the last action, held"),
  );
  $("rate").max = Math.min(60, told.limits.rate);
  $("knobs-box").hidden = !told.knobs.length;
  $("knobs").replaceChildren(...told.knobs.map((knob) => {
    const input = element("input", { type: "range", min: knob.low, max: knob.high, step: knob.step, value: knob.value, "data-knob": knob.name });
    input.addEventListener("change", () => turn(knob.name, Number(input.value)));
    return element("label", { class: "slider" }, element("span", {}, knob.name), input, element("output", {}, number(knob.value, 2)), element("small", {}, knob.help));
  }));
  $("seed").value = told.seed;
  $("stage-box").hidden = told.stages.length < 2;
  $("stage-name").replaceChildren(...told.stages.map((name) => element("option", { value: name, selected: name === told.stage }, name)));
  const episodes = told.starts?.episodes ?? [];
  $("episode-box").hidden = $("episode-step-box").hidden = !episodes.length;
  $("episode").replaceChildren(element("option", { value: "" }, "the world's own start"),
    ...episodes.map(({ id, length }) => element("option", { value: id, selected: told.start?.episode === id }, `episode ${id} (${length} steps)`)));
  $("episode-step").value = told.start?.step ?? 0;
  const max = () => ($("episode-step").max = episodes.find((e) => String(e.id) === $("episode").value)?.length ?? 0);
  $("episode").onchange = max;
  max();
}

// links to take the way to a moment home as a film
export function films(hello, moment) {
  $("films").hidden = hello.kind !== "picture";
  const base = `/play/export/${encodeURIComponent(hello.visit)}/${moment.node}`;
  $("gif").href = `${base}.gif?side=${hello.has_real ? "both" : "dream"}`;
  $("gif").textContent = hello.has_real ? "GIF of both" : "GIF";
  $("gif-dream").href = `${base}.gif?side=dream`;
  $("gif-dream").hidden = !hello.has_real;
  $("mp4").href = `${base}.mp4?side=${hello.has_real ? "both" : "dream"}`;
  $("mp4").hidden = !hello.films.includes("mp4");
}
