// Steps through the frames of an episode. Without it, the form and the sheet of frames do the same.

import { $, number } from "./dom.js";

const CHUNK = 500, PACE = 120, WIDE = 300;
const film = $("film");
if (film) scrub(film);

function scrub(film) {
  const base = film.dataset.base, last = Number(film.dataset.last), length = Number(film.dataset.length);
  const slider = $("at"), run = $("run"), chunks = new Map();
  let at = Number(film.dataset.at), timer = null;

  slider.form.addEventListener("submit", (event) => event.preventDefault());
  $("show").hidden = true;
  run.hidden = last === 0;
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  run.addEventListener("click", () => (timer === null ? start() : stop()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-at]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    stop();
    go(Number(link.dataset.at));
    slider.focus({ preventScroll: true });
    if (!film.contains(link)) film.scrollIntoView();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
  go(at);

  function start() {
    if (at === last) go(0);
    timer = setInterval(next, PACE);
    pressed(true);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    pressed(false);
  }

  function pressed(is) {
    run.setAttribute("aria-pressed", is);
    run.textContent = is ? "Pause" : "Play";
  }

  function next() {
    // a slow server is waited for
    if (!$("frame").complete) return;
    go(at + 1);
    if (at === last) stop();
  }

  function go(to) {
    at = Math.min(Math.max(0, to), last);
    slider.value = at;
    $("frame").src = `${base}/frame/${at}.png`;
    $("frame").alt = `Frame ${at} of ${last}`;
    const x = (WIDE * at) / Math.max(1, length);
    for (const line of document.querySelectorAll(".cursor")) {
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
    mark();
    tell();
  }

  function mark() {
    // the last frame of the sheet that is not beyond
    const links = [...film.querySelectorAll("a[data-at]")];
    const near = links.findLast((link) => Number(link.dataset.at) <= at);
    for (const link of links) link.removeAttribute("aria-current");
    near?.setAttribute("aria-current", "true");
  }

  async function tell() {
    const asked = at, step = (await chunk(Math.floor(asked / CHUNK)))[asked % CHUNK];
    if (asked !== at) return;
    const [action, reward] = step ?? ["", null];
    const told = `Step ${at} of ${last}` + (action ? ` · ${action} · reward ${number(reward)}` : "");
    $("told").textContent = told;
    slider.setAttribute("aria-valuetext", told);
  }

  function chunk(place) {
    if (!chunks.has(place)) chunks.set(place, fetched(place));
    return chunks.get(place);
  }

  async function fetched(place) {
    try {
      const answer = await fetch(`${base}/steps.json?first=${place * CHUNK}`);
      return answer.ok ? (await answer.json()).steps : [];
    } catch {
      return [];
    }
  }
}
