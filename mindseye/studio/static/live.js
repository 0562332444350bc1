// While something on this page is running, the page is fetched again every two seconds and its live
// parts are swapped. What is being read, selected or used is left alone until it no longer is. A list
// is looked at again now and then, for what is not in it yet, or no longer.

const EVERY = 2000, SELDOM = 15000;
const told = document.getElementById("told"), news = document.getElementById("news");

function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
}

function keepOpen(before, after) {
  const now = [...before.querySelectorAll("details")];
  for (const [place, part] of [...after.querySelectorAll("details")].entries()) {
    if (now[place]) part.open = now[place].open;
  }
}

function tell(before, after) {
  if (told && before.dataset.state !== after.dataset.state) {
    told.textContent = `${after.dataset.name} is now ${after.dataset.state}`;
  }
}

async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return EVERY;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = new Map([...page.querySelectorAll("[data-live]")].map((part) => [part.dataset.live, part]));
  let isWhole = true, isGone = false;
  for (const before of document.querySelectorAll("[data-live]")) {
    const after = parts.get(before.dataset.live);
    parts.delete(before.dataset.live);
    isGone ||= !after;
    if (!after) continue;
    keepOpen(before, after);
    if (after.innerHTML === before.innerHTML) continue;
    if (isInUse(before)) {
      isWhole = false;
    } else {
      tell(before, after);
      before.replaceWith(document.importNode(after, true));
    }
  }
  if (news) news.hidden = parts.size === 0 && !isGone;
  if (!isWhole || page.querySelector("[data-state=running]")) return EVERY;
  return news ? SELDOM : null;
}

async function watch() {
  let wait = EVERY;
  try {
    if (!document.hidden) wait = await refresh();
  } catch {
    // the studio may be away for a moment
  }
  if (wait !== null) setTimeout(watch, wait);
}

setTimeout(watch, EVERY);
