// The play page: one visit, its keys, and what is kept to come back after a reload or a lost server.

import { Actions } from "./actions.js";
import { timeline, tree, walked } from "./charts.js";
import { $, element, number, percent } from "./dom.js";
import { films, settings } from "./settings.js";
import { Sides } from "./sides.js";
import { Story } from "./story.js";
import { Wire } from "./wire.js";

const KEPT = "mindseye.play";
const MOST_TALK = 40;

let story = new Story();
let hello = null, moment = null, auto = null;
let kept = recalled();
let mending = null;
let opened = null;
let lastAction = null;
let drawsSoon = false;
let later = [];
const waiting = new Set();

const sides = new Sides();
const actions = new Actions(act, () => auto?.on && auto.agent === null && hold());
const wire = new Wire({ greeting, heard, state: linked });

// ---- what is kept -------------------------------------------------------------------------------

function recalled() {
  const asked = new URLSearchParams(location.search);
  const wish = { seed: Number(asked.get("seed") ?? 0) || 0, stage: asked.get("stage"), start: null, visit: null, path: [], knobs: {}, search: location.search };
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT));
    if (found && found.search === location.search && Array.isArray(found.path)) return { ...wish, ...found };
  } catch {
    // nothing that can be read: begin afresh
  }
  return wish;
}

function keep() {
  if (!hello || mending) return;
  kept.path = story.path().slice(1).map((node) => node.action);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // a full or forbidden storage only costs the way back
  }
}

function greeting() {
  const message = { do: "open", seed: kept.seed };
  if (kept.visit) message.visit = kept.visit;
  if (kept.stage) message.stage = kept.stage;
  if (kept.start) message.start = kept.start;
  opened = wire.n + 1;
  return message;
}

// ---- what is heard ------------------------------------------------------------------------------

function heard(message) {
  const by = { hello: begin, tree: grow, moment: arrive, auto: watched, error: refused, saved, dropped, knob: turned };
  by[message.is]?.(message);
}

function begin(message) {
  const isAnother = message.visit !== kept.visit;
  const lost = isAnother && kept.visit && kept.path.length ? kept.path : null;
  hello = message;
  waiting.clear();
  later = [];
  story = new Story();
  auto = null;
  kept = { ...kept, visit: message.visit, seed: message.seed, stage: message.stage, start: message.start };
  wire.tries = 0;
  if (lost) mending = { path: lost, at: 0, n: null, begun: false };
  else if (mending) mending = { ...mending, n: null, begun: false };
  else kept.path = [];
  $("title").textContent = message.title;
  document.title = `${message.title} · mindseye`;
  $("stage").dataset.visit = message.visit;
  $("stage").dataset.kind = message.kind;
  sides.begin(message);
  actions.begin(message.action);
  settings(message, (name, value) => ask({ do: "knob", name, value }));
  buttons();
  for (const { name } of isAnother ? message.knobs : []) {
    if (name in kept.knobs) wire.send({ do: "knob", name, value: kept.knobs[name] });
  }
}

function grow(message) {
  for (const entry of message.nodes) story.add(entry);
}

function arrive(message) {
  const isFirst = story.current === null;
  moment = message;
  story.add({
    node: message.node, parent: message.parent, action: message.action, step: message.step, apart: message.apart, over: message.over,
    reward: { dream: message.dream.reward, real: message.real?.reward ?? null },
  });
  story.stand(message.node);
  if (message.action !== null) lastAction = message.action;
  if (isFirst && !mending && hello.kind === "text") retell();
  $("stage").dataset.node = message.node;
  $("stage").dataset.step = message.step;
  sides.show(message, story);
  actions.offer(message);
  soon();
  say();
  mend(message);
  answered(message.n);
}

// after a reload the page asks for what was said before
function retell() {
  const path = story.path();
  if (path.length < 2) return;
  for (const node of path.slice(-MOST_TALK)) wire.send({ do: "go", node: node.node });
}

// a server that no longer knows the visit is shown the same way again
function mend(message) {
  if (!mending) return;
  if (mending.begun && message.n !== mending.n) return;
  if (!mending.begun) mending.at = message.step;
  mending.begun = true;
  if (mending.at < mending.path.length) {
    mending.n = wire.send({ do: "step", action: mending.path[mending.at++] });
    return;
  }
  const steps = mending.path.length;
  mending = null;
  buttons();
  notice(`The server had forgotten this visit: ${steps === 1 ? "its step was" : `its ${steps} steps were`} taken again. Other branches are gone, and a dream left to chance may have gone another way.`);
}

