// The timeline with the moment where dream and reality part, and the tree of what-ifs.

import { $, drawn, element, number } from "./dom.js";

const MOST_DOTS = 400, MOST_ENDS = 12, LANE = 16, WIDE = 260, LEAST_REWARD = 0.05;

export function timeline(story, moment, actionName) {
  const line = story.line();
  const at = line.findIndex((node) => node.node === story.current);
  const last = Math.max(1, line.length - 1);
  const x = (i) => (1000 * i) / last;
  const chart = $("chart");
  const parts = [];
  if (line.some((n) => n.apart !== null)) {
    const points = line.map((n, i) => `${x(i).toFixed(1)},${(58 - 54 * Math.min(1, n.apart ?? 0)).toFixed(1)}`);
    parts.push(drawn("polygon", { class: "apart-area", points: `0,58 ${points.join(" ")} 1000,58` }));
  }
  const sizes = line.flatMap((n) => [Math.abs(n.reward?.dream ?? 0), Math.abs(n.reward?.real ?? 0)]);
  const most = sizes.reduce((a, b) => Math.max(a, b), LEAST_REWARD);
  for (const [side, beside] of [["dream", 0], ["real", 4]]) {
    const ticks = line.map((node, i) => {
      const height = (40 * Math.abs(node.reward?.[side] ?? 0)) / most;
      return height < 1 ? "" : `M${(x(i) + beside).toFixed(1)} 58v${-height.toFixed(1)}`;
    });
    parts.push(drawn("path", { class: `${side}-line`, d: ticks.join("") }));
  }
  const parted = line.findIndex((node) => node.node === moment.parted);
  if (parted >= 0) parts.push(drawn("line", { class: "parted-line", x1: x(parted), x2: x(parted), y1: 0, y2: 60 }));
  if (at >= 0) parts.push(drawn("line", { class: "cursor-line", x1: x(at), x2: x(at), y1: 0, y2: 60 }));
  chart.replaceChildren(...parts);
  const scrub = $("scrub");
  scrub.max = line.length - 1;
  if (!scrub.matches(":active")) scrub.value = Math.max(0, at);
  scrub.setAttribute("aria-valuetext", `step ${moment.step} of ${line.at(-1)?.step ?? 0}`);
  $("where").textContent = `Step ${moment.step}` + (moment.action === null ? "" : ` · ${actionName(moment.action)}`) + (moment.over ? " · over: go back, or begin again" : "");
  const partedNode = story.nodes.get(moment.parted);
  $("apart-told").textContent = moment.apart === null ? "" : partedNode ? `parted at step ${partedNode.step}` : "still together";
  $("apart-told").classList.toggle("parted", Boolean(partedNode));
  $("to-parted").hidden = !partedNode || moment.parted === story.current;
}

export function tree(story, moment, actionName, go) {
  const svg = $("tree");
  const { lane, count } = story.lanes();
  const nodes = [...story.nodes.values()];
  const deepest = Math.max(1, ...nodes.map((n) => n.step));
  const gap = Math.max(2, Math.min(22, (WIDE - 24) / deepest));
  const x = (node) => 12 + node.step * gap, y = (node) => 12 + lane.get(node.node) * LANE;
  const width = Math.max(WIDE, 24 + deepest * gap), height = 24 + (count - 1) * LANE;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", Math.min(height, 4096));
  svg.setAttribute("width", width);
  const onLine = new Set(story.path().map((n) => n.node));
  const far = [], near = [];
  for (const node of nodes) {
    const parent = story.nodes.get(node.parent);
    if (!parent) continue;
    const way = `M${x(parent)} ${y(parent)}L${x(parent)} ${y(node)}L${x(node)} ${y(node)}`;
    (onLine.has(node.node) ? near : far).push(way);
  }
  const dots = nodes.filter((n) => nodes.length <= MOST_DOTS || n.children.length !== 1 || n.node === story.current || n.node === moment.parted);
  svg.replaceChildren(
    drawn("path", { class: "far", d: far.join("") }),
    drawn("path", { class: "near", d: near.join("") }),
    ...dots.slice(-MOST_DOTS * 2).map((node) => drawn("circle", {
      class: [node.node === story.current ? "current" : "", node.node === moment.parted ? "parted" : "", node.over ? "over" : "", onLine.has(node.node) ? "near" : ""].join(" "),
      cx: x(node), cy: y(node), r: node.node === story.current ? 6 : gap < 8 ? 2 : 3.5,
      "data-node": node.node,
    }, drawn("title", {}, `step ${node.step}${node.action === null ? "" : ` · ${actionName(node.action)}`}`))),
  );
  svg.onclick = (event) => {
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) * width) / box.width, py = ((event.clientY - box.top) * height) / box.height;
    let best = null, least = 400;
    for (const node of nodes) {
      const far = (x(node) - px) ** 2 + (y(node) - py) ** 2;
      if (far < least) [best, least] = [node, far];
    }
    if (best) go(best.node);
  };
  const box = svg.parentElement, here = story.here;
  if (Math.abs(x(here) - box.scrollLeft - box.clientWidth / 2) > box.clientWidth / 2 - 16) box.scrollLeft = x(here) - box.clientWidth / 2;
  if (Math.abs(y(here) - box.scrollTop - box.clientHeight / 2) > box.clientHeight / 2 - 8) box.scrollTop = y(here) - box.clientHeight / 2;
  svg.dataset.nodes = nodes.length;
  svg.dataset.lanes = count;
  ends(story, actionName, go);
}

function ends(story, actionName, go) {
  const found = story.ends();
  const list = $("ends");
  if (found.length < 2) {
    list.replaceChildren(element("li", { class: "small" }, "Go back, then try another action: a branch grows."));
    return;
  }
  const focused = document.activeElement?.dataset?.end;
  const shown = found.slice(-MOST_ENDS).reverse().map((node) => {
    const parted = node.apart === null ? "" : `, ${Math.round(100 * node.apart)} % apart`;
    const says = `to step ${node.step}, ${node.action === null ? "beginning" : actionName(node.action)}${parted}`;
    const reward = Math.abs(node.reward?.dream ?? 0) >= 0.01 ? `, reward ${number(node.reward.dream)}` : "";
    return element("li", {}, element("button", {
      type: "button", "data-end": node.node, "aria-current": node.node === story.current ? "true" : null, onclick: () => go(node.node),
    }, says + reward));
  });
  list.replaceChildren(...shown);
  if (focused) list.querySelector(`[data-end="${focused}"]`)?.focus();
}

// arrow keys in the tree: where they lead
export function walked(story, key) {
  const here = story.here;
  if (!here) return null;
  if (key === "ArrowLeft") return story.nodes.has(here.parent) ? here.parent : null;
  if (key === "ArrowRight") return story.ahead(here)?.node ?? null;
  // other branches: the nearest fork on the way back
  const up = key === "ArrowUp" ? -1 : 1;
  for (let node = here; node; node = story.nodes.get(node.parent)) {
    const siblings = story.nodes.get(node.parent)?.children ?? [];
    const other = siblings[siblings.indexOf(node.node) + up];
    if (other !== undefined) return other;
  }
  return null;
}
