// While something on this page is running, the page is fetched again every two seconds and its live
// parts are swapped. What is being read, selected or used is left alone until it no longer is.

const EVERY = 2000;
const told = document.getElementById("told");

function isInUse(part) {
  const selection = getSelection();
  return part.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(part, true));
}

function tell(before, after) {
  if (told && before.dataset.state !== after.dataset.state) {
    told.textContent = `${after.dataset.name} is now ${after.dataset.state}`;
  }
}

async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = new Map([...page.querySelectorAll("[data-live]")].map((part) => [part.dataset.live, part]));
  let isWhole = true;
  for (const before of document.querySelectorAll("[data-live]")) {
    const after = parts.get(before.dataset.live);
    if (!after || after.innerHTML === before.innerHTML) continue;
    if (isInUse(before)) {
      isWhole = false;
    } else {
      tell(before, after);
      before.replaceWith(document.adoptNode(after));
    }
  }
  return !isWhole || page.querySelector("[data-state=running]") !== null;
}

async function watch() {
  let goesOn = true;
  try {
    if (!document.hidden) goesOn = await refresh();
  } catch {
    // the studio may be away for a moment
  }
  if (goesOn) setTimeout(watch, EVERY);
}

setTimeout(watch, EVERY);