function watched(message) {
  auto = message;
  buttons();
  if (!message.on && message.why && message.why !== "stopped") notice(`Paused: ${message.why}.`);
}

function refused(message) {
  if (message.fatal) {
    wire.close();
    notice(message.what, "Go on here", () => wire.connect());
    return;
  }
  if (message.n === opened && message.what.startsWith("this visit is no longer known")) return;
  if (message.n === opened && message.what.includes("places are taken")) {
    notice(message.what);
    wire.again();
    return;
  }
  if (message.n === opened && (kept.visit || kept.stage || kept.start)) {
    // what was kept does not fit this server
    kept = { ...kept, visit: null, stage: null, start: null, path: [], knobs: {} };
    notice(`${message.what}. Begun afresh.`);
    wire.send(greeting());
    return;
  }
  if (mending && message.n === mending.n) {
    notice(`The server had forgotten this visit, and its way could be taken again only to step ${moment?.step ?? 0}: ${message.what}`);
    mending = null;
    return;
  }
  notice(message.what);
  answered(message.n);
}

function saved(message) {
  const what = message.side === "real" ? "real" : "imagined";
  $("kept").textContent = `Saved ${message.steps} ${what} steps as episode ${message.episode} in ${message.path}.`;
}

function dropped(message) {
  story.drop(message.nodes);
  if (message.nodes.length) notice("The oldest branches were dropped to save memory.");
  soon();
}

function turned(message) {
  kept.knobs[message.name] = message.value;
  const input = $("knobs").querySelector(`[data-knob="${CSS.escape(message.name)}"]`);
  if (input) {
    input.value = message.value;
    input.nextElementSibling.textContent = number(message.value, 2);
  }
  soon();
}

function linked(word) {
  const says = { open: "connected", waiting: "lost, trying again", closed: "closed" };
  $("link").textContent = says[word];
  $("link").dataset.state = word;
  if (word !== "open" && auto) auto = { ...auto, on: false };
  buttons();
}

// ---- what is done -------------------------------------------------------------------------------

function ask(message) {
  if (mending) return null;
  const n = wire.send(message);
  if (n === null) notice("Not connected; this was not sent.");
  else if (message.do === "step" || message.do === "go") waiting.add(n);
  return n;
}

// moves that start from where the visitor stands wait until that is known, and all later ones with them
function inTurn(move, fromHere) {
  later.push([move, fromHere]);
  proceed();
}

function proceed() {
  while (later.length && !(later[0][1] && waiting.size)) later.shift()[0]();
}

function answered(n) {
  waiting.delete(n);
  proceed();
}

function act(action) {
  lastAction = action;
  clear();
  inTurn(() => ask({ do: "step", action }), false);
}

function go(node) {
  if (node === null || node === undefined || node === story.current) return;
  clear();
  ask({ do: "go", node });
}

function rewind() {
  inTurn(() => story.nodes.has(story.here?.parent) && go(story.here.parent), true);
}

function beginAgain() {
  const start = $("episode").value === "" ? null : { episode: Number($("episode").value), step: Number($("episode-step").value) || 0 };
  kept = { ...kept, visit: null, path: [], start, seed: Number($("seed").value) || 0, stage: $("stage-name").value || kept.stage };
  mending = null;
  clear();
  ask(greeting());
}

const rate = () => Number($("rate").value);

function hold() {
  const action = actions.chosen() ?? lastAction;
  if (action === null) {
    notice("Act once, and that action can be held.");
    return;
  }
  ask({ do: "auto", on: true, agent: null, action, rate: rate() });
}

function watch(on) {
  if (!hello) return;
  clear();
  if (!on) ask({ do: "auto", on: false, agent: null, rate: rate() });
  else if ($("agent").value === "") hold();
  else ask({ do: "auto", on: true, agent: $("agent").value, rate: rate() });
}

// ---- what is shown ------------------------------------------------------------------------------

function soon() {
  if (drawsSoon) return;
  drawsSoon = true;
  // the panels need not keep up with a watched agent's every frame
  setTimeout(() => requestAnimationFrame(() => {
    drawsSoon = false;
    if (!moment || !story.here) return;
    const name = (action) => actions.name(action);
    timeline(story, moment, name);
    tree(story, moment, name, go);
    films(hello, moment);
    buttons();
    keep();
    $("stage").dataset.drawn = moment.node;
  }), auto?.on ? 100 : 0);
}

function say() {
  // a watched agent is told of once in a while
  if (auto?.on && moment.step % Math.max(1, Math.round(2 * rate()))) return;
  const parts = [`Step ${moment.step}`];
  if (moment.action !== null) parts.push(actions.name(moment.action));
  parts.push(`dream reward ${number(moment.dream.reward)}`);
  if (moment.real) parts.push(`real reward ${number(moment.real.reward)}`);
  if (moment.apart !== null) parts.push(`${percent(moment.apart)} apart`);
  if (moment.over) parts.push("the episode is over");
  if (hello.kind === "text") parts.push(moment.dream.text ?? "");
  $("live").textContent = `${parts.join(", ")}.`;
}

function buttons() {
  const on = Boolean(auto?.on);
  $("toggle").setAttribute("aria-pressed", String(on));
  $("toggle").firstChild.textContent = on ? "Pause " : $("agent").value === "" ? "Hold " : "Watch ";
  $("rewind").disabled = !story.nodes.has(story.here?.parent);
  $("save-dream").disabled = !hello?.can_save || !moment?.step;
  $("save-real").disabled = !hello?.can_save || !hello?.has_real || !moment?.step;
}

function notice(text, label, action) {
  $("notice").replaceChildren(text, " ",
    label ? element("button", { type: "button", onclick: () => (clear(), action()) }, label) : element("button", { type: "button", class: "plain", "aria-label": "Close this notice", onclick: clear }, "×"));
  $("notice").hidden = false;
}

function clear() {
  $("notice").hidden = true;
}

// ---- keys and buttons ---------------------------------------------------------------------------

const TYPED = "input:not([type=range]):not([type=checkbox]), textarea, select";

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || !hello) return;
  const target = event.target;
  if (target.matches(TYPED)) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
  if (target.matches("button, a, summary, input[type=checkbox]") && (event.key === " " || event.key === "Enter")) return;
  if (target.id === "tree" && (event.key.startsWith("Arrow") || event.key === "Escape")) {
    event.preventDefault();
    if (event.key === "Escape") target.blur();
    else inTurn(() => go(walked(story, event.key)), true);
    return;
  }
  const by = {
    Backspace: rewind, Home: () => inTurn(() => go(story.path()[0]?.node), true), " ": () => watch(!auto?.on), p: () => watch(!auto?.on),
    b: () => $("tree").focus(), "?": () => $("help").showModal(), r: beginAgain, d: () => $("show-difference").click(),
    ".": () => lastAction !== null && act(lastAction),
  };
  if (by[event.key]) by[event.key]();
  else if (!actions.key(event)) return;
  event.preventDefault();
});

$("ask-help").addEventListener("click", () => $("help").showModal());
$("rewind").addEventListener("click", rewind);
$("toggle").addEventListener("click", () => watch(!auto?.on));
$("agent").addEventListener("change", () => (auto?.on ? watch(true) : buttons()));
$("rate").addEventListener("input", () => ($("rate-told").textContent = `${rate()} / s`));
$("rate").addEventListener("change", () => auto?.on && watch(true));
$("scrub").addEventListener("input", () => go(story.line()[Number($("scrub").value)]?.node));
$("to-parted").addEventListener("click", () => go(moment.parted));
$("begin").addEventListener("submit", (event) => (event.preventDefault(), beginAgain()));
$("save-dream").addEventListener("click", () => ask({ do: "save", side: "dream" }));
$("save-real").addEventListener("click", () => ask({ do: "save", side: "real" }));
$("show-told").addEventListener("change", () => document.body.classList.toggle("bare", !$("show-told").checked));
$("show-difference").addEventListener("change", () => {
  $("difference").hidden = !$("show-difference").checked || $("difference-box").hidden;
  sides.difference();
});
addEventListener("pagehide", keep);
wire.connect();
